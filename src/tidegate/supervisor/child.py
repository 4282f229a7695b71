"""What every child of the supervisor does first, and what it says when it may end."""

import ctypes
import gc
import os
import signal
import sys
from argparse import ArgumentParser
from typing import NamedTuple, NoReturn

_PR_SET_PDEATHSIG = 1


class ChildArguments(NamedTuple):
    """How the supervisor starts a child: inherited descriptors and its place. -1 = none.

    `state_dir` is the gate's; `own_dir` holds what is this worker's alone: for the first one it is the same. `after` is
    that of the worker which this one succeeds, "" = it succeeds nobody.
    """

    channel: int
    listen: int
    state_dir: str
    worker: int
    own_dir: str
    after: str = ""


def parse_arguments(arguments: list[str] | None = None) -> ChildArguments:
    """`--channel FD --listen FD --state-dir DIR --worker N --own-dir DIR --after DIR`, as the command line says."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--listen", type=int, default=-1)
    parser.add_argument("--state-dir", default=".")
    parser.add_argument("--worker", type=int, default=-1)
    parser.add_argument("--own-dir", default="")
    parser.add_argument("--after", default="")
    parsed = parser.parse_args(arguments)
    own = parsed.own_dir or parsed.state_dir
    return ChildArguments(parsed.channel, parsed.listen, parsed.state_dir, parsed.worker, own, parsed.after)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere a no-op).

    A parent that died before this call is not noticed here: the end of the channel tells it, on every system. The
    terminal's Ctrl-C is the supervisor's to act on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def spare_the_collector() -> None:
    """What lives by now is not looked at again, and the rest rarely, for the cycles that libraries leave.

    Neither a call nor a batch of the ledger makes any; but by Python's own settings every few hundred records have some
    of what the process holds looked at, and thousands all of it. The little that is garbage by now stays, too.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def end_now(status: int = 0) -> NoReturn:
    """End this process at once: output flushed, nothing awaited, no handler run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
