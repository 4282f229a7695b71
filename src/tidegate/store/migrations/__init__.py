"""Alembic's revisions of the schema, in order of their numbers."""
