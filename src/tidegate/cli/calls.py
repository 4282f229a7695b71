"""`tidegate calls …`: single calls, found, followed and shown stage by stage, and what they said where that is kept."""

import contextlib
import json
import sys
from argparse import ArgumentParser, Namespace

from tidegate.cli.call_filters import add_filters, asked
from tidegate.cli.call_ids import call_id
from tidegate.cli.call_tail import follow
from tidegate.cli.call_view import waterfall
from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, show

_COLUMNS = ("id", "at", "namespace", "user", "key", "plan", "provider", "served", "status", "attempts",
            "prompt_tokens", "completion_tokens", "cost", "cache", "why")  # fmt: skip
_BODY = ("id", "at", "namespace", "key", "status", "why", "complete", "redactions", "expires")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listed = verbs.add_parser("list", aliases=["search"], help="those that are looked for, the newest first")
    tail = verbs.add_parser("tail", help="calls as they end, until it is interrupted")
    one = verbs.add_parser("show", help="one call, stage by stage: what it waited for, who was asked, how it ended")
    body = verbs.add_parser("body", help="what a call said, where that is kept; that you read it is written down")
    listed.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset; default: a day ago")
    listed.add_argument("--until", metavar="MOMENT", help="the same; default: now")
    tail.add_argument("--once", action="store_true", help="the last calls only, and end")
    for verb in (listed, tail):
        verb.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many; default: %(default)s")
        add_filters(verb)
    for verb in (one, body):
        verb.add_argument("call", type=call_id, metavar="CALL", help="its id, or what `x-request-id` said: req_…")
    for verb in (listed, tail, one, body):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    verbs = {"list": _list, "search": _list, "tail": _tail, "show": _show, "body": _body}
    with contextlib.suppress(KeyboardInterrupt):
        return carry_out(args, verbs[args.verb])
    return 0


def _list(client: AdminClient, args: Namespace) -> None:
    found = client.call("GET", f"/calls{asked(args, since=args.since, until=args.until, limit=args.limit)}")
    show(args, _told(found)["calls"], _COLUMNS)


def _tail(client: AdminClient, args: Namespace) -> None:
    follow(client, args)


def _show(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", f"/calls/{args.call}"))
    if args.json:
        show(args, found, _COLUMNS)
        return
    for text in waterfall(found):
        print(text)


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
