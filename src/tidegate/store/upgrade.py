"""Bringing the schema to this version: alembic's revisions, shipped with the package.

Safe from several processes at once: on SQLite by its write lock, on PostgreSQL by an advisory lock.
"""

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from tidegate.store.engine import is_sqlite, writing
from tidegate.store.schema import STORE, Schema
from tidegate.store.schema import NewerSchema as NewerSchema

_LOCK: Final = 0x7469_6465  # "tide"


def upgrade(engine: Engine, to: str = "", schema: Schema = STORE) -> tuple[str, str]:
    """Bring the schema to a revision, "" = the newest; returns the one before ("" = none) and the one now.

    All or nothing. Raises `NewerSchema`, `sqlalchemy.exc.SQLAlchemyError`.
    """
    script = ScriptDirectory.from_config(_config(schema))
    with writing(engine) as connection:
        if not is_sqlite(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before, head = revision(connection, schema), to or script.get_current_head() or ""
        if before and before not in {one.revision for one in script.walk_revisions()}:
            raise NewerSchema(f"the database has schema {before}, newer than {head}: start the version that made it")
        if before != head:
            config = _config(schema)
            config.attributes["connection"] = connection
            command.upgrade(config, head)
    return before, head


def revision(connection: Connection, schema: Schema = STORE) -> str:
    """The schema's revision, "" = none yet."""
    context = MigrationContext.configure(connection, opts={"version_table": schema.table})
    return context.get_current_revision() or ""


def _config(schema: Schema) -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.folder).replace("%", "%%"))
    return config
