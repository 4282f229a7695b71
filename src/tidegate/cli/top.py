"""`tidegate top`: what a running gate is doing, live, on the whole terminal; with `--once` or `--json` for others."""

import http.client
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import reduce
from typing import TYPE_CHECKING

from tidegate.cli.manage import VARIABLE, Failed
from tidegate.cli.top_alerts import Alerts
from tidegate.cli.top_keys import keys
from tidegate.cli.top_look import state
from tidegate.cli.top_metrics import Reading, read
from tidegate.cli.top_state import State

if TYPE_CHECKING:
    from tidegate.cli.top_view import Look

_PATIENCE = 30.0  # seconds in which a gate that listens must answer


class Gone(Exception):
    """The gate does not answer: the message says where, and what to do."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--admin-port", type=int, default=8081, help="of the gate; default: %(default)s")
    parser.add_argument(
        "--interval", type=float, default=2.0, metavar="SECONDS", help="at least 1, default: %(default)s"
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help=f"a file with an admin token, for alerts; else ${VARIABLE}, or none"
    )
    parser.add_argument("--once", action="store_true", help="look for one interval, print, and end")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a view")


def run(args: Namespace) -> int:
    """Show until `q` or Ctrl-C (0) or until the gate is gone (1); 2 for wrong usage."""
    if not args.interval >= 1:
        sys.stderr.write(
            f"error: --interval {args.interval:g}: the gate renews its page once a second; take 1 or more\n"
        )
        return 2
    try:
        watch = Watch(args.admin_port, args.interval, Alerts(args))
        if args.once:
            _print(next(watch.states()), as_json=args.json)
        elif args.json or not sys.stdout.isatty():
            for one in watch.states():
                _print(one, as_json=args.json)
        else:
            _show(watch)
    except KeyboardInterrupt:
        return 0
    except (Gone, Failed) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status if isinstance(error, Failed) else 1
    return 0


class Watch:
    """Looks at one gate again and again; rates are those since the look before."""

    __slots__ = ("_alerts", "_before", "_port", "interval")

    def __init__(self, port: int, interval: float, alerts: Alerts) -> None:
        self._port = port
        self._alerts = alerts
        self._before: Reading | None = None
        self.interval = interval

    def look(self) -> State:
        """How it stands now; at the first look nothing has a rate yet. Raises `Gone`."""
        after = _reading(self._port)
        found = state(self._before or after, after)
        self._before = after
        return self._alerts.beside(found)

    def states(self) -> Iterator[State]:
        """One for each interval. Raises `Gone`."""
        self._before = _reading(self._port)
        while True:
            time.sleep(self.interval)
            yield self.look()


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
    console.print(page(one, console.width))
    sys.stdout.flush()


def _show(watch: Watch) -> None:
    """The whole terminal until somebody ends it; what was seen last stays."""
    from rich.console import Console
    from rich.live import Live

    from tidegate.cli.top_view import Look, Screen, page

    console, look, now = Console(), Look(), watch.look()
    due = time.monotonic() + 1.0  # the page is renewed once a second: so soon there is something to compare with
    try:
        with keys() as waits, Live(console=console, auto_refresh=False, screen=True) as live:
            while True:
                live.update(Screen(now, look), refresh=True)
                typed = waits.wait(due - time.monotonic())
                if "q" in typed.lower():
                    break
                look = reduce(pressed, typed, look)
                if time.monotonic() >= due:
                    due = time.monotonic() + watch.interval
                    now = now if look.paused else watch.look()
    finally:
        console.print(page(now, console.width, look.panel))


def pressed(look: "Look", key: str) -> "Look":
    """What somebody wants to see after this key; one that means nothing changes nothing."""
    from tidegate.cli.top_view import KEYS

    if key in {"p", "P", " "}:
        return replace(look, paused=not look.paused)
    return replace(look, panel=KEYS.get(key, look.panel))
