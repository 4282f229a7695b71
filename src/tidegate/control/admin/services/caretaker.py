"""What is seen to while nobody asks: the first admin token, the directory log, and what is kept too long.

It runs in a thread of its own once the control process is ready, and tries again while the database is away.
"""

from sqlalchemy.exc import SQLAlchemyError

from tidegate.control.admin.auth import first
from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused
from tidegate.control.admin.services.purging import Purging
from tidegate.store import audit, identity, news, sessions, shadows
from tidegate.store.duties import Deposed
from tidegate.units import DAY_US, HOUR_US

NEWS_DAYS = 7  # a node that was away for longer reads everything, and purges everything
_SELF = Actor("tidegate", "admin", "", "local")


class Caretaker:
    """`look` is called every few seconds, and when other nodes changed something, by one thread."""

    __slots__ = ("_forgot_at", "_office", "_purging", "_started", "_trouble")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._purging = Purging(office.state_dir, office.changes.origin, office.clocks.wall)
        self._started = False
        self._trouble = ""
        self._forgot_at = 0

    def look(self) -> None:
        """See to everything that is due. Trouble is logged once, until it is over or another."""
        try:
            if not self._started:
                self._first_token()
                self._started = True
            if self._office.changes.heal():
                self._office.log.info("the directory log was written anew from the database")
            self._purge()
            self._forget()
        except Deposed:
            return  # another node sees to it
        except (Refused, SQLAlchemyError, OSError, ValueError) as error:
            self._say(error)
        else:
            self._trouble = ""

    def _first_token(self) -> None:
        secret = first.at_first_start(self._office.changes, _SELF)
        if secret is not None:
            self._office.log.warning(
                "FIRST ADMIN TOKEN: it is shown this once and never again; keep it",
                token=secret.text,
                lost="tidegate admin token",
            )

    def _purge(self) -> None:
        """Other nodes were told to."""
        purged = self._purging.follow(self._office.engine)
        if purged:
            self._office.log.info("kept answers are purged, as another node was told", purges=purged)

    def _forget(self) -> None:
        wall = self._office.clocks.wall()
        begin = self._office.lead()
        if wall - self._forgot_at < HOUR_US or begin is None:
            return
        self._forgot_at = wall
        before = wall - self._office.declaration.now.ledger.keep_audit_days * DAY_US
        with begin(self._office.engine) as connection:
            audit.forget(connection, before)
            identity.forget_keys(connection, before)
            news.forget(connection, wall - NEWS_DAYS * DAY_US)
            shadows.forget(connection, wall // DAY_US)
            sessions.forget(connection, wall, self._office.declaration.now.admin.idle_us)

    def _say(self, error: Exception) -> None:
        trouble = str(error) if isinstance(error, (Refused, OSError)) else type(error).__name__
        if trouble != self._trouble:
            self._trouble = trouble
            self._office.log.error("who may call cannot be kept in step with the database", problem=trouble)
