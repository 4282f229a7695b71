"""`tidegate spend`: what was used and what it cost, by any grouping; as a table, CSV or JSON."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, query, show

_GROUPS = ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag", "hour", "day", "month")
_FILTERS = ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag")
_SUMS = ("calls", "errors", "attempts", "prompt_tokens", "completion_tokens", "cached_tokens", "cost",
         "cache_hits", "saved")  # fmt: skip
_ASKS = ("by", "since", "until", "zone", *_FILTERS)
_MONTH_ASKS = ("namespace", "zone")
_LANE_ASKS = ("since", "until", "zone", "namespace", "provider", "scope", "model")
_MONTH = ("month", "spent", "expected", "low", "high", "currency")
_LANES = ("provider", "scope", "model", "used_tokens", "reserved_tokens", "used_of_reserved", "used_of_quota")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--by", action="append", choices=_GROUPS, metavar="GROUP", default=None,
        help=f"one of {', '.join(_GROUPS)}; may be given four times",
    )  # fmt: skip
    parser.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset; default: this month")
    parser.add_argument("--until", metavar="MOMENT", help="the same; default: now")
    parser.add_argument("--zone", metavar="ZONE", help="of days and months, for example Asia/Shanghai; default: UTC")
    for name in _FILTERS:
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", action="store_true", help="print CSV")
    what.add_argument("--month", action="store_true", help="what this month will have cost at its end")
    what.add_argument("--utilisation", action="store_true", help="tokens used of those reserved, and of the quota")
    add_connection(parser)


def run(args: Namespace) -> int:
    """Print; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _work)


def _work(client: AdminClient, args: Namespace) -> None:
    if args.month:
        show(args, client.call("GET", f"/spend/month{query(**_asked(args, '--month', _MONTH_ASKS))}"), _MONTH)
        return
    if args.utilisation:
        wanted = query(**_asked(args, "--utilisation", _LANE_ASKS))
        show(args, client.call("GET", f"/spend/utilisation{wanted}"), _LANES)
        return
    asked = _asked(args, "", _ASKS)
    if args.csv:
        _, said = client.raw("GET", f"/spend{query(**asked, output='csv')}")
        sys.stdout.write(said.decode())
        return
    _report(args, client.call("GET", f"/spend{query(**asked)}"))


def _asked(args: Namespace, what: str, names: Sequence[str]) -> dict[str, object]:
    """What is asked for, by these names. Raises `Failed` for another, which would have no effect."""
    for name in _ASKS:
        if name not in names and getattr(args, name) is not None:
            raise Failed(f"--{name} has no effect with {what}: leave it out", 2)
    return {name: getattr(args, name) for name in names}


def _report(args: Namespace, found: object) -> None:
    if args.json or not isinstance(found, dict):
        show(args, found, ())
        return
    if args.by:
        show(args, found["lines"], (*args.by, *_SUMS))
        print()
    show(args, found["total"], _SUMS)
    print(f"in {found['currency']}")
