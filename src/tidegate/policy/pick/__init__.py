"""Which outlet of a pool serves a call: strategies of one face."""

from collections.abc import Callable

from tidegate.policy.pick.affinity import Affinity
from tidegate.policy.pick.face import Strategy
from tidegate.policy.pick.headroom import Headroom
from tidegate.policy.pick.least_loaded import LeastLoaded
from tidegate.policy.pick.weighted import Weighted

LEAST_LOADED = "least_loaded"
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    LEAST_LOADED: LeastLoaded,
    "weighted": Weighted,
    "headroom": Headroom,
    "affinity": Affinity,
}


def make(name: str) -> Strategy:
    """The strategy of that name. Raises `ValueError` for one that does not exist."""
    if name not in STRATEGIES:
        raise ValueError(f"pick: {name!r} is unknown; use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name]()
