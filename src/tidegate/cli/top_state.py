"""How a gate stands, as `top` shows it: records. Rates are a second, memory and lag are bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_ORDER: Final = ("node", "namespace", "plan", "provider", "scope", "pool", "model")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the gate. `limit` is in CPUs, 0 = none; `held` is the part of its periods in which it was held."""

    name: str
    namespace: str
    port: int
    ready: bool
    cpu_percent: float
    limit: float
    held_percent: float
    not_enforced: str  # why a limit is none
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of a scope for a model, whatever worker spends from it; a minute."""

    provider: str
    scope: str
    model: str
    unit: str  # tokens | requests
    used: float  # charged to it in the last minute
    held: float  # what the gate's mirror says is gone of it now, with what calls in flight reserve
    limit: float
    learnt: float  # the limit that refusals taught, 0 = none
    throttled: float  # 429s of the provider a second
    open: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits in a pool for a model, at one worker."""

    worker: str
    pool: str
    model: str
    waiting: dict[str, int]  # by tier
    oldest_seconds: float
    wait_ms: float  # mean of those that left it in the last minute; -1 = nobody did


@dataclass(frozen=True, slots=True)
class Tenant:
    """One limit or budget of a namespace, or of a model for it."""

    namespace: str
    model: str
    limit: str  # rpm | tpm | concurrent | tokens_day | money_day | money_month
    used: float
    reserved: float
    allowed: float


@dataclass(frozen=True, slots=True)
class Closed:
    """A lane that its breaker has closed, but for a probe."""

    provider: str
    scope: str
    model: str
    seconds: float  # -1 = not known


@dataclass(frozen=True, slots=True)
class DeadKeys:
    """Keys of a scope that its provider refuses."""

    provider: str
    scope: str
    count: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert that fires; or, where nobody tells those, a metric that is beyond its threshold."""

    severity: str
    rule: str
    what: str  # its labels
    value: float
    fires: bool
    lasts_s: float = -1.0  # -1 = not known
    taken_by: str = ""
    silenced: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Everything `top` shows."""

    ready: bool
    draining: bool
    version: int
    restarts: int
    calls: float
    tokens: float
    refused: float  # by the gate itself
    throttled: float  # 429s of providers
    failed: float  # 5xx, and calls that were lost
    ledger_up: bool | None
    ledger_lag_bytes: int
    ledger_alarm: bool
    processes: list[Process] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)  # the fullest first
    queues: list[Queue] = field(default_factory=list)  # the longest wait first
    tenants: list[Tenant] = field(default_factory=list)  # the fullest first
    closed: list[Closed] = field(default_factory=list)
    dead_keys: list[DeadKeys] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    alarms_from: str = ""  # why these are not the gate's alerts; "" = they are


def place(labels: Mapping[str, object]) -> str:
    """What labels name, the larger thing first."""
    known = [str(labels[name]) for name in _ORDER if labels.get(name)]
    return " ".join(known + [str(value) for name, value in labels.items() if name not in _ORDER and value])


def share(used: float, limit: float) -> float:
    """Used of the limit; 0 where there is none."""
    return used / limit if limit > 0 else 0.0
