"""`python -m tidegate.dryrun FILE NEW CURRENT ARRIVALS`: a dry run for the control process, beside the calls.

FILE is the configuration file, whose folder counts for both texts; ARRIVALS is as `tidegate policy export` writes it.
Lines of JSON on standard output: `{"percent": N}`, at last `{"report": …}` or `{"failed": …}`. It ends with its parent.
"""

import gc
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tidegate.config.findings import ConfigError
from tidegate.config.load import Sharing, load
from tidegate.dryrun.run import dry_run, plays_within
from tidegate.dryrun.spool import Spool
from tidegate.model.arrivals import Arrival, ArrivalsFile
from tidegate.model.directory import Change
from tidegate.model.snapshot import Snapshot
from tidegate.supervisor.child import die_with_parent

_NICE = 15
_LINE = 1_048_576
_BUDGET = 60_000  # calls played of each policy, beyond the first time: half a minute


class Counted:
    """Arrivals that tell how many of them were played."""

    def __init__(self, spool: Spool, plays: int) -> None:
        self._spool = spool
        self._readings = 1 + 2 * plays  # to learn of them, and by either policy
        self._done = self._told = 0

    def __iter__(self) -> Iterator[Arrival]:
        """Once more."""
        for arrival in self._spool:
            yield arrival
            self._done += 1
            percent = min(99, self._done * 100 // (self._spool.count * self._readings))
            if percent > self._told:
                self._told = percent
                _say({"percent": percent})


def main() -> int:
    """0, or 1 when it could not be run."""
    die_with_parent()
    os.nice(_NICE)
    parser = ArgumentParser(prog="python -m tidegate.dryrun")
    for name in ("file", "new", "current", "arrivals"):
        parser.add_argument(name)
    parser.add_argument("--calls", type=int, default=0)
    args = parser.parse_args()
    try:
        new, current = (_snapshot(args.file, path) for path in (args.new, args.current))
    except ConfigError as error:
        _say({"failed": "; ".join(finding.sentence() for finding in error.findings[:5])})
        return 1
    with Spool() as spool, Path(args.arrivals).open("rb") as file:
        managed: list[Change] = []
        spool.fill(_arrivals(file, managed))
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        plays = plays_within(_BUDGET, spool.count)
        report = dry_run(Counted(spool, plays), new, against=current, managed=managed, plays=plays)
    _say({"report": json.loads(msgspec.json.encode(report))})
    return 0


def _snapshot(file: str, text: str) -> Snapshot:
    return load(file, os.environ, sharing=Sharing(text=Path(text).read_bytes())).snapshot


def _arrivals(file: BinaryIO, managed: list[Change]) -> Iterator[Arrival]:
    head = msgspec.json.decode(file.readline(_LINE), type=ArrivalsFile)
    managed += [msgspec.json.decode(file.readline(_LINE), type=Change) for _ in range(head.callers)]
    decoder = msgspec.json.Decoder(Arrival)
    while line := file.readline(_LINE):
        yield decoder.decode(line)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
