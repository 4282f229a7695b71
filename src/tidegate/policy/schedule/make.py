"""The disciplines by their names in the configuration."""

from collections.abc import Callable, Mapping

from tidegate.policy.schedule.dynamic import Dynamic
from tidegate.policy.schedule.face import Scheduler
from tidegate.policy.schedule.fifo import Fifo
from tidegate.policy.schedule.round_robin import RoundRobin
from tidegate.policy.schedule.weighted import Weighted

DISCIPLINES: Mapping[str, Callable[[], Scheduler]] = {
    "dynamic": Dynamic,
    "weighted": Weighted,
    "round_robin": RoundRobin,
    "fifo": Fifo,
}


def make(discipline: str) -> Scheduler:
    """A new scheduler. Raises `ValueError` that names the known disciplines."""
    maker = DISCIPLINES.get(discipline)
    if maker is None:
        raise ValueError(f"scheduler: there is no {discipline!r}; choose one of {', '.join(DISCIPLINES)}")
    return maker()
