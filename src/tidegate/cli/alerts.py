"""`tidegate alerts …`: what is on, what became of it, who was told; take it, silence it, test a channel."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable

from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, path, query, show

_UNITS = {"m": 1, "h": 60, "d": 1_440}
_ALERTS = ("id", "severity", "stage", "rule", "labels", "value", "threshold", "unit", "since", "taken_by", "silenced")
_EVENTS = ("at", "change", "severity", "rule", "labels", "value", "threshold", "by", "alert")
_NOTICES = ("at", "channel", "state", "severity", "alerts", "rules", "stage", "tries", "done", "repeated", "problem")
_RULES = ("name", "metric", "warning", "critical", "unit", "below", "match", "for_seconds", "clear_percent",
          "clear_seconds", "enabled")  # fmt: skip
_CHANNELS = ("name", "kind", "language", "sent", "failed", "retried", "repeated", "waiting")
_SILENCES = ("id", "match", "until", "why", "by", "declared")
_HELP = {
    "list": "what is on now, the worst first",
    "show": "one alert, and what became of it",
    "history": "what became of alerts, the newest first",
    "notices": "messages, and what became of them",
    "ack": "take an alert: it is not repeated, and goes no further",
    "silence": "have matching alerts not told for a while",
    "unsilence": "end a silence",
    "silences": "what is not told, and until when",
    "rules": "all rules, the built-in ones too",
    "channels": "who can be told",
    "test": "tell a channel that this is a test, and say what became of it",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, text in _HELP.items():
        verb = verbs.add_parser(name, help=text)
        _add(name, verb)
        add_connection(verb)


def _add(name: str, verb: ArgumentParser) -> None:
    if name in {"show", "ack"}:
        verb.add_argument("alert", metavar="ALERT", help="its id, as `list` shows it")
    elif name == "list":
        verb.add_argument("--pending", action="store_true", help="also what is beyond a threshold not yet for long")
        verb.add_argument("--severity", choices=("warning", "critical"), help="of this severity only")
        verb.add_argument("--rule", metavar="RULE", help="of this rule only")
    elif name == "history":
        verb.add_argument("--rule", metavar="RULE", help="of this rule only")
        verb.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset")
        verb.add_argument("--until", metavar="MOMENT", help="the same")
        verb.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many; default: 100")
    elif name == "notices":
        verb.add_argument("--channel", metavar="CHANNEL", help="of this channel only")
        verb.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many; default: 100")
    elif name == "silence":
        verb.add_argument("match", nargs="+", type=_label, metavar="LABEL=VALUE", help="all of them; `rule` is one too")
        verb.add_argument("--for", dest="minutes", type=_minutes, required=True, metavar="TIME", help="30m, 8h or 2d")
        verb.add_argument("--why", default="", metavar="TEXT", help="for others")
    elif name == "unsilence":
        verb.add_argument("silence", metavar="SILENCE", help="its id, as `silences` shows it")
    elif name == "test":
        verb.add_argument("channel", metavar="CHANNEL", help="its name in the configuration")


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    verbs: dict[str, Callable[[AdminClient, Namespace], None]] = {
        "list": _list,
        "show": _show,
        "history": _history,
        "notices": _notices,
        "ack": _ack,
        "silence": _silence,
        "unsilence": _unsilence,
        "silences": lambda client, asked: show(asked, client.call("GET", "/alerts/silences"), _SILENCES),
        "rules": lambda client, asked: show(asked, client.call("GET", "/alerts/rules"), _RULES),
        "channels": lambda client, asked: show(asked, client.call("GET", "/alerts/channels"), _CHANNELS),
        "test": _test,
    }
    return carry_out(args, verbs[args.verb])


def _list(client: AdminClient, args: Namespace) -> None:
    pending = "true" if args.pending else None
    asked = query(pending=pending, severity=args.severity, rule=args.rule)
    found = client.call("GET", f"/alerts{asked}")
    if not found and not args.json:
        print("nothing is on")
        return
    show(args, found, _ALERTS)


def _show(client: AdminClient, args: Namespace) -> None:
    found = client.call("GET", f"/alerts{path(args.alert)}")
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a JSON object")
    if args.json:
        show(args, found, ())
        return
    if found.get("alert"):
        show(args, found["alert"], _ALERTS)
        print()
    show(args, found["events"], _EVENTS)


def _history(client: AdminClient, args: Namespace) -> None:
    asked = query(rule=args.rule, since=args.since, until=args.until, limit=args.limit)
    show(args, client.call("GET", f"/alerts/history{asked}"), _EVENTS)


def _notices(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("GET", f"/alerts/notices{query(channel=args.channel, limit=args.limit)}"), _NOTICES)


def _ack(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("POST", f"/alerts{path(args.alert)}/ack"), _ALERTS)


def _silence(client: AdminClient, args: Namespace) -> None:
    body = {"match": dict(args.match), "minutes": args.minutes, "why": args.why}
    show(args, client.call("POST", "/alerts/silences", body), _SILENCES)


def _unsilence(client: AdminClient, args: Namespace) -> None:
    client.call("DELETE", f"/alerts/silences{path(args.silence)}")
    if not args.json:
        print(f"ended: {args.silence}")


def _test(client: AdminClient, args: Namespace) -> None:
    found = client.call("POST", f"/alerts/channels{path(args.channel)}/test")
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a JSON object")
    if args.json:
        show(args, found, ())
    if not found["sent"]:
        raise Failed(f"{args.channel} was not told: {found['problem']}")
    if not args.json:
        print(f"{args.channel} was told")


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r}: write LABEL=VALUE, for example rule=limited_seconds or model=gpt-*")
    return name, value


def _minutes(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or not number.isascii() or unit not in _UNITS or not int(number):
        raise ArgumentTypeError(f"{text!r}: write for example 30m, 8h or 2d")
    return int(number) * _UNITS[unit]
