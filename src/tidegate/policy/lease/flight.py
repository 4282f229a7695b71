"""The one exchange that is under way: what was said, and when it was said first."""

import msgspec

from tidegate.model.cluster import SUM, Dim, ExchangeRequest, RecoveryState
from tidegate.policy.lease.faces import Footing


class PendingExchange:
    """`ask` is what was sent and is not answered; `away`: nobody has told yet what became of it."""

    __slots__ = ("_first_at", "_held", "ask", "away", "built_at")

    def __init__(self) -> None:
        self.ask: ExchangeRequest | None = None
        self.away = False
        self.built_at = self._first_at = 0  # what the ages count from; when it was first sent
        self._held = False

    def start(self, ask: ExchangeRequest, now: int) -> None:
        """It is sent now."""
        self.ask = ask
        self.away = True
        self.built_at = self._first_at = now
        self._held = False

    def repeat(self, footing: Footing, not_after: int, now: int) -> ExchangeRequest | None:
        """The same once more. What it says of ages is brought up to date, and of the membership."""
        ask = self.ask
        if ask is not None:
            ask = self.ask = _older(ask, now - self.built_at, footing, not_after)
            self.built_at = now
            self._first_at = now if self._held else self._first_at
            self._held = False
            self.away = True
        return ask

    def hold(self, ask: ExchangeRequest) -> None:
        """It did nothing, and is to be sent again: that counts as the first time."""
        self.ask = ask
        self.away = False
        self._held = True

    def strip(self) -> None:
        """It is repeated to learn whether it was done; if it was not, it asks for nothing any more."""
        if self.ask is not None:
            dims = [msgspec.structs.replace(dim, target=0) for dim in self.ask.dims]
            self.ask = msgspec.structs.replace(self.ask, dims=dims, demands=[])
        self.away = False

    def land(self) -> tuple[ExchangeRequest | None, int]:
        """It is answered, or given up: what it was, and when it was first sent."""
        ask, self.ask = self.ask, None
        self.away = False
        return ask, self._first_at


def _older(ask: ExchangeRequest, by: int, footing: Footing, not_after: int) -> ExchangeRequest:
    return msgspec.structs.replace(
        ask,
        not_after=not_after,
        open_ppm=footing.open_ppm,
        state=footing.state,
        dims=[_dim(dim, by) for dim in ask.dims],
        restore=None
        if ask.restore is None
        else [_memory(*pair, by) for pair in zip(ask.restore, ask.dims, strict=True)],
    )


def _dim(dim: Dim, by: int) -> Dim:
    shown_age = dim.shown_age_us + by if dim.shown >= 0 else 0
    return msgspec.structs.replace(dim, corrections=aged(dim.corrections, by), shown_age_us=shown_age)


def _memory(memory: RecoveryState, dim: Dim, by: int) -> RecoveryState:
    given = memory.given if dim.kind == SUM else aged(memory.given, by)
    return msgspec.structs.replace(memory, slots=aged(memory.slots, by), own=aged(memory.own, by), given=given)


def aged(pairs: list[tuple[int, int]], by: int) -> list[tuple[int, int]]:
    """(age, units), so much later."""
    return [(age + by, units) for age, units in pairs]
