"""Patient work: jobs and batches on every engine, whatever is killed."""
