"""`tidegate calls …`: single calls, their attempts, and what they said where that is kept."""

import contextlib
import json
import sys
from argparse import ArgumentParser, Namespace

from tidegate.cli.call_ids import call_id
from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, query, show

_COLUMNS = ("id", "at", "namespace", "user", "key", "plan", "provider", "served", "status", "attempts",
            "prompt_tokens", "completion_tokens", "cost", "cache")  # fmt: skip
_TRIES = (
    "number",
    "at",
    "provider",
    "scope",
    "model",
    "status",
    "reason",
    "prompt_tokens",
    "completion_tokens",
    "cost",
)
_BODY = ("id", "at", "namespace", "key", "status", "why", "complete", "redactions", "expires")
_FILTERS = ("namespace", "user", "key", "plan", "served", "provider", "tag")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listed = verbs.add_parser("list", help="the newest first")
    one = verbs.add_parser("show", help="one call with its attempts")
    body = verbs.add_parser("body", help="what a call said, where that is kept; that you read it is written down")
    listed.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset; default: a day ago")
    listed.add_argument("--until", metavar="MOMENT", help="the same; default: now")
    listed.add_argument("--errors", action="store_true", help="only those that failed")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="default: %(default)s")
    for name in _FILTERS:
        listed.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")
    for verb in (one, body):
        verb.add_argument("call", type=call_id, metavar="CALL", help="its id, or what `x-request-id` said: req_…")
    for verb in (listed, one, body):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, {"list": _list, "show": _show, "body": _body}[args.verb])


def _list(client: AdminClient, args: Namespace) -> None:
    filters = {name: getattr(args, name) for name in _FILTERS}
    errors = "true" if args.errors else None
    found = client.call(
        "GET", f"/calls{query(since=args.since, until=args.until, errors=errors, limit=args.limit, **filters)}"
    )
    show(args, _told(found)["calls"], _COLUMNS)


def _show(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", f"/calls/{args.call}"))
    show(args, found, _COLUMNS)
    if not args.json and found["tries"]:
        print()
        show(args, found["tries"], _TRIES)


def _body(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", f"/calls/{args.call}/body"))
    show(args, found, _BODY)
    if not args.json:
        for part in ("request", "answer"):
            print(f"\n{part} ({found[f'{part}_bytes']} bytes)")
            _write(str(found[part]))


def _write(text: str) -> None:
    """JSON with its members below each other; of anything else what a terminal does not act on."""
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    sys.stdout.write("".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text) + "\n")


def _told(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a call")
    return found
