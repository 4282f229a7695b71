"""Why a tenant's own limits refuse a call: whose, which, and when that is over."""

from datetime import UTC, tzinfo
from typing import Final

RATE: Final = 1  # a minute's limit is in use: served after `wait_us`, exactly
BUSY: Final = 2  # calls in flight hold what is left: served when some have ended, in about `wait_us`
EXHAUSTED: Final = 3  # a budget is used up until the wall-clock moment `until`
TOO_LARGE: Final = 4  # larger than a whole limit: never
AWAY: Final = 5  # nobody knows what other workers have spent, and the limit is `closed` then: until they are heard


class Short:
    """One limit that a call does not meet. Nobody changes one."""

    __slots__ = ("kind", "until", "wait_us", "what", "who", "zone")

    def __init__(
        self,
        kind: int,
        who: tuple[str, str, str, str],
        what: str,
        wait_us: int = 0,
        until: int = 0,
        zone: tzinfo = UTC,
    ) -> None:
        """`who` bears the limit (as `account.Who`), `what` names it: "monthly money budget"."""
        self.kind = kind
        self.who = who
        self.what = what
        self.wait_us = wait_us
        self.until = until
        self.zone = zone

    def worse(self, other: "Short") -> bool:
        """Whether this one keeps a call away for longer."""
        mine = RATE if self.kind == BUSY else self.kind
        theirs = RATE if other.kind == BUSY else other.kind
        return (mine, self.until, self.wait_us) > (theirs, other.until, other.wait_us)

    @property
    def whose(self) -> str:
        """Who bears the limit, in words. Names are the operator's own, and go where they may be quoted."""
        namespace, user, key, model = self.who
        if key:
            return f"key {key!r}"
        if user:
            return f"user {user!r}"
        return f"namespace {namespace!r}" + (f" for {model!r}" if model else "")
