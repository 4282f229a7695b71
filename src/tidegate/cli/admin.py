"""`tidegate admin token`: an admin token made on this machine, for who has none: the first was lost, or all were.

It writes to the gate's database itself, so it needs the state directory (or the database's URL), and no token. A gate
that runs knows the token at once, since it looks every one up; the audit says that it was made here, and by whom.
"""

import getpass
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tidegate.cli.manage import Failed


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    token = verbs.add_parser("token", help="make an admin token and print it; it is shown this once")
    token.add_argument("--name", metavar="NAME", help="by which the audit knows who holds it; default: local-N")
    token.add_argument("--state-dir", default="./.tidegate", metavar="DIR", help="of the gate; default: %(default)s")
    token.add_argument("-c", "--config", metavar="FILE", help="needed where `ledger.database` names a database")
    token.add_argument("--out", metavar="FILE", help="write it to a new file that only you may read")


def run(args: Namespace) -> int:
    """Make it; 0, 1 when it was not made, 2 for wrong usage."""
    try:
        if args.out:
            _into(Path(args.out), args)
        else:
            print(_made(args))
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status
    sys.stderr.write("an admin token, shown this once and never again\n")
    return 0


def _into(path: Path, args: Namespace) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failed(f"--out {path}: {error.strerror}; name a file that is not there yet", 2) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        try:
            file.write(_made(args) + "\n")
        except Failed:
            path.unlink()
            raise


def _made(args: Namespace) -> str:
    from sqlalchemy.exc import IntegrityError, SQLAlchemyError

    from tidegate.control.admin.auth import first
    from tidegate.control.admin.auth.rights import Actor
    from tidegate.control.admin.services.changes import Changes
    from tidegate.control.declared import Declaration
    from tidegate.directory.layout import NAME
    from tidegate.store.engine import BadDatabase, open_engine
    from tidegate.store.upgrade import NewerSchema, upgrade

    state_dir = Path(args.state_dir)
    if not state_dir.is_dir():
        raise Failed(f"--state-dir {state_dir}: there is no such folder; name the one of the gate", 2)
    try:
        engine = open_engine(database_of(args.config), state_dir)
        try:
            upgrade(engine)
            changes = Changes(lambda: engine, state_dir / NAME, Declaration(), lambda: time.time_ns() // 1_000)
            who = Actor(_who(), "admin", "", "this machine")
            return first.another(changes, who, args.name or f"local-{os.urandom(3).hex()}").text
        finally:
            engine.dispose()
    except IntegrityError:
        raise Failed(f"--name {args.name}: a token has this name already; choose another", 2) from None
    except (SQLAlchemyError, BadDatabase, NewerSchema, OSError) as error:
        raise Failed(f"the database of the gate cannot be written ({type(error).__name__})") from None


def _who() -> str:
    """The user's name; the number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the second since Python 3.13
        return f"uid {os.getuid()}"


def database_of(config: str | None) -> str:
    """What `ledger.database` of a configuration file says; "" without a file. Raises `Failed`."""
    if config is None:
        return ""
    from tidegate.config.findings import ConfigError
    from tidegate.config.load import load

    try:
        return load(config, os.environ).snapshot.ledger.database
    except ConfigError:
        raise Failed(f"{config} cannot be used: `tidegate check {config}` says why", 2) from None
