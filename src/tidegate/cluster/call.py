"""What is put to the shared state, and by when it must have answered."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import hiredis

from tidegate.cluster.connection import Reply, Word, packed
from tidegate.cluster.failure import Failure, refused


class Script(Protocol):
    """A Lua script: `cluster.scripts`."""

    @property
    def text(self) -> bytes: ...
    @property
    def sha(self) -> bytes: ...


class Call(NamedTuple):
    """A script to be run on one key."""

    script: Script
    key: bytes | str
    argument: bytes


Heard: TypeAlias = Callable[[Reply | Failure], None]


class Pending:
    """One command on its way. It is told to `heard` exactly once: a reply, or a `Failure`."""

    __slots__ = ("_heard", "asking", "data", "deadline", "eval", "key", "retry", "sent", "tries")

    def __init__(
        self,
        data: bytes,
        key: bytes | None,
        deadline: int,
        heard: Heard,
        retry: Callable[["Pending", str], bool],
        text: Callable[[], bytes] | None = None,
    ) -> None:
        """`retry` takes it up again after an error reply that says how. `text`: the script in full."""
        self.data = data
        self.key = key  # of its slot, None = wherever
        self.deadline = deadline
        self.eval = text
        self.retry = retry
        self.tries = 0
        self.sent = False
        self.asking = False
        self._heard: Heard | None = heard

    @property
    def told(self) -> bool:
        """Nobody waits for it any more."""
        return self._heard is None

    def forget(self) -> None:
        """Whoever asked has gone."""
        self._heard = None

    def replied(self, reply: Reply) -> None:
        """As the server said it."""
        if self._heard is None:
            return
        if isinstance(reply, hiredis.ReplyError):
            words = str(reply)
            if not self.retry(self, words):
                self.failed(refused(words))
            return
        self._tell(reply)

    def failed(self, failure: Failure) -> None:
        """There is no reply, or none that is of use."""
        self._tell(failure)

    def _tell(self, what: Reply | Failure) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(what)


def script_call(call: Call, deadline: int, heard: Heard, retry: Callable[[Pending, str], bool]) -> Pending:
    """By its digest; in full where the server does not know it."""
    script, key, argument = call.script, call.key, call.argument
    data = packed((b"EVALSHA", script.sha, 1, key, argument))

    def text() -> bytes:
        return packed((b"EVAL", script.text, 1, key, argument))

    return Pending(data, key.encode() if isinstance(key, str) else key, deadline, heard, retry, text)


_SCRIPTS = {b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO", b"FCALL", b"FCALL_RO"}
_STREAMS = {b"XREAD", b"XREADGROUP"}
_KEYLESS = {b"PING", b"TIME", b"INFO", b"ACL", b"CLIENT", b"CLUSTER", b"CONFIG", b"SCRIPT", b"ROLE", b"PUBLISH",
            b"COMMAND", b"HELLO"}  # fmt: skip


def key_of(words: tuple[Word, ...]) -> bytes | None:
    """The key by which a command finds its server in a cluster; None = any server."""
    name = _bytes(words[0]).upper()
    if name in _KEYLESS or len(words) < 2:
        return None
    if name in _SCRIPTS:
        return _bytes(words[3]) if int(words[2]) and len(words) > 3 else None
    if name in _STREAMS:
        names = [_bytes(word).upper() for word in words]
        return _bytes(words[names.index(b"STREAMS") + 1])
    if name in {b"XGROUP", b"XINFO", b"OBJECT", b"MEMORY"} and len(words) > 2:
        return _bytes(words[2])
    return _bytes(words[1])


def _bytes(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()
