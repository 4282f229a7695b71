"""`tidegate tokens …`: the tokens of those who manage the gate. `create` prints the token, once."""

import sys
from argparse import ArgumentParser, Namespace

from tidegate.cli.manage import AdminClient, add_connection, carry_out, path, show

_COLUMNS = ("name", "role", "namespace", "created", "expires", "used")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="make a token and print it; it is shown this once")
    create.add_argument("--role", required=True, choices=("admin", "operator", "viewer", "debugger", "owner"))
    create.add_argument("--namespace", metavar="NAMESPACE", help="an owner's")
    create.add_argument("--expires", metavar="MOMENT", help="a day, or a moment with its offset from UTC")
    listed = verbs.add_parser("list", help="list tokens: names, roles, last use")
    revoke = verbs.add_parser("revoke", help="end a token at once")
    for verb in (create, revoke):
        verb.add_argument("token", metavar="NAME", help="the name by which the audit knows who holds it")
    for verb in (create, listed, revoke):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, {"create": _create, "list": _list, "revoke": _revoke}[args.verb])


def _create(client: AdminClient, args: Namespace) -> None:
    said = {"name": args.token, "role": args.role, "namespace": args.namespace, "expires": args.expires}
    made = client.call("POST", "/tokens", {name: value for name, value in said.items() if value is not None})
    if args.json or not isinstance(made, dict):
        show(args, made, _COLUMNS)
        return
    sys.stderr.write(f"{args.token}: its token is shown this once and never again\n")
    print(made["token"])


def _list(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("GET", "/tokens"), _COLUMNS)


def _revoke(client: AdminClient, args: Namespace) -> None:
    client.call("DELETE", path("tokens", args.token))
