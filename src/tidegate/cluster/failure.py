"""What comes instead of an answer of the shared state, in words that hold no URL and nothing that a server said."""

from typing import Final

from tidegate.ports import StoreError

LATE: Final = "late"  # no answer within the deadline
AWAY: Final = "away"  # not to be reached, or cut off
DENIED: Final = "denied"  # it wants another user or password, or does not permit it to this one
READONLY: Final = "readonly"  # it takes no writes: a replica
FULL: Final = "full"  # no memory or no disk left
BAD: Final = "bad"  # it does not understand, or a script failed


class Failure(StoreError):
    """`kind` is one of the words above; `sent`: it may have been done all the same."""

    def __init__(self, kind: str, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.sent = sent


_WORDS: Final = {
    "NOAUTH": (DENIED, "it wants a password"),
    "WRONGPASS": (DENIED, "it refuses the user or the password"),
    "NOPERM": (DENIED, "its user may not do that"),
    "READONLY": (READONLY, "it is a replica and takes no writes"),
    "OOM": (FULL, "it has no memory left (maxmemory)"),
    "MISCONF": (FULL, "it cannot write to its disk and takes no writes"),
    "NOREPLICAS": (FULL, "it has too few replicas to take writes (min-replicas-to-write)"),
    "LOADING": (AWAY, "it is loading its data"),
    "MASTERDOWN": (AWAY, "it has lost its primary"),
    "CLUSTERDOWN": (AWAY, "its cluster is down: slots without a primary"),
    "BUSY": (AWAY, "it is busy with a script"),
    "MOVED": (AWAY, "its slots are moving"),
    "ASK": (AWAY, "its slots are moving"),
    "TRYAGAIN": (AWAY, "its slots are moving"),
    "NOCLUSTER": (BAD, "it is no Redis Cluster (cluster-enabled no)"),
    "NOSCRIPT": (BAD, "it does not keep scripts"),
    "EXECABORT": (BAD, "it broke off a transaction"),
}


def refused(reply: str) -> Failure:
    """From the text of an error reply, of which only the first word is told."""
    word = reply.partition(" ")[0].upper()
    if "NOPERM" in reply or "ACL failure" in reply or "executing the script can't" in reply:
        word = "NOPERM"
    elif "READONLY" in reply:
        word = "READONLY"
    elif "AUTH" in reply and "password" in reply:  # before Redis 6: ERR Client sent AUTH, but no password is set
        word = "WRONGPASS"
    elif "cluster support disabled" in reply:
        word = "NOCLUSTER"
    kind, words = _WORDS.get(word, (BAD, f"it replies with an error ({word or 'of no words'})"))
    return Failure(kind, f"the shared state cannot be used: {words}", sent=kind == BAD)


def late(timeout_us: int, *, sent: bool) -> Failure:
    """Nobody knows whether it was done, if it was `sent`."""
    return Failure(LATE, f"the shared state does not answer within {timeout_us / 1_000:g} ms", sent=sent)


def away(why: str = "it cannot be reached", *, sent: bool = False) -> Failure:
    """The connection could not be made, or was cut."""
    return Failure(AWAY, f"the shared state cannot be used: {why}", sent=sent)
