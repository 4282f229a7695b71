"""The ledger's database, as the whole control process has it: opened by the ledger's thread, asked by all others."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Database:
    """For any thread. `engine` is there once its schema is this version's, None while the database is away."""

    __slots__ = ("engine",)

    def __init__(self) -> None:
        self.engine: Engine | None = None

    def now(self) -> "Engine | None":
        """The engine, as it is now."""
        return self.engine

    def is_open(self) -> bool:
        """Can it be asked?"""
        return self.engine is not None
