"""`tidegate accounts …`: accounts of providers, taken out of service and back."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, path, show

_COLUMNS = ("account", "state", "in_flight", "models", "why")
_HELP = {
    "list": "every scope and key, and how it stands",
    "drain": "send no more calls there; what is in flight finishes",
    "restore": "send calls there again",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, text in _HELP.items():
        verb = verbs.add_parser(name, help=text)
        if name != "list":
            verb.add_argument("account", metavar="PROVIDER/SCOPE", help="as `list` shows it")
            verb.add_argument("--key", metavar="FINGERPRINT", help="only this key of it")
        if name == "drain":
            verb.add_argument("--reason", default="", metavar="TEXT", help="for others, and for the audit")
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, {"list": _list, "drain": _drain, "restore": _restore}[args.verb])


def _list(client: AdminClient, args: Namespace) -> None:
    found = client.call("GET", "/accounts")
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a JSON object")
    show(args, found if args.json else list(_rows(found)), _COLUMNS)


def _drain(client: AdminClient, args: Namespace) -> None:
    client.call("POST", f"/accounts{_place(args)}/drain", {"reason": args.reason})
    if not args.json:
        print(f"out of service: {_named(args)}")


def _restore(client: AdminClient, args: Namespace) -> None:
    client.call("POST", f"/accounts{_place(args)}/restore")
    if not args.json:
        print(f"in service: {_named(args)}")


def _place(args: Namespace) -> str:
    provider, slash, scope = args.account.partition("/")
    if not (provider and slash and scope):
        raise Failed(f"{args.account}: write it as PROVIDER/SCOPE, for example openai/main", 2)
    return path(provider, scope) + (path("keys", args.key) if args.key else "")


def _named(args: Namespace) -> str:
    return f"{args.account} key {args.key}" if args.key else str(args.account)


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for provider in found["providers"]:
        for scope in provider["scopes"]:
            name, shut = f"{provider['name']}/{scope['name']}", [
                lane["model"] for lane in scope["lanes"] if lane["breaker"] != "closed"
            ]  # fmt: skip
            drained = scope.get("drained")
            yield {
                "account": name,
                "state": "drained" if drained else f"closed for {', '.join(shut)}" if shut else "good",
                "in_flight": scope["in_flight"],
                "models": ", ".join(lane["model"] for lane in scope["lanes"]),
                "why": _why(drained),
            }
            for key in scope["keys"]:
                why = _why(key.get("drained")) or (f"tried again at {key['until']}" if key.get("until") else "")
                yield {"account": f"{name} key {key['fingerprint']}", "state": key["state"], "why": why}


def _why(drained: Mapping[str, Any] | None) -> str:
    if not drained:
        return ""
    reason = f": {drained['reason']}" if drained["reason"] else ""
    return f"by {drained['by']} since {drained['since']}{reason}"
