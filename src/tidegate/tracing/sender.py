"""The thread that reads the journals and sends what it keeps of them, for which nobody waits.

A position of its own is kept in a file, so that a control process that is started again goes on where it was: each call
is sent at least once, and the receiver knows repeated spans by their ids. While the receiver is away the journals wait
on disk, as they do for the database; what they let go meanwhile is counted as missed. Memory is one piece of a journal.
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from tidegate.journal.follow import JournalReader, Piece, Position, identity, journals
from tidegate.model.facts import STALE, CallRecord, Hit, Hits
from tidegate.model.telemetry import TelemetrySettings
from tidegate.tracing.hit_spans import span_of
from tidegate.tracing.makers import Makers
from tidegate.tracing.meters import Meter, Seen, Totals
from tidegate.tracing.operations import Operations
from tidegate.tracing.sampling import keeps
from tidegate.tracing.spans import Span, spans_of, trace_of

if TYPE_CHECKING:
    from tidegate.tracing.otlp import Otlp

FILE: Final = "telemetry.json"  # in the state directory: how far each journal has been sent
_BATCH: Final = 512  # spans in a message
_IDLE_S: Final = 1.0
_LONGEST_S: Final = 60.0
_MICRO: Final = 1_000_000
_REMEDY: Final = "install tidegate[otel], or take telemetry.endpoint out of the configuration"


class Figures(NamedTuple):
    """What became of calls, since this process began; replaced as a whole."""

    spans_sent: int = 0
    calls_unsampled: int = 0
    segments_missed: int = 0
    failures: int = 0
    up: bool = False


class Declared(NamedTuple):
    """What is read of the configuration in force."""

    settings: TelemetrySettings
    makers: Makers


class Exporter(Protocol):
    """What is used of `otlp.Otlp`."""

    def spans(self, spans: Iterable[Span]) -> bool: ...
    def meters(self, meters: Iterable[Meter], begin_us: int, now_us: int) -> bool: ...
    def close(self) -> None: ...


class Teller(Protocol):
    """What is used of `observe.log.Log`."""

    def info(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...


def opened(settings: TelemetrySettings, instance: str) -> "Otlp":
    """The exporters of an endpoint. Raises `ImportError`: the extra is not installed."""
    from tidegate.tracing.otlp import Otlp  # noqa: PLC0415 - 0.3 s and 20 MB, for who wants it

    return Otlp(settings, instance)


class Sender:
    """Of one state directory. `start` it once."""

    __slots__ = (
        "_at",
        "_begin_us",
        "_declared",
        "_exporter",
        "_instance",
        "_log",
        "_metered_at",
        "_open",
        "_operations",
        "_said",
        "_seen",
        "_settings",
        "_show",
        "_state_dir",
        "_totals",
        "_wait",
        "_wall",
        "figures",
    )  # fmt: skip

    def __init__(
        self,
        state_dir: Path,
        declared: Callable[[], Declared],
        seen: Callable[[], list[Seen]],
        log: Teller,
        wall: Callable[[], int],
        instance: str,
        show: Callable[[Figures], None],
        open_exporter: Callable[[TelemetrySettings, str], Exporter] = opened,
    ) -> None:
        """`declared`: what is in force. `seen`: what workers said last. `wall`: microseconds since 1970.

        `show` is told the figures whenever they change, in this thread.
        """
        self._state_dir = state_dir
        self._declared = declared
        self._settings = TelemetrySettings()
        self._seen = seen
        self._log = log
        self._wall = wall
        self._instance = instance
        self._open = open_exporter
        self._exporter: Exporter | None = None
        self._at = _load(state_dir / FILE)
        self._totals = Totals()
        self._operations = Operations()
        self._begin_us = wall()
        self._metered_at = 0
        self._wait = _IDLE_S
        self._said = False
        self._show = show
        self.figures = Figures()

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="telemetry", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                good = self.turn(self._wall())
            except Exception as error:  # noqa: BLE001 - of a disk or a receiver; calls do not depend on it
                self._blame(type(error).__name__)
                good = False
            self._wait = _IDLE_S if good else min(self._wait * 2, _LONGEST_S)
            time.sleep(self._wait)

    def turn(self, wall: int) -> bool:
        """Send what is new; False when the receiver did not take it. Raises `OSError`."""
        now = self._declared()
        settings, makers = now
        if settings != self._settings:
            self._follow(settings)
        exporter = self._exporter
        if exporter is None:
            return True
        for directory, name in journals(self._state_dir):
            if not self._drain(exporter, directory, name, now):
                self._blame("it did not take spans")
                return False
        if settings.metrics and wall - self._metered_at >= settings.metrics_every_us:
            self._metered_at = wall
            meters = [*self._operations.meters(), *self._totals.meters(self._seen(), makers)]
            if not exporter.meters(meters, self._begin_us, wall):
                self._blame("it did not take metrics")
                return False
        self._praise()
        return True

    def _follow(self, settings: TelemetrySettings) -> None:
        """Another configuration is in force."""
        if self._exporter is not None:
            self._exporter.close()
        self._settings, self._exporter = settings, None
        if not settings.endpoint:
            return
        try:
            self._exporter = self._open(settings, self._instance)
        except ImportError:
            self._log.error("telemetry.endpoint is set, and OpenTelemetry is not installed", remedy=_REMEDY)

    def _drain(self, exporter: Exporter, directory: Path, name: str, now: Declared) -> bool:
        """All that is new in one journal. A journal that nobody has sent before begins with what comes from now on."""
        journal, reader = identity(directory), JournalReader(directory)
        key = f"{name}/{journal}"
        fresh = key not in self._at
        while True:
            at = self._at.get(key, Position())
            piece = reader.read(at)
            if not fresh and not self._send(exporter, piece, journal, now):
                return False
            if piece.position != at or fresh:
                self._at[key] = piece.position
                _save(self._state_dir / FILE, self._at)
            if not piece.more:
                return True

    def _send(self, exporter: Exporter, piece: Piece, journal: str, now: Declared) -> bool:
        settings, makers = now
        batch: list[Span] = []
        unsampled = 0
        records = [fact for fact in piece.facts if isinstance(fact, CallRecord)]
        hits = [hit for fact in piece.facts if isinstance(fact, Hits) for hit in fact.hits if hit.layer != STALE]
        facts: list[CallRecord | Hit] = [*records, *hits]
        for record in facts:
            if not keeps(record, trace_of(record, journal), settings):
                unsampled += 1
                continue
            batch += [span_of(record, journal)] if isinstance(record, Hit) else spans_of(record, journal, makers)
            if len(batch) >= _BATCH:
                if not exporter.spans(batch):
                    return False
                self._count(sent=len(batch))
                batch = []
        if batch and not exporter.spans(batch):
            return False
        self._count(sent=len(batch), unsampled=unsampled, missed=piece.missed)
        if settings.metrics:
            for record in records:  # once: a piece whose spans were not taken is read again
                self._operations.add(record, makers)
            for hit in hits:
                self._operations.add_hit(hit)
        return True

    def _count(self, sent: int = 0, unsampled: int = 0, missed: int = 0) -> None:
        had = self.figures
        self._change(
            had._replace(
                spans_sent=had.spans_sent + sent,
                calls_unsampled=had.calls_unsampled + unsampled,
                segments_missed=had.segments_missed + missed,
            )
        )

    def _change(self, figures: Figures) -> None:
        self.figures = figures
        self._show(figures)

    def _blame(self, problem: str) -> None:
        self._change(self.figures._replace(failures=self.figures.failures + 1, up=False))
        if not self._said:
            self._said = True
            self._log.error("telemetry is not taken; it is tried again", problem=problem)

    def _praise(self) -> None:
        self._change(self.figures._replace(up=True))
        if self._said:
            self._said = False
            self._log.info("telemetry is taken again")


def _load(path: Path) -> dict[str, Position]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Position])
    except (OSError, msgspec.DecodeError):
        return {}


def _save(path: Path, at: dict[str, Position]) -> None:
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_bytes(msgspec.json.encode(at))
    fresh.replace(path)
