"""`tidegate users …`: users of a namespace, whose keys share limits and budgets."""

from argparse import ArgumentParser, Namespace

from tidegate.cli.manage import AdminClient, add_connection, carry_out, everything, path, show
from tidegate.cli.manage_settings import add_allowance, settings_of

_COLUMNS = ("namespace", "name", "declared", "models", "limits", "budget")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, text in _HELP.items():
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("namespace", metavar="NAMESPACE")
        if name != "list":
            verb.add_argument("user", metavar="USER", help="its name")
        if name in {"create", "change"}:
            add_allowance(verb)
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _work)


def _work(client: AdminClient, args: Namespace) -> None:
    all_of_them = path("namespaces", args.namespace, "users")
    match args.verb:
        case "list":
            show(args, everything(client, all_of_them), _COLUMNS)
        case "create":
            show(args, client.call("POST", all_of_them, {**settings_of(args), "name": args.user}), _COLUMNS)
        case "show":
            show(args, client.call("GET", all_of_them + path(args.user)), _COLUMNS)
        case "change":
            show(args, client.call("PATCH", all_of_them + path(args.user), settings_of(args)), _COLUMNS)
        case "delete":
            client.call("DELETE", all_of_them + path(args.user))


_HELP = {
    "create": "make a user",
    "list": "list the users of a namespace",
    "show": "show a user's settings",
    "change": "change what a user may",
    "delete": "remove a user that no key names any more",
}
