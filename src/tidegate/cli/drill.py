"""`tidegate drill …`: which fallbacks are proved, what their drills found, and have one run now."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from tidegate.cli.manage import AdminClient, Failed, Json, add_connection, carry_out, path, query, show

_STANDS = ("drill", "strategy", "target", "primary", "state", "score", "run", "until", "out", "why")
_RUNS = ("id", "at", "strategy", "target", "state", "score", "asked", "tokens", "cost", "cause", "why")
_ANSWERS = ("prompt", "fault", "streamed", "met", "problem", "call")
_FINDINGS = ("level", "strategy", "target", "drill", "prompt", "code", "text")
_SHADOWS = (
    "day", "strategy", "candidate", "calls", "answered", "failed", "unasked", "agreed", "similarity", "primary_ms",
    "candidate_ms", "primary_cost", "candidate_cost",
)  # fmt: skip
_POLL_SECONDS = 0.2
_UNWELL = frozenset({"failed", "expired"})


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listed = verbs.add_parser("list", help="every drill, and how each fallback stands by it")
    run_ = verbs.add_parser("run", help="have a drill run now, and wait for what it finds; 1: a fallback did not pass")
    run_.add_argument("drill", metavar="DRILL")
    run_.add_argument("--strategy", metavar="STRATEGY", help="of this strategy only")
    run_.add_argument("--no-wait", action="store_true", help="do not wait for its end")
    run_.add_argument("--timeout", type=float, default=3_600, metavar="SECONDS", help="default: %(default)s")
    shown = verbs.add_parser("show", help="what the runs of a drill found, the newest first")
    shown.add_argument("drill", metavar="DRILL")
    for name in ("strategy", "target"):
        shown.add_argument(f"--{name}", metavar=name.upper(), help=f"of this {name} only")
    shown.add_argument("--limit", type=int, default=20, metavar="N", help="default: %(default)s")
    shown.add_argument("--answers", action="store_true", help="the verdicts on each answer of the newest run")
    check = verbs.add_parser("check", help="what the configuration alone says of fallbacks; 1: something cannot work")
    shadows = verbs.add_parser("shadows", help="what candidates answered beside strategies, by day")
    shadows.add_argument("--days", type=int, default=30, metavar="N", help="default: %(default)s")
    for verb in (listed, run_, shown, check, shadows):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done or a fallback is not well, 2 for wrong usage."""
    verbs = {"list": _list, "run": _run, "show": _show, "check": _check, "shadows": _shadows}
    return carry_out(args, verbs[args.verb])


def _list(client: AdminClient, args: Namespace) -> None:
    found = _drills(client)
    show(args, found if args.json else list(_stands(found)), _STANDS)


def _stands(drills: list[Json]) -> Iterator[Json]:
    for drill in drills:
        targets = drill["targets"]
        for target in targets if isinstance(targets, list) else []:
            yield {"drill": drill["name"], **target}


def _run(client: AdminClient, args: Namespace) -> None:
    before = {str(one.get("id")) for one in _runs(client, args, 200)}
    client.call("POST", f"/drills{path(args.drill)}/run", {"strategy": args.strategy} if args.strategy else {})
    if args.no_wait:
        print(f"{args.drill} runs")
        return
    until = time.monotonic() + args.timeout
    while any(one["name"] == args.drill and (one["running"] or one["waiting"]) for one in _drills(client)):
        if time.monotonic() > until:
            raise Failed(f"{args.drill} still runs after {args.timeout:g} s: `tidegate drill show {args.drill}` later")
        time.sleep(_POLL_SECONDS)
    new = [one for one in _runs(client, args, 200) if str(one.get("id")) not in before]
    found = [one for one in new if one["cause"] == "demand"]
    show(args, found, _RUNS)
    bad = [one for one in found if one["state"] != "passed"]
    if bad or not found:
        names = ", ".join(f"{one['target']} of {one['strategy']} ({one['state']})" for one in bad)
        raise Failed(f"not passed: {names or 'nothing was asked'}")


def _runs(client: AdminClient, args: Namespace, limit: int) -> list[Json]:
    asked = query(strategy=args.strategy, target=getattr(args, "target", None), limit=limit)
    page = client.call("GET", f"/drills{path(args.drill)}/runs{asked}")
    runs = page.get("runs") if isinstance(page, dict) else None
    if not isinstance(runs, list):
        raise Failed("the gate answered something else than runs")
    return runs


def _show(client: AdminClient, args: Namespace) -> None:
    found = _runs(client, args, args.limit)
    if not args.answers:
        show(args, found, _RUNS)
        return
    if not found:
        raise Failed(f"{args.drill} has not run yet")
    answers = found[0]["answers"]
    show(args, [{**one, "met": _met(one)} for one in answers] if isinstance(answers, list) else [], _ANSWERS)


def _met(answer: Json) -> str:
    verdicts = answer["verdicts"]
    words = {True: "yes", False: "no", None: "not judged"}
    return ", ".join(f"{one['kind']}: {words[one['met']]}" for one in verdicts) if isinstance(verdicts, list) else ""


def _check(client: AdminClient, args: Namespace) -> None:
    found = client.call("GET", "/drills/check")
    findings = found if isinstance(found, list) else []
    if findings or args.json:
        show(args, findings, _FINDINGS)
    else:
        print("nothing is wrong with the fallbacks as far as the configuration tells")
    errors = sum(one["level"] == "error" for one in findings)
    if errors:
        raise Failed(f"{errors} of these cannot work")


def _shadows(client: AdminClient, args: Namespace) -> None:
    found = client.call("GET", f"/shadows{query(days=args.days)}")
    show(args, found if isinstance(found, list) else [], _SHADOWS)


def _drills(client: AdminClient) -> list[Json]:
    found = client.call("GET", "/drills")
    drills = found.get("drills") if isinstance(found, dict) else None
    if not isinstance(drills, list):
        raise Failed("the gate answered something else than drills")
    return drills
