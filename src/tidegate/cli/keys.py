"""`tidegate keys …`: the keys with which applications call the gate. `create` prints the key, once."""

import sys
from argparse import ArgumentParser, Namespace

from tidegate.cli.manage import AdminClient, Failed, Json, add_connection, carry_out, everything, path, show
from tidegate.cli.manage_settings import add_allowance, settings_of

_COLUMNS = ("namespace", "name", "state", "declared", "user", "models", "expires", "hint", "limits", "budget")
_OWN = ("user", "signing", "not_before", "expires", "addresses")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="make a key and print it; it is shown this once")
    show_all = verbs.add_parser("list", help="list keys")
    one = verbs.add_parser("show", help="show a key's settings")
    change = verbs.add_parser("change", help="change what a key may")
    rotate = verbs.add_parser("rotate", help="make its successor and print it; the former key is good for the overlap")
    revoke = verbs.add_parser("revoke", help="end a key at once")
    show_all.add_argument("namespace", metavar="NAMESPACE", nargs="?", help="left out: all")
    for verb in (create, one, change, rotate, revoke):
        verb.add_argument("namespace", metavar="NAMESPACE")
        verb.add_argument("key", metavar="KEY", help="its name")
    for verb in (create, change):
        add_allowance(verb)
        _add_own(verb)
    rotate.add_argument("--overlap", type=int, default=86_400, metavar="SECONDS", help="default: %(default)s, a day")
    rotate.add_argument("--expires", metavar="MOMENT", help="of the new key; left out: as the former one")
    for verb in (create, show_all, one, change, rotate, revoke):
        add_connection(verb)


def _add_own(parser: ArgumentParser) -> None:
    parser.add_argument("--user", metavar="USER", help="a user of the namespace, or none")
    parser.add_argument(
        "--address", action="append", dest="addresses", metavar="NETWORK",
        help="where it may be used from; may be given several times",
    )  # fmt: skip
    parser.add_argument("--signing", choices=("off", "optional", "required"), help="are its requests signed?")
    parser.add_argument("--not-before", metavar="MOMENT", help="a day, or a moment with its offset from UTC; or none")
    parser.add_argument("--expires", metavar="MOMENT", help="the same")


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _VERBS[args.verb])


def _create(client: AdminClient, args: Namespace) -> None:
    body = {**settings_of(args, *_OWN), "name": args.key}
    _told(args, client.call("POST", path("namespaces", args.namespace, "keys"), body))


def _list(client: AdminClient, args: Namespace) -> None:
    where = path("namespaces", args.namespace, "keys") if args.namespace else "/keys"
    show(args, everything(client, where), _COLUMNS)


def _show(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("GET", _path(args)), _COLUMNS)


def _change(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("PATCH", _path(args), settings_of(args, *_OWN)), _COLUMNS)


def _rotate(client: AdminClient, args: Namespace) -> None:
    found = client.call("POST", f"{_path(args)}/rotate", _rotation(args))
    if args.json:
        show(args, found, ())
    elif isinstance(found, dict):
        _told(args, found["made"])
        until = found["former"].get("expires")
        sys.stderr.write(f"{args.key} is good until {until}\n" if args.overlap else f"{args.key} is revoked\n")


def _rotation(args: Namespace) -> Json:
    body: Json = {"overlap_seconds": args.overlap}
    return body if args.expires is None else {**body, "expires": args.expires}


def _revoke(client: AdminClient, args: Namespace) -> None:
    show(args, client.call("POST", f"{_path(args)}/revoke"), _COLUMNS)


def _told(args: Namespace, made: object) -> None:
    """The key alone on standard output, so that a script can take it."""
    if not isinstance(made, dict):
        raise Failed("the gate answered something else than a key")
    if args.json:
        show(args, made, ())
        return
    sys.stderr.write(f"{made['name']}: its key is shown this once and never again\n")
    print(made["key"])


def _path(args: Namespace) -> str:
    return path("namespaces", args.namespace, "keys", args.key)


_VERBS = {
    "create": _create,
    "list": _list,
    "show": _show,
    "change": _change,
    "rotate": _rotate,
    "revoke": _revoke,
}
