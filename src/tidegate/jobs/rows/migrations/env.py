"""Alembic's entrance; `store/upgrade.py` hands it the connection."""

from alembic import context

from tidegate.jobs.rows.tables import METADATA, VERSION

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION,
    transactional_ddl=True,
)
context.run_migrations()
