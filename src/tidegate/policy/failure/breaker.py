"""The circuit breakers that concern one lane, as one: per class of error, each where the fault lies.

| class | whose it is |
|---|---|
| AUTH, BILLING | the scope's: every model of it is closed |
| OVERLOAD | the provider's for this model: every scope of it slows, none is blamed |
| RATE, RAMP, CAPACITY, TRANSIENT | the lane's own (scope and model) |

Where a profile's row says what is out (`classify.Verdict.scope`: the scope, the model in this scope, the provider for
this model, or nothing but the request), that goes before the class's own: a plan without one model costs no other.

Each is a `Health`: it opens again with one probe, whichever of the lanes that share it sends it. A call that is
answered speaks well of all three; a refusal for quota shows that the credential is good. One overload (or lack of
capacity, where it is the provider's) among many answers closes nothing: only one that names a time, or several on end.

A scope that is drained (`drain.py`) is closed for as long as that lasts, and to no probe either.

The usual case (all open) is one attribute. A change of a shared health costs O(lanes that share it).
"""

from collections.abc import Callable, Mapping

from tidegate.model.outcome import Reason
from tidegate.policy.failure.drain import DRAINED_US, Drain
from tidegate.policy.failure.health import Health, pause_us

PARKED_US = 60_000_000  # how long who has no money or credential is left alone between probes, at least
LONGEST_PARKED_US = 3_600_000_000  # at most, whatever is named: somebody may have paid since

Epochs = tuple[int, int, int]  # of scope, model and lane

_SCOPE, _MODEL, _LANE = 0, 1, 2
_WHOSE = {
    Reason.AUTH: _SCOPE,
    Reason.BILLING: _SCOPE,
    Reason.OVERLOAD: _MODEL,
    Reason.RATE: _LANE,
    Reason.RAMP: _LANE,
    Reason.CAPACITY: _LANE,
    Reason.TRANSIENT: _LANE,
}
_OUT = {"scope": _SCOPE, "provider": _MODEL, "model": _LANE}  # a key's refusal that counts here was the last key's
_PARKS = frozenset({Reason.AUTH, Reason.BILLING})
_QUOTA = frozenset({Reason.RATE, Reason.RAMP, Reason.CAPACITY})
_AT_ONCE = _QUOTA | _PARKS  # one refusal closes


class Breaker:
    """What must be open for a lane to serve: its own health, its scope's and its model's at the provider.

    `refused`: by the provider, lately. `limited`: by that, or since its scope is `drained`.
    """

    __slots__ = ("_drain", "_healths", "_listeners", "_spotless", "drained", "epochs", "limited", "refused")

    def __init__(
        self,
        scope: Health | None = None,
        model: Health | None = None,
        lane: Health | None = None,
        drain: Drain | None = None,
    ) -> None:
        """What is not shared need not be given. Who drops a breaker of shared ones calls `close`."""
        self._healths = (scope or Health(), model or Health(), lane or Health())
        self._drain = drain or Drain()
        self._listeners: dict[Callable[[], None], None] = {}
        self.limited = self.refused = self.drained = False
        self.epochs: Epochs = (0, 0, 0)  # what an attempt that begins now is of
        self._spotless = True
        for health in self._healths:
            health.watch(self)
        self._drain.watch(self)
        self.refresh()

    @property
    def healths(self) -> tuple[Health, Health, Health]:
        """The scope's, the model's and the lane's own."""
        return self._healths

    def close(self) -> None:
        """The lane is gone: hear no more of what it shared."""
        self._listeners = {}
        for health in self._healths:
            health.unwatch(self)
        self._drain.unwatch(self)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it when calls may pass or may not, whichever lane brought it about.

        Once, however many breakers it listens to; a failure that closes nothing is not told.
        """
        self._listeners[listener] = None

    def unlisten(self, listener: Callable[[], None]) -> None:
        """No more. Harmless when it does not listen."""
        self._listeners.pop(listener, None)

    def refresh(self) -> Mapping[Callable[[], None], None]:
        """One of the healths changed, or the scope is drained or not any more. Returns who listens."""
        scope, model, lane = self._healths
        self.refused = scope.limited or model.limited or lane.limited
        self.drained = self._drain.on
        self.limited = self.refused or self.drained
        self.epochs = (scope.epoch, model.epoch, lane.epoch)
        self._spotless = not (self.refused or scope.failures or model.failures or lane.failures)
        return self._listeners

    @property
    def failures(self) -> int:
        """How often on end the worst of them failed."""
        return max(health.failures for health in self._healths)

    @property
    def tripped(self) -> bool:
        """Refused on end, or drained: to be skipped by whoever can."""
        if self.drained:
            return True
        scope, model, lane = self._healths
        return not self._spotless and (scope.tripped or model.tripped or lane.tripped)

    def blocked(self) -> bool:
        """Only a probe's outcome can help now, or an operator; no time is known."""
        return self.drained or (self.refused and any(health.blocked() for health in self._healths))

    def wait(self, now: int) -> int:
        """Microseconds until a call may pass; 0 = now (as the probe, when limited)."""
        return DRAINED_US if self.drained else self.pause(now)

    def pause(self, now: int) -> int:
        """The same, as far as the provider is concerned."""
        if not self.refused:
            return 0
        scope, model, lane = self._healths
        return max(scope.wait(now), model.wait(now), lane.wait(now))

    def enter(self) -> int:
        """A call passes. Which breakers it probes, 0 for none: keep it for `fail` and `abandon`."""
        if not self.limited:
            return 0
        probe = 0
        for which, health in enumerate(self._healths):
            if health.enter():
                probe |= 1 << which
        return probe

    def succeed(self, epochs: Epochs) -> bool:
        """An attempt that began in `epochs` was answered. True when that opened the lane."""
        if self._spotless:
            return False
        closed = self.limited
        for health, epoch in zip(self._healths, epochs, strict=True):
            health.succeed(epoch)
        return closed and not self.limited

    def fail(
        self, reason: Reason, epochs: Epochs, probe: int, now: int, named_us: int | None = None, out: str = ""
    ) -> bool:
        """An attempt failed; `named_us` is the pause that the provider named. True when the lane has tripped by it.

        `out` is what is out by it, "" = as its class has it. What is nobody's fault here (the request's own) counts as
        an answer.
        """
        whose = _WHOSE.get(reason)
        if whose is None or out == "request":
            self.succeed(epochs)
            return False
        whose = _OUT.get(out, whose)
        before, health = self.tripped, self._healths[whose]
        pause = named_us or pause_us(max(1, health.failures + (epochs[whose] == health.epoch)))
        if reason in _PARKS:
            pause = min(max(pause, PARKED_US), LONGEST_PARKED_US)
        usual = whose == _MODEL or reason is Reason.OVERLOAD
        limit = named_us is not None if usual else reason in _AT_ONCE
        if reason in _QUOTA and whose != _SCOPE:
            self._healths[_SCOPE].succeed(epochs[_SCOPE])
            probe &= ~(1 << _SCOPE)
        self.abandon(probe & ~(1 << whose))
        health.fail(epochs[whose], now + pause, limit=limit)
        return self.tripped and not before

    def abandon(self, probe: int) -> None:
        """An attempt ended without a verdict (the client left): the next call may probe what it probed."""
        if probe:
            for which, health in enumerate(self._healths):
                health.abandon(probe=bool(probe & 1 << which))
