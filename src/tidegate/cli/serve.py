"""`tidegate serve`: run the gate. Prints one line with both URLs once it is ready; SIGHUP reloads, SIGTERM drains."""

import os
import sys
from argparse import ArgumentParser, Namespace

from tidegate.observe.log import Log
from tidegate.planes.failure import GateError
from tidegate.planes.supervisor import Options, Supervisor

_ONLY_OURS = 0o077  # whatever stands in the state directory: nobody else reads it, or changes what was learnt


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-c", "--config", default="tidegate.yaml", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where calls are accepted; default: %(default)s")
    parser.add_argument("--port", type=int, default=8080, help="for calls, 0 = any; default: %(default)s")
    parser.add_argument("--admin-port", type=int, default=8081, help="metrics and health; default: %(default)s")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--state-dir", default="./.tidegate", metavar="DIR", help="default: %(default)s")


def run(args: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0, 1 when the gate cannot run here, 2 when the configuration is wrong."""
    try:
        if args.workers != 1:
            raise GateError(f"--workers {args.workers}: this version serves with exactly 1 worker", 2)
        options = Options(args.config, args.host, args.port, args.admin_port, args.state_dir)
        os.umask(_ONLY_OURS)
        return Supervisor(options, Log("supervisor")).run()
    except GateError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status
