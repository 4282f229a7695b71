"""`tidegate usage`: what is used of each quota over time, and when it will be exhausted."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import Final

from tidegate.cli.manage import AdminClient, Failed, Json, add_connection, carry_out, query, show
from tidegate.cli.spark import moments, pooled, span, spark

_STEPS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_ASKS: Final = ("by", "since", "until", "zone", "provider", "scope", "model")
_LANE: Final = ("provider", "scope", "model")
_COLUMNS: Final = (
    *_LANE, "use", "last", "peak", "tpm", "rpm", "tokens", "calls", "provider_429", "refused", "exhausted",
)  # fmt: skip
_OUTLOOK: Final = (*_LANE, "unit", "limit", "limit_source", "rate", "soon", "expected", "likely", "peak", "method")
_WIDTH: Final = 30  # of a sparkline


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--by", choices=tuple(_STEPS), default="minute", help="the step; default: %(default)s")
    before = "default: an hour, a day or 30 days before the end, by the step"
    parser.add_argument("--since", metavar="MOMENT", help=f"a day, or a moment with its offset; {before}")
    parser.add_argument("--until", metavar="MOMENT", help="the same; default: now")
    parser.add_argument("--zone", metavar="ZONE", help="of days, for example Asia/Shanghai; default: UTC")
    for name in _LANE:
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", action="store_true", help="print every step as CSV")
    what.add_argument("--outlook", action="store_true", help="when each quota will be exhausted, and how that is known")
    add_connection(parser)


def run(args: Namespace) -> int:
    """Print; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _work)


def _work(client: AdminClient, args: Namespace) -> None:
    asked = {name: getattr(args, name) for name in _ASKS}
    lane = {name: asked[name] for name in _LANE}
    if args.csv:
        if args.json:
            raise Failed("--json has no effect with --csv: leave one out", 2)
        _, said = client.raw("GET", f"/usage/series{query(**asked, output='csv')}")
        sys.stdout.write(said.decode())
        return
    if args.outlook:
        found = _listed(client.call("GET", f"/usage/outlook{query(**lane)}"))
        show(args, found if args.json else [_told(one) for one in found], _OUTLOOK)
        return
    series = client.call("GET", f"/usage/series{query(**asked)}")
    if args.json:
        show(args, series, ())
        return
    ahead = [] if args.until else _listed(client.call("GET", f"/usage/outlook{query(**lane)}"))
    rows = lanes(series, ahead)
    if not rows:
        print("nothing was used in that time")
        return
    show(args, rows, _COLUMNS)


def lanes(series: object, ahead: Sequence[Json]) -> list[Json]:
    """One row for each quota: a bar for each step, which is full where the quota was, and sums. Pure."""
    if not isinstance(series, dict):
        raise Failed("the gate answered something else than a series")
    first, last = moments(str(series["since"])), moments(str(series["until"]))
    step = _STEPS[str(series["by"])]
    count = max(1, -(-(last - first) // step))
    soonest = _soonest(ahead)
    found: dict[tuple[str, ...], list[Json]] = {}
    for point in series["points"]:
        found.setdefault(tuple(str(point[name]) for name in _LANE), []).append(point)
    rows = [_row(lane, points, first, step, count, soonest.get(lane, "")) for lane, points in found.items()]
    return sorted(rows, key=lambda row: (not row["provider"], -_number(row["order"])))


def _row(lane: tuple[str, ...], points: Sequence[Json], first: int, step: int, count: int, exhausted: str) -> Json:
    shares, tokens = [0.0] * count, [0.0] * count
    for point in points:
        at = min(count - 1, max(0, (moments(str(point["at"])) - first) // step))
        shares[at] = max(shares[at], _share(point))
        tokens[at] += _number(point["charged_tokens"]) or _number(point["calls"])
    known = any(shares)
    drawn = spark(pooled(shares, _WIDTH), 1.0) if known else spark(pooled(tokens, _WIDTH), max(tokens))
    newest = points[-1]
    return {
        **dict(zip(_LANE, lane, strict=True)),
        "use": drawn,
        "last": f"{100 * _share(newest):.0f}%" if known else "",
        "peak": f"{100 * max(shares):.0f}%" if known else "",
        "tpm": _count(newest.get("tpm")),
        "rpm": _count(newest.get("rpm")),
        "tokens": _sum(points, "charged_tokens"),
        "calls": _sum(points, "calls"),
        "provider_429": _sum(points, "throttled"),
        "refused": _sum(points, "refused"),
        "exhausted": exhausted,
        "order": max(shares) if known else 0.0,
    }


def _soonest(ahead: Sequence[Json]) -> dict[tuple[str, ...], str]:
    """When each quota will be exhausted, in words, by the unit that is sooner."""
    found: dict[tuple[str, ...], float] = {}
    for one in ahead:
        lane = tuple(str(one[name]) for name in _LANE)
        seconds = one.get("exhausted_in_seconds")
        if seconds is not None:
            found[lane] = min(_number(seconds), found.get(lane, float("inf")))
    return {lane: span(seconds) for lane, seconds in found.items()}


def _told(one: Mapping[str, object]) -> Json:
    """An outlook with its times in words."""
    spans = {name: one.get(f"{name}_in_seconds") for name in ("soon", "expected", "likely")}
    words = {name: "" if value is None else span(_number(value)) for name, value in spans.items()}
    return {**one, **words, "rate": _count(one["rate"]), "peak": _count(one["peak"]), "limit": _count(one["limit"])}


def _share(point: Mapping[str, object]) -> float:
    """Used of the quota, of the unit of which more is used."""
    return max(_number(point.get("used_of_tokens")), _number(point.get("used_of_requests")))


def _sum(points: Sequence[Json], name: str) -> str:
    return _count(sum(_number(point[name]) for point in points))


def _count(value: object) -> str:
    number = _number(value)
    return f"{number:,.0f}" if number else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _listed(found: object) -> list[Json]:
    if not isinstance(found, list):
        raise Failed("the gate answered something else than a list")
    return found
