"""`tidegate demo`: twin, gate and live traffic in one terminal. No key, no network."""

import asyncio
import json
import signal
import socket
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.live import Live

from tidegate.cli.demo_view import line, save_picture, snippets, table
from tidegate.clock import SystemClock
from tidegate.load.arrivals import Rush, poisson_rows
from tidegate.load.calls import CallSettings, plan_calls
from tidegate.load.children import Child, ChildError, child
from tidegate.load.client import FetchError, connected, fetch, read_ledger
from tidegate.load.driver import Driver, Target
from tidegate.load.ledger import Account
from tidegate.load.pulse import GateGauges, Gathering, Pulse, read_gauges
from tidegate.units import SECOND_US

MODEL = "gpt-4o"
RPM = 3_000
TPM = 150_000
_MEAN_CONTEXT = 700
_AT_QUOTA = TPM / 60 / _MEAN_CONTEXT  # calls a second that use the quota up
_RUSH = Rush(calm=0.3 * _AT_QUOTA, busy=5 * _AT_QUOTA, period_s=45, busy_s=6, opening_s=22)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, help="of the gate (default: 8080, or any free one when that is taken)")
    parser.add_argument("--admin-port", type=int, help="of the gate (default: 8081, or any free one)")
    parser.add_argument("--twin-port", type=int, default=0, help="of the provider (default: any free one)")
    parser.add_argument("--seconds", type=int, metavar="N", help="end after N seconds instead of Ctrl-C")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="at the end save a picture of the table")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of arrivals and texts; default: %(default)s")


def run(args: Namespace) -> int:
    """Run until Ctrl-C, SIGTERM or `--seconds`. 0, or 1 when a process did not start or ended by itself."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tidegate-demo-", ignore_cleanup_errors=True) as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_until_stopped(_demo(args, Path(folder))))
    except (ChildError, FetchError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


async def _until_stopped(demo: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or until a signal says that it is over."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(demo)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _demo(args: Namespace, folder: Path) -> None:
    clock = SystemClock()
    twin_words = ["twin", "--port", str(args.twin_port), "--rpm", str(RPM), "--tpm", str(TPM)]
    async with child("twin", twin_words, folder, clock, r"twin ready: .*\)\n") as twin:
        words = ["serve", "-c", str(_configure(folder, twin.urls[0])), "--state-dir", str(folder / "state")]
        words += ["--port", str(_port(args.port, 8080)), "--admin-port", str(_port(args.admin_port, 8081))]
        async with child("gate", words, folder, clock, r"tidegate ready: .*\)\n") as gate:
            with ExitStack() as stack:
                await _Show(args, clock, [twin, gate], stack).run()


def _configure(folder: Path, provider_url: str) -> Path:
    """The smallest useful gate file."""
    scope = {"name": "main", "keys": ["sk-demo"], "limits": {MODEL: {"rpm": RPM, "tpm": TPM}}}
    provider = {"dialect": "openai", "base_url": provider_url, "scopes": [scope]}
    path = folder / "tidegate.yaml"
    path.write_text(json.dumps({"providers": {"openai": provider}}), encoding="utf-8")
    return path


def _port(wanted: int | None, usual: int) -> int:
    """What was asked for; else the usual port, or 0 (any) when that is taken."""
    if wanted is not None:
        return wanted
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return 0
    return usual


class _Show:
    """Traffic through the gate, and its picture every second."""

    def __init__(self, args: Namespace, clock: SystemClock, children: list[Child], stack: ExitStack) -> None:
        twin, gate = children
        self._args = args
        self._clock = clock
        self._children = children
        self._gate, self._admin = (Target(url) for url in gate.urls[:2])
        self._twin = Target(twin.urls[0].removesuffix("/openai/v1"))
        self._provider, self._metrics, pool = (
            stack.enter_context(connected(target, clock)) for target in (self._twin, self._admin, self._gate)
        )
        self._gathering = Gathering()
        self._driver = Driver(pool, clock, self._gate, self._gathering.add)
        self._gauges = GateGauges(limit_tokens=TPM, limit_requests=RPM)

    async def run(self) -> None:
        """Until `--seconds` have passed, or for ever."""
        console = Console()
        console.print(snippets(self._gate.url), soft_wrap=True)
        rows = poisson_rows(_RUSH, self._args.seed, mean_context=_MEAN_CONTEXT)
        calls = plan_calls(rows, CallSettings(MODEL, seed=self._args.seed))
        traffic = asyncio.get_running_loop().create_task(self._driver.drive(calls))
        try:
            with Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live:
                await self._beat(live)
        finally:
            traffic.cancel()
            await asyncio.wait([traffic])

    async def _beat(self, live: Live | None) -> None:
        start = self._clock.now()
        pulse = Pulse()
        while self._args.seconds is None or pulse.second < self._args.seconds:
            await self._clock.sleep(start + (pulse.second + 1) * SECOND_US - self._clock.now())
            pulse = await self._pulse(self._clock.now() - start)
            if live is not None:
                live.update(table(pulse), refresh=True)
            else:
                print(line(pulse), flush=True)
        if self._args.svg is not None:
            save_picture(self._args.svg, self._gate.url, pulse)

    async def _pulse(self, now_us: int) -> Pulse:
        for process in self._children:
            process.check()
        ledger = await read_ledger(self._provider, self._twin, self._clock)
        with suppress(FetchError):  # the gate serves on while its control process starts again
            page = await fetch(self._metrics, self._admin, "/metrics", self._clock)
            gauges = read_gauges(page.decode(), MODEL)
            self._gauges = gauges if gauges.limit_tokens else self._gauges
        account = ledger.by_model.get(MODEL, Account())
        return self._gathering.pulse(now_us, self._driver.sent, self._driver.open, account, self._gauges)
