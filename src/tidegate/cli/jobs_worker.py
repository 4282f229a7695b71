"""`tidegate jobs worker`: a runner of one's own, beside those that the gate keeps or instead of them."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

CONFIG = "TIDEGATE_CONFIG"
STATE_DIR = "TIDEGATE_STATE_DIR"
BACKEND = "TIDEGATE_QUEUE_BACKEND"
_ARGUMENTS = ("--config", "--state-dir", "--backend")
_MOST = 10_000
_ONLY_OURS = 0o077


def add_verb(verbs: "_SubParsersAction[ArgumentParser]") -> None:
    """Declare the verb."""
    environ = os.environ
    worker = verbs.add_parser("worker", help="run jobs, in this process, until it is told to end")
    config = environ.get(CONFIG) or "tidegate.yaml"
    state_dir = environ.get(STATE_DIR) or "./.tidegate"
    worker.add_argument(
        "-c", "--config", default=config, metavar="FILE", help=f"default: ${CONFIG}, else tidegate.yaml"
    )
    worker.add_argument(
        "--state-dir", default=state_dir, metavar="DIR", help=f"of the gate; default: ${STATE_DIR}, else ./.tidegate"
    )
    worker.add_argument(
        "--backend",
        default=environ.get(BACKEND) or "",
        metavar="URL",
        help=f"whose jobs: sqlite://, redis://…, amqp://…; default: ${BACKEND}, else jobs.queue_backend of the file",
    )
    worker.add_argument("--concurrency", type=_count, metavar="N", help="calls in flight; default: jobs.concurrency")


def run(args: Namespace) -> int:
    """Run jobs until SIGTERM or SIGINT; 0, 1 when it cannot run here, 2 for wrong usage or configuration."""
    from tidegate.jobs.fleet import Unfit, fleet_of, with_places

    try:
        fleet = fleet_of(args.config, args.state_dir, args.backend, os.environ, _ARGUMENTS)
    except Unfit as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    import uvloop

    from tidegate.jobs.runner import CANNOT, run_alone
    from tidegate.model.jobs import shown
    from tidegate.observe.log import Log

    if args.concurrency is not None:
        fleet = with_places(fleet, args.concurrency)
    os.umask(_ONLY_OURS)
    log = Log("jobs-worker")
    log.info("jobs are run", backend=shown(fleet.backend), concurrency=fleet.snapshot.jobs.concurrency)
    try:
        uvloop.run(run_alone(fleet.snapshot, fleet.state_dir, log, fleet.backend))
    except CANNOT as error:
        text = str(getattr(error, "orig", None) or error).partition("\n")[0]
        sys.stderr.write(f"error: jobs cannot be run: {text}\n")
        return 1
    return 0


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if not 0 < count <= _MOST:
        raise ArgumentTypeError(f"{text!r}: write a number from 1 to {_MOST}")
    return count
