"""`tidegate db upgrade`: bring the database to the schema of this version, before a gate does so at its start."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tidegate.cli.manage import Failed


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    upgrade = verbs.add_parser("upgrade", help="bring the schema to this version's; nothing when it is")
    upgrade.add_argument("--state-dir", default="./.tidegate", metavar="DIR", help="of the gate; default: %(default)s")
    upgrade.add_argument("-c", "--config", metavar="FILE", help="needed where `ledger.database` names a database")


def run(args: Namespace) -> int:
    """Bring it up to date; 0, 1 when it was not, 2 for wrong usage."""
    try:
        print(_upgraded(args))
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status
    return 0


def _upgraded(args: Namespace) -> str:
    from sqlalchemy.exc import SQLAlchemyError

    from tidegate.cli.admin import database_of
    from tidegate.store.engine import BadDatabase, open_engine, shown
    from tidegate.store.upgrade import NewerSchema, upgrade

    state_dir = Path(args.state_dir)
    if not args.config and not state_dir.is_dir():
        raise Failed(f"--state-dir {state_dir}: there is no such folder; name the one of the gate", 2)
    try:
        engine = open_engine(database_of(args.config), state_dir)
        try:
            before, now = upgrade(engine)
        finally:
            engine.dispose()
    except (BadDatabase, NewerSchema) as error:
        raise Failed(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        raise Failed(f"the database cannot be written ({type(error).__name__})") from None
    done = "is that of this version" if before == now else f"was brought from {before or 'nothing'} to {now}"
    return f"{shown(engine)}: the schema {done}"
