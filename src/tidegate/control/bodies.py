"""The thread that takes kept bodies into the database: redacted before, and the raw files deleted behind it.

It has a thread of its own: to look through texts takes longer than to write records, which are not to wait for it.
Without anything to take it looks once a second whether there is. While the database is away files wait, but not long.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tidegate.control.declared import Declaration
from tidegate.control.leader import alone
from tidegate.control.priority import give_way
from tidegate.journal import parcels
from tidegate.journal.follow import identity
from tidegate.model.bodies import Sample
from tidegate.observe.log import Log
from tidegate.units import DAY_US

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tidegate.redaction.redactor import Redactor
    from tidegate.store.engine import Begin

_SOON: Final = 0.25  # seconds until the next look where bodies are kept
_IDLE: Final = 1.0
_LONGEST_WAIT: Final = 15.0
_TIDY: Final = 60.0
_RAW: Final = 3_600.0  # seconds for which a file that is not redacted waits for the database at most
_MOST: Final = 64  # samples in one transaction, and lists of rules that are remembered
_NAME: Final = 128
_JOURNAL: Final = "journal"
_WORKERS: Final = "workers"


class Bodies:
    """Runs until the process ends. `engine_of`: the database with this version's schema, None while it is away."""

    __slots__ = ("_declaration", "_engine_of", "_lead", "_log", "_now", "_redactors", "_state_dir", "_tidied",
                 "_trouble", "_wait", "_wall")  # fmt: skip

    def __init__(
        self,
        state_dir: Path,
        engine_of: "Callable[[], Engine | None]",
        declaration: Declaration,
        log: Log,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        lead: "Callable[[], Begin | None]" = alone,
    ) -> None:
        """`lead`: how what is done once for all nodes is begun, None = by another node."""
        self._lead = lead
        self._state_dir = state_dir
        self._engine_of = engine_of
        self._declaration = declaration
        self._log = log
        self._now = now
        self._wall = wall
        self._redactors: dict[tuple[str, ...], Redactor] = {}
        self._tidied = -_TIDY
        self._trouble = ""
        self._wait = _IDLE

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="bodies", daemon=True).start()

    def _run(self) -> None:
        give_way()
        while True:
            time.sleep(self.look())

    def look(self) -> float:
        """Take what there is; returns the seconds until the next look. Trouble is said once, and tried again."""
        try:
            kept = self._turn()
        except Exception as error:  # noqa: BLE001 - of a driver or a disk; nobody waits, and files are bounded
            trouble = type(error).__name__
            if trouble != self._trouble:
                self._log.error("bodies of calls cannot be stored; their files wait", problem=trouble)
            self._trouble, self._wait = trouble, min(self._wait * 2, _LONGEST_WAIT)
            return self._wait
        self._trouble, self._wait = "", _IDLE
        return _SOON if kept else _IDLE

    def _turn(self) -> bool:
        """True when bodies are kept here at all."""
        tidies = self._now() - self._tidied >= _TIDY
        if tidies:
            self._tidied = self._now()
            self._discard()
        engine = self._engine_of()
        if engine is None:
            return False
        kept = False
        for own in _places(self._state_dir):
            kept = True
            for path in parcels.parcels(own / parcels.DIRECTORY):
                self._take(engine, path, identity(own / _JOURNAL))
        if tidies:
            self._forget(engine)
        return kept

    def _take(self, engine: "Engine", path: Path, journal: str) -> None:
        """One parcel. It goes when all of it is stored; what is stored twice is stored once."""
        from sqlalchemy.exc import DataError, IntegrityError  # noqa: PLC0415 - the database's imports

        from tidegate.store import bodies  # noqa: PLC0415
        from tidegate.store.engine import writing  # noqa: PLC0415

        try:
            for rows in _in_parts(self._row(sample, journal) for sample in parcels.read(path)):
                with writing(engine) as connection:
                    bodies.write(connection, rows)
        except FileNotFoundError:
            return  # the worker has made room
        except (DataError, IntegrityError, ValueError, KeyError) as error:
            count = parcels.count_of(path)
            self._log.error(
                "bodies of calls cannot be stored, and are dropped", bodies=count, problem=type(error).__name__
            )
        path.unlink(missing_ok=True)

    def _row(self, sample: Sample, journal: str) -> dict[str, Any]:
        policy, redactor = sample.policy, self._redactor(sample.policy.redact)
        request = redactor.body(sample.request, sample.request_bytes, policy.max_bytes)
        answer = redactor.body(sample.answer, sample.answer_bytes, policy.max_bytes)
        return {
            "call_id": sample.call_id,
            "journal": journal,
            "at_us": sample.at_us,
            "expires_us": sample.at_us + policy.keep_days * DAY_US,
            "size": len(request.text.encode()) + len(answer.text.encode()),
            "namespace": sample.namespace[:_NAME],
            "key": sample.key[:_NAME],
            "status": sample.status,
            "why": sample.why,
            "complete": sample.complete,
            "request_bytes": sample.request_bytes,
            "answer_bytes": sample.answer_bytes,
            "redactions": request.times + answer.times,
            "request": request.text,
            "answer": answer.text,
        }

    def _redactor(self, redact: tuple[str, ...]) -> "Redactor":
        from tidegate.redaction.redactor import Redactor  # noqa: PLC0415 - where bodies are kept

        known = self._redactors.get(redact)
        if known is None:
            if len(self._redactors) >= _MOST:
                self._redactors.clear()
            known = self._redactors[redact] = Redactor(redact)
        return known

    def _discard(self) -> None:
        """What has waited too long is not kept: nothing that is not redacted stays on a disk for a day."""
        before = self._wall() - _RAW
        gone = sum(parcels.drop_stale(own / parcels.DIRECTORY, before) for own in _places(self._state_dir))
        if gone:
            self._log.error("bodies of calls waited too long for the database, and are dropped", bodies=gone)

    def _forget(self, engine: "Engine") -> None:
        from tidegate.store import bodies  # noqa: PLC0415 - the database's imports
        from tidegate.store.duties import Deposed  # noqa: PLC0415

        most = self._declaration.now.ledger.keep_bodies_bytes
        begin = self._lead()
        if begin is None:
            return
        with contextlib.suppress(Deposed):  # another node sees to it
            self._say_gone(bodies.forget(engine, round(self._wall() * 1_000_000), most, begin))

    def _say_gone(self, gone: int) -> None:
        if gone:
            self._log.info("old bodies of calls left the database", bodies=gone)


def _places(state_dir: Path) -> Iterator[Path]:
    """The directories of workers that have kept bodies."""
    if (state_dir / parcels.DIRECTORY).is_dir():
        yield state_dir
    for directory in sorted((state_dir / _WORKERS).glob(f"*/{parcels.DIRECTORY}")):
        yield directory.parent


def _in_parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) >= _MOST:
            yield part
            part = []
    if part:
        yield part
