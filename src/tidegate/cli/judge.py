"""`tidegate judge`: the quota twin as a referee that scores any gateway."""

import asyncio
import contextlib
import json
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from tidegate.cli.judge_session import machine, moment, opened, versions
from tidegate.judge.arena import Options
from tidegate.judge.client import BadHeaders, Headers
from tidegate.judge.course import DISCIPLINES, NAMES, Choice, NotReached, arena_of, judged, provider_of
from tidegate.judge.page import page
from tidegate.judge.recipes.table import RECIPES
from tidegate.judge.report import Session, lines, tree
from tidegate.judge.setup import KEYS, REVOCABLE, Setup
from tidegate.load.children import ChildError
from tidegate.twin.windows import SHAPES


def add_arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    about = parser.add_argument_group("what is judged")
    about.add_argument("--gate", action="append", default=[], metavar="URL", help="base URL, with /v1; of each replica")
    about.add_argument("--recipe", choices=RECIPES, help="start this gateway and judge it")
    about.add_argument("--replicas", type=positive, default=1, metavar="N", help="of a recipe; default: 1")
    about.add_argument("--workers", type=positive, default=1, metavar="N", help="of a recipe, in each replica")
    about.add_argument("--program", default="", metavar="PATH", help="of a recipe: where it is installed")
    about.add_argument("--name", default="", help="what the gateway is called in the report")
    about.add_argument("--dialect", choices=("openai", "anthropic"), default="openai", help="that it is asked in")
    about.add_argument(
        "--key", action="append", default=[], metavar="KEY",
        help=f"that it takes, one for each of two tenants; default: {' '.join(KEYS)}",
    )  # fmt: skip
    about.add_argument("--headers", type=Path, metavar="FILE", help="JSON: headers by a pattern of the model's name")
    offered = parser.add_argument_group("what it offers beside answers")
    offered.add_argument("--usage", action="append", default=[], metavar="URL", help="Prometheus page of its own books")
    offered.add_argument(
        "--usage-metric", action="append", default=[], metavar="NAME{…}", help="of that page, tokens; several are added"
    )
    offered.add_argument("--revoke-command", default="", metavar="COMMAND", help="a shell command that revokes the key")
    offered.add_argument("--revoke-key", default=REVOCABLE, metavar="KEY", help=f"default: {REVOCABLE}")
    offered.add_argument("--restart-command", default="", metavar="COMMAND", help="a shell command that restarts it")
    how = parser.add_argument_group("how")
    how.add_argument("--twin-port", type=int, default=9100, metavar="PORT", help="of the provider; default: 9100")
    how.add_argument("--window", choices=SHAPES, default="continuous", help="how its limits come back")
    how.add_argument("--only", type=names, default=(), metavar="NAMES", help="these disciplines: a,b")
    how.add_argument("--without", type=names, default=(), metavar="NAMES", help="these do not apply to it")
    how.add_argument("--quick", action="store_true", help="shorter: a look, no verdict to publish")
    how.add_argument("--apart", action="store_true", help="never two disciplines at the same time")
    how.add_argument("--seed", type=int, default=1, metavar="N", help="of arrivals and of the provider; default: 1")
    told = parser.add_argument_group("what is told")
    told.add_argument("--list", action="store_true", help="the disciplines, and what each needs")
    told.add_argument("--print-setup", nargs="?", const="text", choices=("text", "json"), help="what to configure")
    told.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    told.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
    told.add_argument("--least", type=float, default=0.0, metavar="N", help="end with 1 where a discipline has less")


def positive(text: str) -> int:
    """A number from 1. Raises `ArgumentTypeError`."""
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to 64")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Disciplines by name. Raises `ArgumentTypeError`."""
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if unknown := [name for name in found if name not in NAMES]:
        raise ArgumentTypeError(f"there is no discipline {unknown[0]!r}: one of {', '.join(NAMES)}")
    return found


def run(args: Namespace) -> int:
    """0; 1 where a discipline has less than `--least`, or a gateway cannot be judged; 2 for a bad command line."""
    setup = Setup(f"http://127.0.0.1:{args.twin_port}", args.dialect, args.window)
    if args.list:
        for one in DISCIPLINES:
            print(f"{one.name:<12} {one.what}\n{'':<12} needs: {one.needs}")
        return 0
    if args.print_setup:
        text = json.dumps(setup.told(), indent=1) if args.print_setup == "json" else "\n".join(setup.lines())
        print(text)
        return 0
    if bool(args.gate) == bool(args.recipe):
        return _wrong("name a gateway by --gate URL (of each replica), or start one by --recipe NAME")
    if len(args.key) > 2:
        return _wrong("--key: there are two tenants; give one key or two")
    try:
        headers = Headers.read(args.headers.read_bytes()) if args.headers else Headers()
    except (OSError, BadHeaders) as error:
        return _wrong(f"--headers: {error}")
    return _judge(args, setup, headers)


def _wrong(text: str) -> int:
    print(f"tidegate judge: {text}", file=sys.stderr)
    return 2


def _judge(args: Namespace, setup: Setup, headers: Headers) -> int:
    import uvloop

    options = Options(
        gates=tuple(url.rstrip("/") for url in args.gate),
        keys=tuple(args.key) or KEYS,
        revocable=args.revoke_key,
        headers=headers,
        quick=args.quick,
        seed=args.seed,
        usage_urls=tuple(args.usage),
        usage_metrics=tuple(args.usage_metric),
        revoke_command=args.revoke_command,
        restart_command=args.restart_command,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="tidegate-judge-") as folder:
            report = uvloop.run(_session(args, setup, options, Path(folder)))
        print("\n".join(lines(report)))
        if args.json:
            args.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if args.html:
            args.html.write_text(page(report), encoding="utf-8")
    except (ChildError, NotReached, OSError) as error:
        print(f"tidegate judge: {error}", file=sys.stderr)
        return 1
    low = [one["name"] for one in report["disciplines"] if one["score"] is not None and one["score"] < args.least]
    if low:
        print(f"tidegate judge: below {args.least:g}: {', '.join(low)}", file=sys.stderr)
    return 1 if low else 0


async def _session(args: Namespace, setup: Setup, options: Options, folder: Path) -> dict[str, Any]:
    from tidegate.clock import SystemClock
    from tidegate.load.client import allow_many_connections

    allow_many_connections()
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        setup = await stack.enter_async_context(provider_of(setup, folder, args.seed, clock))
        gateway, options = await stack.enter_async_context(opened(args, setup, options, folder, clock))
        with arena_of(setup, options, clock) as arena:
            choice = Choice(args.only, args.without, args.apart)
            verdicts = await judged(arena, choice, lambda text: print(text, file=sys.stderr, flush=True))
            session = Session(
                gateway=args.name or gateway.name,
                settings=gateway.settings,
                when=moment(),
                command=" ".join(["tidegate", *sys.argv[1:]]),
                machine=machine(),
                versions=versions(),
                seed=args.seed,
                quick=args.quick,
                replicas=len(options.gates),
                window=args.window,
                dialect=args.dialect,
                late_us=arena.late_us,
            )
    await asyncio.sleep(0)
    return tree(session, verdicts, DISCIPLINES)
