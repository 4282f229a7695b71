"""Alembic's revisions of the tables of jobs, in order of their numbers."""
