"""What is known of files: rows beside the folder that they lie in. Synchronous: for threads."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, func, insert, or_, select

from tidegate.jobs.batches.owned import columns_of, owner_of, whose
from tidegate.jobs.batches.records import PURPOSES, StoredFile
from tidegate.jobs.batches.tables import BATCHES, FILES
from tidegate.jobs.records import Owner
from tidegate.store.engine import writing

_FIELDS: Final = ("id", "purpose", "filename", "size", "place", "created_us", "expires_us", "batch")

_GONE_US: Final = 86_400_000_000


class Filing:
    """Raises `sqlalchemy.exc.SQLAlchemyError` where the database does not do its work."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, file: StoredFile) -> None:
        """It is on disk."""
        with writing(self._engine) as connection:
            add(connection, [file])

    def held(self, owner: Owner) -> tuple[int, int]:
        """How many files of an owner were uploaded, and the bytes of all its files. O(its files)."""
        mine = whose(FILES, owner)
        with self._engine.connect() as connection:
            uploaded = connection.scalar(select(func.count()).where(mine, FILES.c.batch == ""))
            return uploaded or 0, int(connection.scalar(select(func.sum(FILES.c.size)).where(mine)) or 0)

    def find(self, file: str, owner: Owner, wall: int) -> StoredFile | None:
        """None: there is none, it has expired, it is none of theirs, or none that clients see."""
        seen = (FILES.c.id == file, whose(FILES, owner), FILES.c.purpose.in_(PURPOSES), _lasts(wall))
        with self._engine.connect() as connection:
            row = connection.execute(select(FILES).where(*seen)).one_or_none()
        return None if row is None else _file(row)

    def listed(
        self, owner: Owner, wall: int, limit: int, *, purpose: str = "", after: str = "", oldest: bool = False
    ) -> list[StoredFile]:
        """The newest first, or the oldest."""
        query = select(FILES).where(whose(FILES, owner), _lasts(wall)).limit(limit)
        query = query.where(FILES.c.purpose == purpose if purpose else FILES.c.purpose.in_(PURPOSES))
        if after:
            query = query.where(FILES.c.id > after if oldest else FILES.c.id < after)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(FILES.c.id if oldest else FILES.c.id.desc()))
            return [_file(row) for row in rows]

    def delete(self, file: str, owner: Owner) -> str:
        """Forget it; "" or the batch that still reads it, which is why it was not."""
        with writing(self._engine) as connection:
            reads = select(BATCHES.c.id).where(
                BATCHES.c.input_file == file, BATCHES.c.fed == 0, BATCHES.c.ended_us == 0
            )
            batch = connection.scalar(reads.limit(1))
            if batch is None:
                connection.execute(delete(FILES).where(FILES.c.id == file, whose(FILES, owner)))
            return str(batch or "")

    def known(self, names: Sequence[str]) -> set[str]:
        """Which of these have a row."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(FILES.c.id).where(FILES.c.id.in_(names))))

    def expired(self, place: str, wall: int, most: int) -> list[str]:
        """Forget some of those whose time is over and that no batch reads; which. Of other folders a day later."""
        mine = or_(FILES.c.place == place, FILES.c.expires_us <= wall - _GONE_US)
        over = select(FILES.c.id).where(mine, FILES.c.expires_us > 0, FILES.c.expires_us <= wall)
        read = select(BATCHES.c.input_file).where(BATCHES.c.fed == 0, BATCHES.c.ended_us == 0)
        with writing(self._engine) as connection:
            names = list(connection.scalars(over.where(FILES.c.id.not_in(read)).limit(most)))
            connection.execute(delete(FILES).where(FILES.c.id.in_(names)))
        return names


def add(connection: Connection, files: Sequence[StoredFile]) -> None:
    """They are on disk."""
    if files:
        rows = [{name: getattr(one, name) for name in _FIELDS} | columns_of(one.owner) for one in files]
        connection.execute(insert(FILES), rows)


def of_batch(connection: Connection, batch: str, purpose: str) -> StoredFile | None:
    """The file that a batch has for this purpose."""
    row = connection.execute(select(FILES).where(FILES.c.batch == batch, FILES.c.purpose == purpose)).first()
    return None if row is None else _file(row)


def _lasts(wall: int) -> Any:
    return or_(FILES.c.expires_us == 0, FILES.c.expires_us > wall)


def _file(row: Row[Any]) -> StoredFile:
    return StoredFile(owner=owner_of(row), **{name: getattr(row, name) for name in _FIELDS})
