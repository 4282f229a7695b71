"""Who calls, and may they: everything that is decided by the head of a request."""
