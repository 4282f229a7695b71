"""What lanes and pools there are, by what they are of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tidegate.line.keys import KeyRing
from tidegate.line.lane import Experience, Lane, Organisation
from tidegate.line.pool import Pool
from tidegate.model.snapshot import RateLimitPolicy, Scope
from tidegate.policy.queue.dispatcher import Rules
from tidegate.policy.queue.outlet import Outlet

Discipline = tuple[str, str, tuple[int, ...]]  # scheduler, pick and the lanes' weights
PoolKey = tuple[str, str, str]  # name, digest of the service, model


@dataclass(frozen=True, slots=True)
class Standing:
    """A pool and what it was made from, to see what a reload changes; `book` is the last that named it."""

    pool: Pool[Lane]
    lanes: tuple[Lane, ...]
    rules: Rules
    how: Discipline
    book: int


@dataclass(slots=True)
class Shelves:
    """*Credentials* are a service's digest and that of a scope's keys."""

    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)  # by credentials and model
    pools: dict[PoolKey, Standing] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)  # by credentials
    experiences: dict[tuple[str, str], Experience] = field(default_factory=dict)  # by service and model
    rings: dict[str, KeyRing] = field(default_factory=dict)  # by credentials
    bounds: dict[tuple[str, RateLimitPolicy], tuple[Pool[Outlet], int]] = field(default_factory=dict)  # and their book
    named: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)  # credentials: names, each one's book


def credentials_of(service_digest: str, scope: Scope) -> str:
    """Whoever has the same keys at the same service is the same."""
    return f"{service_digest}/{digest(*sorted(scope.keys))}"


def discipline(scheduler: str, pick: str, scopes: Sequence[Scope]) -> Discipline:
    """How a pool serves."""
    return scheduler, pick, tuple(scope.weight for scope in scopes)


def digest(*parts: str) -> str:
    """A short name for a URL or a credential that tells nothing of it."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
