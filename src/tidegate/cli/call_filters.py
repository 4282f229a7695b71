"""Which calls: the filters of `calls list`, `calls search` and `calls tail`, as arguments and as the gate is asked."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Final

from tidegate.cli.manage import query

NAMES: Final = ("namespace", "user", "key", "plan", "model", "served", "provider", "scope", "account", "tag")
_FLAGS: Final = {
    "errors": "only those that failed",
    "fell-back": "only those that went to another target than the first",
    "degraded": "only those that were given less",
    "refused": "only those that the gate gave no answer of a model's",
}
_CACHE: Final = ("hit", "made", "exact", "semantic", "stale", "joined", "inputs")
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_LENGTH: Final = re.compile(r"([0-9]{1,9})(\.[0-9]{1,3})?(ms|s|m|h)", re.ASCII).fullmatch
_TRACE: Final = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?", re.ASCII).fullmatch


def add_filters(parser: ArgumentParser) -> None:
    """Declare them."""
    for name in NAMES:
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")
    for name, meaning in _FLAGS.items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    parser.add_argument("--status", metavar="STATUS", help="as 429, or 5xx")
    parser.add_argument("--slower-than", type=milliseconds, metavar="TIME", help="that took so long: 800ms, 10s, 2m")
    parser.add_argument(
        "--waited-longer-than", type=milliseconds, metavar="TIME", help="that waited so long in the gate"
    )
    parser.add_argument("--reason", metavar="TEXT", help="what befell it: rate, overload, over_quota …")
    parser.add_argument("--trace", type=trace, metavar="ID", help="its client's trace id, or traceparent")
    parser.add_argument("--request", metavar="ID", help="its client's own x-request-id")
    parser.add_argument("--cache", choices=_CACHE, help="hit: the cache answered, or this layer of it; made: not")


def asked(args: Namespace, **more: object) -> str:
    """The query of what was given."""
    names = {name: getattr(args, name) for name in NAMES}
    flags = [name.replace("-", "_") for name in _FLAGS]
    flagged = {name: "true" for name in flags if getattr(args, name)}
    rest = {name: getattr(args, name) for name in ("status", "reason", "trace", "request", "cache")}
    times = {"slower_ms": args.slower_than, "waited_ms": args.waited_longer_than}
    return query(**names, **flagged, **rest, **times, **more)


def milliseconds(text: str) -> int:
    """A length of time. Raises `ArgumentTypeError`."""
    found = _LENGTH(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no length of time: write 800ms, 1.5s, 2m or 1h")
    whole, part, unit = found.groups()
    return round(float(whole + (part or "")) * _UNITS[unit])


def trace(text: str) -> str:
    """A trace id, also as it stands in `traceparent`. Raises `ArgumentTypeError`."""
    found = _TRACE(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no trace id: 32 hexadecimal digits, or a whole traceparent")
    return str(found.group(1))
