"""`tidegate replay`: open-loop load from a trace, and a report."""

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tidegate.clock import SystemClock
from tidegate.load.calls import CallSettings, plan_calls
from tidegate.load.client import FetchError, allow_many_connections
from tidegate.load.driver import Target
from tidegate.load.ledger import FullReport
from tidegate.load.outcome import Ending
from tidegate.load.render import render
from tidegate.load.run import Counts, run_load
from tidegate.load.trace import TraceError, TraceRow, read_trace
from tidegate.units import SECOND_US

_WIDTH = 110


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("trace", type=Path, metavar="TRACE.csv", help="columns TIMESTAMP,ContextTokens,GeneratedTokens")
    parser.add_argument("--url", type=base_url, required=True, help="base URL with version, http://127.0.0.1:8080/v1")
    parser.add_argument("--speed", type=positive, default=1.0, metavar="N", help="play it N times as fast")
    parser.add_argument("--model", default="gpt-4o", help="model or strategy to ask for; default: %(default)s")
    parser.add_argument("--key", default="sk-replay", help="key to present; default: %(default)s")
    parser.add_argument("--limit-calls", type=count, metavar="N", help="only the first N calls")
    parser.add_argument("--duration", type=positive, metavar="S", help="send for S seconds, then wait for the answers")
    parser.add_argument("--stream-share", type=share, default=0.3, help="share of streamed calls; default: %(default)s")
    parser.add_argument("--deadline-ms", type=count, default=0, metavar="MS", help="ask the gate for this deadline")
    parser.add_argument("--ledger", type=base_url, metavar="URL", help="a twin, http://127.0.0.1:9100: show its ledger")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to FILE")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of texts and streaming; default: %(default)s")


def run(args: Namespace) -> int:
    """Play the trace and report.

    0: every call was answered or refused; 1: some were not, or a file or a ledger failed; 2: the trace cannot be used.
    """
    try:
        duration_us = int(args.duration * args.speed * SECOND_US) if args.duration else None
        rows = read_trace(args.trace, limit_calls=args.limit_calls, duration_us=duration_us)
    except TraceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    allow_many_connections()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_play(args, rows))
        _console().print(render(report))
        if args.json is not None:
            args.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    except (FetchError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 1 if report.replay.failed or report.replay.unanswered else 0


def _console() -> Console:
    """The terminal at its width; elsewhere wide enough for the report."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


async def _play(args: Namespace, rows: list[TraceRow]) -> FullReport:
    settings = CallSettings(args.model, args.speed, args.stream_share, args.seed)
    target = Target(args.url, args.key, args.deadline_ms)
    ledger_of = (args.ledger, args.model) if args.ledger else None
    with _Bar(len(rows)) as bar:
        return await run_load(plan_calls(rows, settings), target, SystemClock(), bar, ledger_of)


class _Bar:
    """A progress bar on standard error; nothing where that is no terminal."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, auto_refresh=False, disable=not console.is_terminal)
        self._sent = self._progress.add_task("sent", total=total)
        self._ended = self._progress.add_task("ended", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, sent: int, counts: Counts) -> None:
        """`run.Watcher`."""
        ended = ", ".join(f"{counts.of(ending):,} {ending.value}" for ending in Ending if counts.of(ending))
        self._progress.update(self._sent, completed=sent)
        self._progress.update(self._ended, completed=len(counts.results), description=ended or "ended")
        self._progress.refresh()


def positive(text: str) -> float:
    """A number above 0. Raises `ArgumentTypeError`."""
    return _checked(text, float, lambda value: 0 < value < float("inf"), "a number above 0")


def share(text: str) -> float:
    """A number from 0 to 1. Raises `ArgumentTypeError`."""
    return _checked(text, float, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def count(text: str) -> int:
    """An integer above 0. Raises `ArgumentTypeError`."""
    return int(_checked(text, int, lambda value: value > 0, "an integer above 0"))


def base_url(text: str) -> str:
    """An `http` or `https` URL with a host, without the slash at its end. Raises `ArgumentTypeError`."""
    try:
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return text.rstrip("/")
    except ValueError:
        pass
    raise ArgumentTypeError(f"{text!r} is no URL such as http://127.0.0.1:8080/v1")


def _checked(text: str, read: Callable[[str], float], holds: Callable[[float], bool], wanted: str) -> float:
    try:
        value = read(text)
    except ValueError:
        value = float("nan")
    if holds(value):
        return value
    raise ArgumentTypeError(f"{text!r} is not {wanted}")
