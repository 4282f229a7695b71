"""What a runner of one's own fleet begins with: the gate's configuration, its state directory, and a backend."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tidegate.config.base_url import BadUrl
from tidegate.config.findings import ConfigError
from tidegate.config.load import load
from tidegate.config.queue_url import EMBEDDED as SQLITE
from tidegate.config.queue_url import check_queue
from tidegate.model.jobs import EMBEDDED
from tidegate.model.snapshot import Snapshot


class Unfit(Exception):
    """It cannot begin so; the message says which argument is wrong, and what would be right."""


class Fleet(msgspec.Struct, frozen=True):
    """All that it needs."""

    snapshot: Snapshot
    state_dir: Path
    backend: str


def fleet_of(config: str, state_dir: str, backend: str, environ: Mapping[str, str], names: Sequence[str]) -> Fleet:
    """`backend` "" is the configuration's own; `names`: what the three are called where they were given.

    Raises `Unfit`.
    """
    try:
        snapshot = load(config, environ).snapshot
    except ConfigError:
        raise Unfit(f"{names[0]} {config}: it cannot be used: `tidegate check {config}` says why") from None
    if not snapshot.jobs.enabled:
        raise Unfit(f"{names[0]} {config}: no work is patient by it: write `jobs: {{}}`, or a strategy that is `async`")
    if not Path(state_dir).is_dir():
        raise Unfit(f"{names[1]} {state_dir}: there is no such folder; name the one of the gate")
    try:
        chosen = check_queue(backend) if backend else snapshot.jobs.backend
    except BadUrl as error:
        raise Unfit(f"{names[2]}: {error.message}; {error.remedy}") from None
    return Fleet(snapshot, Path(state_dir), EMBEDDED if chosen.startswith(SQLITE) else chosen)


def with_places(fleet: Fleet, concurrency: int) -> Fleet:
    """The same, with so many calls in flight."""
    jobs = replace(fleet.snapshot.jobs, concurrency=concurrency)
    return replace(fleet, snapshot=replace(fleet.snapshot, jobs=jobs))
