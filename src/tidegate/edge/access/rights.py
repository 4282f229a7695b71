"""What a key that is known may: when, from where, and what it may ask for.

Who shows a key that nobody knows, or that was revoked, is told nothing but that; who shows one of ours is told why it
does not help.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from tidegate.edge.access.entitled import Models
from tidegate.edge.access.principals import Principal
from tidegate.model.errors import Problem, ProblemKind
from tidegate.policy.access.addresses import shown

_TOLD: Final = 20  # names of models in a refusal
_LONGEST: Final = 128  # of a name that a client made up
ELSEWHERE: Final = Problem(
    ProblemKind.ROUTE_NOT_ALLOWED,
    "This key may use certain models only, and this URL asks for none: what it leads to is shared by all keys. "
    "Use a key that may use all models.",
)


KEPT: Final = Problem(
    ProblemKind.ROUTE_NOT_ALLOWED,
    "What providers keep (files, batches, threads, stored responses) belongs to the whole organisation, so this key's "
    "namespace may not reach it. Set `stored_objects: true` for the namespace to allow it.",
)


def objection(client: Principal, address: bytes, wall: int) -> Problem | None:
    """Why the key helps nobody now, or not from this address (as of `policy.access`); None when it does. O(1)."""
    problem = untimely(client, wall)
    if problem is None and client.networks is not None and address not in client.networks:
        return Problem(ProblemKind.ADDRESS_NOT_ALLOWED, f"This key may not be used from {shown(address)}.")
    return problem


def untimely(client: Principal, wall: int) -> Problem | None:
    """Why the key helps nobody now, wherever it is used; None when it does."""
    if client.not_before_us > wall:
        return Problem(ProblemKind.UNAUTHENTICATED, f"This key is not valid before {_moment(client.not_before_us)}.")
    if 0 < client.expires_us <= wall:
        message = f"This key expired at {_moment(client.expires_us)}. Ask for a new one."
        return Problem(ProblemKind.UNAUTHENTICATED, message)
    return None


def not_allowed(models: Models, model: str, served: Iterable[str]) -> Problem:
    """That a key may not use a model, whether or not there is one of that name, and which it may. O(served)."""
    may = models.of(served)
    told = ", ".join(may[:_TOLD]) + (f" and {len(may) - _TOLD} more" if len(may) > _TOLD else "")
    message = f"This key may not use the model '{model[:_LONGEST]}'. It may use: {told or 'none that is served here'}."
    return Problem(ProblemKind.MODEL_NOT_ALLOWED, message, "model")


def _moment(us: int) -> str:
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
