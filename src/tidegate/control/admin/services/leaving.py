"""What becomes of the patient work of a namespace that is no more."""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.services.namespaces import Clear

_AWAY: Final = 503


def of(office: Office) -> Clear:
    """Nothing where there are no jobs. Raises `Refused` while they are away: nobody may find them under this name."""

    def clear(namespace: str) -> None:
        if not office.declaration.now.jobs.enabled:
            return
        try:
            office.jobs.leave(namespace, office.clocks.wall())
        except SQLAlchemyError as error:
            raise _away(type(error).__name__) from None
        except Refused as refusal:
            if refusal.status != _AWAY:
                raise
            raise _away("it cannot be opened") from None

    return clear


def _away(kind: str) -> Refused:
    problem = f"the database of jobs cannot be used now ({kind}): the jobs of this namespace would be left to the next"
    remedy = "nothing was changed but jobs that were cancelled: see `jobs.database`, and try again when it is back"
    return refused(_AWAY, "jobs.database", problem, remedy, ("retry-after", "5"))
