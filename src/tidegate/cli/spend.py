"""`tidegate spend`: what was used and what it cost, by any grouping; as a table, CSV or JSON."""

import sys
from argparse import ArgumentParser, Namespace

from tidegate.cli.manage import Client, add_connection, carry_out, query, show

_GROUPS = ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag", "hour", "day", "month")
_FILTERS = ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag")
_SUMS = ("calls", "errors", "attempts", "prompt_tokens", "completion_tokens", "cached_tokens", "cost")
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


def _work(client: Client, args: Namespace) -> None:
    if args.month:
        wanted = query(namespace=args.namespace, zone=args.zone)
        show(args, client.call("GET", f"/spend/month{wanted}"), _MONTH)
        return
    asked = {"since": args.since, "until": args.until, "zone": args.zone}
    if args.utilisation:
        asked |= {name: getattr(args, name) for name in ("namespace", "provider", "scope", "model")}
        show(args, client.call("GET", f"/spend/utilisation{query(**asked)}"), _LANES)
        return
    asked |= {name: getattr(args, name) for name in _FILTERS} | {"by": args.by}
    if args.csv:
        _, said = client.raw("GET", f"/spend{query(**asked, output='csv')}")
        sys.stdout.write(said.decode())
        return
    _report(args, client.call("GET", f"/spend{query(**asked)}"))


def _report(args: Namespace, found: object) -> None:
    if args.json or not isinstance(found, dict):
        show(args, found, ())
        return
    if args.by:
        show(args, found["lines"], (*args.by, *_SUMS))
        print()
    show(args, found["total"], _SUMS)
    print(f"in {found['currency']}")
