"""`tidegate twin`: the quota twin on one port."""

import asyncio
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import get_args

from tidegate.twin.config import ConfigError, extended, limited, load, overridden, permille
from tidegate.twin.settings import CachedReads, Charge, Settings
from tidegate.twin.windows import SHAPES

CHARGES = get_args(Charge)
CACHED_READS = get_args(CachedReads)


def add_arguments(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("-c", "--config", type=Path, metavar="TWIN.yaml", help="organisations, limits, rules, timing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=9100, help="port to listen on, 0 for a free one (default: 9100)")
    parser.add_argument("--rpm", type=int, metavar="N", help="requests a minute of every model (default: 3000)")
    parser.add_argument("--tpm", type=int, metavar="N", help="tokens a minute of every model (default: 150000)")
    parser.add_argument(
        "--otpm", type=int, metavar="N", help="output tokens a minute where limited apart (default: TPM/5)"
    )
    parser.add_argument("--window", choices=SHAPES, help="shape of the limits (default: continuous)")
    parser.add_argument("--ttft-ms", type=float, metavar="MS", help="median time to the first token (default: 50)")
    parser.add_argument("--tpot-ms", type=float, metavar="MS", help="median time for each token (default: 2)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of times, lengths and faults (default: 0)")
    parser.add_argument("--ghost", type=ghost, metavar="30%", help="others use so much of every quota (default: 0%%)")
    parser.add_argument("--charge", choices=CHARGES, help="what a call costs at admission (default: max)")
    parser.add_argument("--cached-reads", choices=CACHED_READS, help="prompt caching (default: as the provider has it)")
    parser.add_argument("--hide-headers", action="store_true", help="no rate-limit headers; 429s name no time")
    parser.add_argument("--events", type=int, metavar="N", help="keep the last N admissions and refusals (default: 0)")
    parser.add_argument("--lean", action="store_true", help="one fixed answer to every chat, for load tests")


def ghost(text: str) -> int:
    """A percentage as thousandths. Raises `ArgumentTypeError`."""
    try:
        return permille(text)
    except ConfigError as error:
        raise ArgumentTypeError(str(error)) from None


def run(args: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 2 when a setting is wrong, 1 when the port cannot be had."""
    try:
        settings = _settings(args)
    except ConfigError as error:
        print(f"tidegate twin: {error}", file=sys.stderr)
        return 2
    import uvloop

    return uvloop.run(_serve(settings, args.host, args.port))


def _settings(args: Namespace) -> Settings:
    settings = overridden(
        load(args.config) if args.config is not None else Settings(),
        rpm=args.rpm,
        tpm=args.tpm,
        window=args.window,
        ttft_ms=args.ttft_ms,
        tpot_ms=args.tpot_ms,
        seed=args.seed,
        ghost=args.ghost,
    )
    return extended(
        limited(settings, otpm=args.otpm),
        charge=args.charge,
        cached_reads=args.cached_reads,
        hide_headers=args.hide_headers,
        events=args.events,
        lean=args.lean,
    )


async def _serve(settings: Settings, host: str, port: int) -> int:
    from tidegate.clock import SystemClock
    from tidegate.twin.app import Twin

    twin = Twin(settings, SystemClock())
    try:
        await twin.start(host, port)
    except (OSError, OverflowError) as error:
        print(f"tidegate twin: cannot listen on {host} port {port}: {error}", file=sys.stderr)
        return 1
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    print(f"twin ready: {twin.url} (ledger: {twin.origin}/twin/ledger)", flush=True)
    await stop.wait()
    twin.close()
    return 0
