"""Alembic's entrance; `store/upgrade.py` hands it the connection."""

from alembic import context

from tidegate.store.metadata import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
