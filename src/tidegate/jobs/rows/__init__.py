"""The truth of jobs: rows of a database, and everything that is done to them."""
