"""`tidegate simulate regions`: regions that share a quota, in virtual time, with and without trouble."""

import os
import sys
from argparse import Namespace
from time import process_time
from typing import Final

import msgspec
from rich.console import Console

from tidegate.simulate.regions.plan import Plan
from tidegate.simulate.regions.run import Run
from tidegate.simulate.regions.table import render

NAME: Final = "regions"
_SEED: Final = 1
_LEAST_S: Final = 120.0  # less leaves no time for what is to break


def run(args: Namespace, console: Console) -> int:
    """Play both; 0, 1 (something went over, or a file cannot be written) or 2 (an argument does not fit)."""
    given = ("trace", "scheduler", "csv", "chart")
    if odd := [name for name in given if getattr(args, name) is not None]:
        sys.stderr.write(f"error: --{odd[0]} says nothing of regions: leave it out\n")
        return 2
    duration = args.duration or Plan().duration_s
    if duration < _LEAST_S:
        sys.stderr.write(f"error: --duration {duration:g}: regions need at least {_LEAST_S:g} s\n")
        return 2
    seed = _SEED if args.seed is None else args.seed
    found = []
    for name, troubled in (("all is well", False), ("everything fails", True)):
        began = process_time()
        found.append((name, Run(Plan(duration_s=duration, troubled=troubled), seed).play()))
        sys.stderr.write(
            f"{name}: {duration:g} s and {found[-1][1].arrived:,} calls in {process_time() - began:.1f} s\n"
        )
    console.print(render(found))
    if args.json is not None:
        try:
            args.json.write_bytes(msgspec.json.format(msgspec.json.encode(dict(found)), indent=1) + b"\n")
        except OSError as error:
            sys.stderr.write(f"error: {error.filename}: {os.strerror(error.errno or 0)}\n")
            return 1
    return int(any(figures.over_tokens or figures.used < figures.least for _, figures in found))
