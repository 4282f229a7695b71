"""`tidegate serve`: run the gate. Says when it is ready; SIGHUP reloads, SIGUSR2 replaces workers, SIGTERM drains."""

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from tidegate.observe.log import Log
from tidegate.supervisor.failure import GateError
from tidegate.supervisor.options import Options
from tidegate.supervisor.supervisor import Supervisor

_CONCURRENCY = "WEB_CONCURRENCY"
_MOST = 64
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_ONLY_OURS = 0o077  # whatever stands in the state directory: nobody else reads it, or changes what was learnt


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-c", "--config", default="tidegate.yaml", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where calls are accepted; default: %(default)s")
    parser.add_argument("--port", type=int, default=8080, help="for calls, 0 = any; default: %(default)s")
    parser.add_argument("--admin-port", type=int, default=8081, help="metrics and health; default: %(default)s")
    parser.add_argument("--admin-host", default="127.0.0.1", help="where that port is; default: %(default)s")
    parser.add_argument(
        "--workers",
        metavar="N",
        help="processes that serve calls, auto = one for each core; default: WEB_CONCURRENCY, or 1",
    )
    parser.add_argument("--node", default="", help="this machine's name in a cluster; default: made from the host's")
    parser.add_argument("--state-dir", default="./.tidegate", metavar="DIR", help="default: %(default)s")


def run(args: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0, 1 when the gate cannot run here, 2 when the configuration is wrong."""
    try:
        workers = workers_asked_for(args.workers, os.environ)
        options = Options(args.config, args.host, args.port, args.admin_port, args.state_dir, workers, args.node)
        options = options._replace(admin_host=args.admin_host)
        if args.node and not _NODE.fullmatch(args.node):
            raise GateError(f"--node {args.node!r}: write letters, digits and . _ : @ -, at most 128", 2)
        os.umask(_ONLY_OURS)
        return Supervisor(options, Log("supervisor")).run()
    except GateError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status


def workers_asked_for(given: str | None, environment: Mapping[str, str]) -> int:
    """How many, by the option, else by what platforms set. Raises `GateError`."""
    name, value = ("--workers", given) if given is not None else (_CONCURRENCY, environment.get(_CONCURRENCY) or "1")
    if value == "auto":
        return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST)
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= _MOST:
        raise GateError(f"{name} {value}: write a number from 1 to {_MOST}, or auto for one for each core", 2)
    return int(value)
