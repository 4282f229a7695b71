"""`tidegate top`: what a running gate is doing, as a table that renews itself; with `--once` or `--json` for others."""

import http.client
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict

from tidegate.cli.top_metrics import Reading, read
from tidegate.cli.top_state import State, state

_PATIENCE = 30.0  # seconds in which a gate that listens must answer


class Gone(Exception):
    """The gate does not answer: the message says where, and what to do."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--admin-port", type=int, default=8081, help="of the gate; default: %(default)s")
    parser.add_argument(
        "--interval", type=float, default=2.0, metavar="SECONDS", help="at least 1, default: %(default)s"
    )
    parser.add_argument("--once", action="store_true", help="look for one interval, print, and end")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")


def run(args: Namespace) -> int:
    """Show until Ctrl-C (0) or until the gate is gone (1); 2 for an interval that the gate's page cannot follow."""
    if not args.interval >= 1:
        sys.stderr.write(
            f"error: --interval {args.interval:g}: the gate renews its page once a second; take 1 or more\n"
        )
        return 2
    states = _states(args.admin_port, args.interval)
    try:
        if args.once:
            _print(next(states), as_json=args.json)
        elif args.json or not sys.stdout.isatty():
            for one in states:
                _print(one, as_json=args.json)
        else:
            _show(states)
    except KeyboardInterrupt:
        return 0
    except Gone as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _states(port: int, interval: float) -> Iterator[State]:
    """One for each interval. Raises `Gone`."""
    before = _reading(port)
    while True:
        time.sleep(interval)
        after = _reading(port)
        yield state(before, after)
        before = after


def _reading(port: int) -> Reading:
    """The gate's page as it is now. Raises `Gone`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/metrics")
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        raise Gone(
            f"no gate answers at http://127.0.0.1:{port}: start one with `tidegate serve`, or name its --admin-port"
        ) from None
    finally:
        connection.close()
    if reply.status != 200:
        raise Gone(f"http://127.0.0.1:{port}/metrics answers {reply.status}: is this the admin port of a gate?")
    return read(text, time.monotonic())


def _print(one: State, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    from rich.console import Console

    from tidegate.cli.top_view import page

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(page(one))
    sys.stdout.flush()


def _show(states: Iterator[State]) -> None:
    """Renew the table in place until something ends it; the last one stays."""
    from rich.console import Console
    from rich.live import Live

    from tidegate.cli.top_view import page

    with Live(console=Console(), auto_refresh=False, transient=False, vertical_overflow="crop") as live:
        for one in states:
            live.update(page(one), refresh=True)
