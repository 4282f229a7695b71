"""Who may do what: five roles, each a set of rights. A namespace owner has its rights within its namespace only."""

from dataclasses import dataclass
from enum import Enum


class Right(Enum):
    """What a route asks for."""

    SELF = "know its own role"
    STATUS = "see how the gate stands"
    SEE_NAMESPACES = "see namespaces"
    CHANGE_NAMESPACES = "change namespaces, their limits and budgets"
    SEE_ACCOUNTS = "see users and keys"
    CHANGE_ACCOUNTS = "change users and keys"
    SEE_SPEND = "see spend and calls"
    SEE_BODIES = "read what calls said"
    PURGE = "purge the cache"
    JUDGE = "judge answers of the cache"
    CHANGE_JOBS = "cancel jobs, and have them begin anew"
    RUN_DRILLS = "run drills"
    CHANGE_ALERTS = "take and silence alerts, and test channels"
    SEE_POLICY = "see the configuration"
    CHANGE_POLICY = "change the configuration"
    DRAIN_ACCOUNTS = "take accounts out of service and back"
    PLAY = "call models from the playground"
    AUDIT = "see who changed what"
    TOKENS = "see and change admin tokens, and who is signed in"


_LOOKS = {Right.SELF, Right.SEE_NAMESPACES, Right.SEE_ACCOUNTS, Right.SEE_SPEND}
_SEES = _LOOKS | {Right.STATUS, Right.SEE_POLICY, Right.AUDIT}
_OWNS = _LOOKS | {Right.CHANGE_ACCOUNTS, Right.PURGE, Right.JUDGE, Right.CHANGE_JOBS, Right.PLAY}
RIGHTS: dict[str, frozenset[Right]] = {
    "admin": frozenset(Right),
    "operator": frozenset(Right) - {Right.TOKENS, Right.SEE_BODIES},
    "viewer": frozenset(_SEES),
    "debugger": frozenset((_SEES - {Right.AUDIT}) | {Right.SEE_BODIES}),
    "owner": frozenset(_OWNS),
}


def bound(role: str) -> bool:
    """Is somebody of this role one of a single namespace?"""
    return role == "owner"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a token's name and role, the namespace that it is bound to ("" = all), and from where."""

    name: str
    role: str
    namespace: str
    address: str

    def may(self, right: Right) -> bool:
        """Has its role this right?"""
        return right in RIGHTS.get(self.role, frozenset())

    def scope(self) -> str | None:
        """The only namespace that it may know of; None: it may know of all."""
        return self.namespace if bound(self.role) else None

    def reaches(self, namespace: str) -> bool:
        """May it know of this namespace at all?"""
        return self.scope() in {None, namespace}
