"""Which schema a database has, by the table that alembic keeps; without alembic, which takes a start to import."""

from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, inspect, text


class Schema(NamedTuple):
    """Revisions, and where a database says which of them it has. Several can live in one database."""

    folder: Path
    table: str = "alembic_version"


STORE: Final = Schema(Path(__file__).parent / "migrations")


class NewerSchema(RuntimeError):
    """The database was brought to a revision that this version does not know."""


def recorded(engine: Engine, schema: Schema) -> str:
    """The revision that the database says it has, "" = none yet. Raises `sqlalchemy.exc.SQLAlchemyError`."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(schema.table):
            return ""
        return connection.execute(text(f"SELECT version_num FROM {schema.table}")).scalar() or ""  # noqa: S608 - our name
