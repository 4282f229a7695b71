"""`tidegate audit`: who changed what, the newest first."""

from argparse import ArgumentParser, Namespace

from tidegate.cli.manage import AdminClient, add_connection, carry_out, query, show

_COLUMNS = ("at", "actor", "role", "address", "action", "namespace", "target", "after")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--namespace", metavar="NAMESPACE", help="of one namespace")
    parser.add_argument("--actor", metavar="NAME", help="by the holder of one token")
    parser.add_argument("--action", metavar="ACTION", help="as key.revoke, or how it begins: key")
    parser.add_argument("--since", metavar="MOMENT", help="a day, or a moment with its offset from UTC")
    parser.add_argument("--until", metavar="MOMENT", help="the same")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="default: %(default)s")
    add_connection(parser)


def run(args: Namespace) -> int:
    """Print; 0, 1 when it was not done, 2 for wrong usage."""
    return carry_out(args, _work)


def _work(client: AdminClient, args: Namespace) -> None:
    wanted = query(
        namespace=args.namespace,
        actor=args.actor,
        action=args.action,
        since=args.since,
        until=args.until,
        limit=args.limit,
    )
    show(args, client.call("GET", f"/audit{wanted}"), _COLUMNS)
