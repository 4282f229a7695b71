"""A worker: the composition root of the data plane. Snapshot in, calls served, facts out."""
