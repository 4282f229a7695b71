"""`tidegate cache …`: what the cache answered and saved, what is purged, and what it had to do with a call."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from tidegate.cli.call_ids import call_id, shown
from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, query, show, table

_GROUPS = ("namespace", "user", "key", "strategy", "provider", "model", "layer", "hour", "day", "month")
_FILTERS = ("namespace", "user", "key", "strategy", "provider", "model")
_SUMS = ("hits", "misses", "bypassed", "hit_rate", "saved_prompt_tokens", "saved_completion_tokens", "saved",
         "charged_hits", "charged")  # fmt: skip
_STORES = ("layer", "worker", "up", "entries", "bytes", "gets", "hits", "errors", "timeouts", "writes", "evicted")
_SEMANTIC = ("embedder", "entries", "asked", "served", "shadowed", "explored", "right", "wrong", "checked_right",
             "checked_wrong")  # fmt: skip
_SELECTORS = {
    "tag": "answers of calls with this tag",
    "model": "answers of this model, with its provider or without",
    "strategy": "answers of this strategy, or of calls for this model",
    "key": "the answer under this key, which `explain` shows",
}
_VERDICTS = {"right": True, "wrong": False}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    stats = verbs.add_parser("stats", help="how often it answered, what that saved, and how its stores stand")
    purge = verbs.add_parser("purge", help="have answers that were stored until now served to nobody any more")
    explain = verbs.add_parser("explain", help="what it had to do with a call")
    feedback = verbs.add_parser("feedback", help="say whether an answer by meaning answered the question")
    _add_stats(stats)
    _add_purge(purge)
    for verb in (explain, feedback):
        verb.add_argument("call", type=call_id, metavar="CALL", help="its id, or what `x-request-id` said: req_…")
    feedback.add_argument("verdict", choices=tuple(_VERDICTS), help="did it?")
    for verb in (stats, purge, explain, feedback):
        add_connection(verb)


def _add_stats(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--by", action="append", choices=_GROUPS, metavar="GROUP", default=None,
        help=f"one of {', '.join(_GROUPS)}; may be given four times",
    )  # fmt: skip
    parser.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset; default: this month")
    parser.add_argument("--until", metavar="MOMENT", help="the same; default: now")
    parser.add_argument("--zone", metavar="ZONE", help="of days and months, for example Asia/Shanghai; default: UTC")
    for name in _FILTERS:
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")


def _add_purge(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--all", action="store_true", help="every answer")
    for name, text in _SELECTORS.items():
        what.add_argument(f"--{name}", metavar=name.upper(), help=text)
    what.add_argument("--call", type=call_id, metavar="CALL", help="the answer that this call got, or made")
    parser.add_argument("--namespace", metavar="NAMESPACE", help="of this namespace only; alone: all of it")


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, {"stats": _stats, "purge": _purge, "explain": _explain, "feedback": _feedback}[args.verb])


def _stats(client: AdminClient, args: Namespace) -> None:
    asked = {name: getattr(args, name) for name in ("by", "since", "until", "zone", *_FILTERS)}
    found = _told(client.call("GET", f"/cache/stats{query(**asked)}"))
    if args.json:
        show(args, found, ())
        return
    if args.by:
        show(args, found["lines"], (*args.by, *_SUMS))
        print()
    show(args, found["total"], _SUMS)
    print(f"in {found['currency']}")
    for part, columns in (("stores", _STORES), ("semantic", _SEMANTIC)):
        if found.get(part):
            print()
            show(args, found[part], columns)


def _purge(client: AdminClient, args: Namespace) -> None:
    body = _selected(args)
    found = _told(client.call("POST", "/cache/purge", body))
    if args.json:
        show(args, found, ())
        return
    what = " ".join(str(found[name]) for name in ("what", "value") if found[name])
    of = f" of {found['namespace']}" if found["namespace"] and found["what"] != "namespace" else ""
    print(f"purged: {what}{of}, as stored until {found['until']}")


def _selected(args: Namespace) -> dict[str, object]:
    """What is purged. Raises `Failed`."""
    given = {name: getattr(args, name) for name in (*_SELECTORS, "call") if getattr(args, name) is not None}
    bounded = {} if args.namespace is None else {"namespace": args.namespace}
    if args.all:
        return {"what": "all", **bounded}
    for what, value in given.items():
        return {"what": what, "value": str(value), **bounded}
    if args.namespace is None:
        raise Failed(f"name what is purged: --all, --namespace, --call or --{', --'.join(_SELECTORS)}", 2)
    return {"what": "namespace", "value": args.namespace}


def _explain(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", f"/calls/{args.call}/cache"))
    if args.json:
        show(args, found, ())
        return
    for line in _lines(found):
        print("".join(sign if sign.isprintable() else "?" for sign in line))
    served = found["served"]
    if isinstance(served, list) and served:
        print()
        rows = [[shown(one["id"]), one["at"], one["namespace"], one["layer"], str(one["similarity"])] for one in served]
        table(("served", "at", "namespace", "layer", "similarity"), rows)


def _lines(found: Mapping[str, object]) -> list[str]:
    who = "/".join(str(found[name]) for name in ("namespace", "user", "key") if found[name])
    lines = [f"{shown(found['id'])}  {found['at']}  {who}  {found['strategy']}"]
    if found["outcome"] == "hit":
        similarity = f", similarity {found['similarity']:.3f}" if found["layer"] == "semantic" else ""
        paid = ", which its namespace paid all the same" if found["charged"] else ""
        lines += [
            f"answered by the cache: {found['layer']}{similarity}",
            f"made by {found['model']} for {shown(found['source'])}, {found['age_seconds']} s before",
            f"saved {found['saved_prompt_tokens']} + {found['saved_completion_tokens']} tokens, {found['saved']}{paid}",
        ]
    else:
        lines.append(f"made: {found['model'] or 'nobody answered'}")
    if found["said"]:
        lines.append(f"the cache said: {found['said']}")
    if found["kept"]:
        lines.append(f"its answer: {found['kept']}" + (f" under {found['answer']}" if found["answer"] else ""))
    compared = found.get("compared")
    if isinstance(compared, dict):
        outcome = "served" if compared["served"] else compared["why"] or "not served"
        judged = f", judged {compared['judged']}" if compared["judged"] else ""
        lines.append(f"compared with {shown(compared['source'])}: {compared['similarity']:.3f}, {outcome}{judged}")
    if found["served_calls"]:
        lines.append(f"its answer served {found['served_calls']} calls")
    return lines


def _feedback(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("POST", f"/calls/{args.call}/feedback", {"right": _VERDICTS[args.verdict]}))
    if args.json:
        show(args, found, ())
    else:
        print(f"noted: the answer of {shown(found['id'])} was {args.verdict}")


def _told(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than JSON objects")
    return found
