"""`tidegate namespaces …`: customers, teams, products: who is served as one, and pays for it."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace

from tidegate.cli.manage import AdminClient, add_connection, carry_out, everything, path, show
from tidegate.cli.manage_settings import add_allowance, settings_of

_COLUMNS = ("name", "declared", "tier", "weight", "models", "limits", "budget", "by_model", "timezone")
_OWN = ("tier", "weight", "timezone", "on_revoked", "stored_objects")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, text in _HELP.items():
        verb = verbs.add_parser(name, help=text)
        if name != "list":
            verb.add_argument("namespace", metavar="NAMESPACE", help="its name")
        if name in {"create", "change"}:
            add_allowance(verb)
            _add_own(verb)
        add_connection(verb)


def _add_own(parser: ArgumentParser) -> None:
    parser.add_argument("--tier", metavar="TIER", help="its class of service")
    parser.add_argument("--weight", type=float, metavar="N", help="its part among the namespaces of its tier")
    parser.add_argument("--timezone", metavar="ZONE", help="of its days and months, for example Asia/Shanghai")
    parser.add_argument(
        "--stored-objects", action=BooleanOptionalAction, default=None, help="may its keys reach what providers keep"
    )
    parser.add_argument("--on-revoked", choices=("finish", "cut"), help="streams whose key is revoked")


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _work)


def _work(client: AdminClient, args: Namespace) -> None:
    match args.verb:
        case "list":
            show(args, everything(client, "/namespaces"), _COLUMNS)
        case "create":
            body = {**settings_of(args, *_OWN), "name": args.namespace}
            show(args, client.call("POST", "/namespaces", body), _COLUMNS)
        case "show":
            show(args, client.call("GET", path("namespaces", args.namespace)), _COLUMNS)
        case "change":
            body = settings_of(args, *_OWN)
            show(args, client.call("PATCH", path("namespaces", args.namespace), body), _COLUMNS)
        case "delete":
            client.call("DELETE", path("namespaces", args.namespace))


_HELP = {
    "create": "make a namespace",
    "list": "list namespaces, those of the file too",
    "show": "show a namespace's settings",
    "change": "change what a namespace may",
    "delete": "remove a namespace with its users, keys and owners' tokens; what it spent stays in the ledger",
}
