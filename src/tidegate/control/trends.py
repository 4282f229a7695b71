"""The limits in force go into the database when they change, by whoever leads; what is too old goes out of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from tidegate.control.board import WorkerView
from tidegate.model.belief import Belief
from tidegate.model.entitlements import LedgerSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tidegate.store.engine import Begin
    from tidegate.store.lane_limits import LaneLimit
    from tidegate.store.utilisation import QuotaKey

_EVERY: Final = 10.0
_MINUTE_S: Final = 60
_AGAIN_S: Final = 600  # another node may have led, and noted others
_HOUR_S: Final = 3_600
_DAY_MINUTES: Final = 1_440
_DAY_HOURS: Final = 24


def limits_in_force(views: Iterable[WorkerView]) -> "dict[QuotaKey, LaneLimit]":
    """What each lane is held to, tokens and requests a minute. O(lanes × workers).

    Where workers say different things the widest is taken: who has lost the shared state keeps to a part of it.
    """
    from tidegate.store.lane_limits import LaneLimit  # noqa: PLC0415 - the database's imports
    from tidegate.store.utilisation import QuotaKey  # noqa: PLC0415

    found: dict[QuotaKey, LaneLimit] = {}
    for view in views:
        for gauge in view.gauges:
            provider, _, rest = gauge.lane.partition("/")
            scope, _, model = rest.partition("/")
            lane = QuotaKey(provider, scope, model)
            tpm, rpm = _limit(gauge.tokens, gauge.limit_tokens), _limit(gauge.requests, gauge.limit_requests)
            known = found.get(lane, LaneLimit())
            source = gauge.tokens.source or gauge.requests.source
            found[lane] = LaneLimit(max(tpm, known.tpm), max(rpm, known.rpm), known.source or source)
    return found


def _limit(belief: Belief, shown: int) -> int:
    """A minute: as it is believed, which is told apart from windows of other lengths; else what the mirror has."""
    return belief.limit or max(0, shown)


class TrendKeeper:
    """Used by one thread, that of the ledger; one for each database."""

    __slots__ = ("_again", "_known", "_noted")

    def __init__(self) -> None:
        self._noted = -_EVERY
        self._known: dict[QuotaKey, LaneLimit] = {}  # as they were noted last, by this one
        self._again = 0

    def due(self, now: float) -> bool:
        """Is it time to note the limits? `now` is monotonic, in seconds."""
        if now - self._noted < _EVERY:
            return False
        self._noted = now
        return True

    def note(self, engine: "Engine", views: Iterable[WorkerView], wall: int, begin: "Begin") -> None:
        """The limits that changed. `wall` is in seconds since 1970. Raises `SQLAlchemyError`."""
        from tidegate.store.duties import Deposed  # noqa: PLC0415
        from tidegate.store.lane_limits import note  # noqa: PLC0415

        limits = limits_in_force(views)
        if not limits:
            self._noted = -_EVERY  # no worker has told anything yet
            return
        if limits == self._known and wall < self._again:
            return
        try:
            with begin(engine) as connection:
                note(connection, wall // _MINUTE_S, limits)
        except Deposed:
            return  # another node sees to it
        self._known, self._again = limits, wall + _AGAIN_S

    def tidy(self, engine: "Engine", settings: LedgerSettings, wall: int, begin: "Begin") -> int:
        """Let go of what is older than the settings say; how many rows went. Raises what `begin` raises."""
        from tidegate.store.trends import drop_before  # noqa: PLC0415

        minute = wall // _MINUTE_S - settings.keep_minutes_days * _DAY_MINUTES
        hour = wall // _HOUR_S - settings.keep_trends_days * _DAY_HOURS
        return drop_before(engine, minute, hour, begin)
