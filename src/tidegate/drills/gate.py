"""Asks a worker of this machine on behalf of a drill: one named target, or the way to it with the primary broken.

Synchronous, a connection a question. The socket is in the state directory and open to the gate's own user alone, as
that of the desk is: nobody else can reach it, so no ticket is needed.
"""

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.model.drills import ASKED, SOCKET
from tidegate.policy.drills.told import Told, error_of, streamed, whole

WORKERS: Final = "workers"  # in the state directory: folders of all workers but the first
CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
_MOST: Final = 8_388_608  # bytes of an answer
_PIECE: Final = 65_536
_GRACE: Final = 5.0  # seconds that the gate has beyond the deadline to say so
_OWN_QUOTA: Final = frozenset({"rate_limit_exceeded", "queue_full", "unavailable"})
_NOT_HERE: Final = 404
_LIMITED: Final = 429


class Target(NamedTuple):
    """Whom a question is for. `strategy` "": whoever serves `model`."""

    drill: str
    strategy: str
    model: str
    fault: str = ""


class Said(NamedTuple):
    """A reply as it came."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Away(Exception):
    """No worker could be asked; the message says why."""


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("gate", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Gate:
    """The workers of this machine. For one thread at a time."""

    __slots__ = ("_now", "_state_dir")

    def __init__(self, state_dir: Path, now: Callable[[], int]) -> None:
        """`now`: monotonic microseconds."""
        self._state_dir = state_dir
        self._now = now

    @property
    def ready(self) -> bool:
        """Is there a worker that can be asked?"""
        return bool(self._sockets())

    def ask(self, target: Target, body: dict[str, object], seconds: float) -> Told:
        """A question of a chat, streamed where the body says so. Never raises: what went wrong is told."""
        try:
            said = self.send(target, CHAT, body, seconds)
        except Away as error:
            return Told(problem=str(error), asked=False)
        headers = said.headers
        if said.status >= 400:
            return _refused(target, said)._replace(seconds=said.seconds, call=headers.get("x-request-id", ""))
        events = headers.get("content-type", "").startswith("text/event-stream")
        told = streamed(said.body) if events else whole(said.body)
        dropped = tuple(word.strip() for word in headers.get("x-tidegate-dropped", "").split(",") if word.strip())
        return told._replace(
            seconds=said.seconds,
            call=headers.get("x-request-id", ""),
            target=headers.get("x-tidegate-target", ""),
            dropped=dropped,
        )

    def send(self, target: Target, path: str, body: dict[str, object], seconds: float) -> Said:
        """One request, to the first worker that has the target. Raises `Away`."""
        found: Said | None = None
        trouble = "no worker listens for drills yet"
        for place in self._sockets():
            try:
                found = self._send(place, target, path, body, seconds)
            except TimeoutError:
                raise Away(f"the gate did not answer within {seconds + _GRACE:g} s") from None
            except (OSError, HTTPException) as error:
                trouble = f"no worker could be asked ({getattr(error, 'strerror', None) or type(error).__name__})"
                continue
            if found.status != _NOT_HERE or "x-tidegate-attempts" in found.headers:
                return found
        if found is None:
            raise Away(trouble)
        return found

    def _sockets(self) -> list[Path]:
        """Those of the main worker first, then of isolated namespaces."""
        own = self._state_dir / SOCKET
        return [path for path in (own, *sorted((self._state_dir / WORKERS).glob(f"*/{SOCKET}"))) if path.exists()]

    def _send(self, place: Path, target: Target, path: str, body: dict[str, object], seconds: float) -> Said:
        began = self._now()
        connection = _UnixConnection(place, seconds + _GRACE)
        headers = {
            "content-type": "application/json",
            "x-tidegate-deadline-ms": str(max(1, round(seconds * 1_000))),
            ASKED.decode(): json.dumps(target),
        }
        try:
            connection.request("POST", path, json.dumps(body, ensure_ascii=False).encode(), headers)
            answer = connection.getresponse()
            data = self._read(answer, began + round((seconds + _GRACE) * 1e6))
        finally:
            connection.close()
        shown = {name.lower(): value for name, value in answer.getheaders()}
        return Said(answer.status, shown, data, (self._now() - began) / 1e6)

    def _read(self, answer: HTTPResponse, until: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while piece := answer.read1(_PIECE):
            parts.append(piece)
            size += len(piece)
            if size > _MOST or self._now() > until:
                raise TimeoutError
        return b"".join(parts)


def _refused(target: Target, said: Said) -> Told:
    """Whether it was the target's doing, or the gate's own quota."""
    tried = [one.split() for one in said.headers.get("x-tidegate-attempts", "").split(", ") if one]
    mine = [one for one in tried if not one[0].startswith("drill:")]
    problem = f"{said.status}: {error_of(said.body)}"
    limited = bool(mine) and mine[-1][1:2] == [str(_LIMITED)]
    if limited or (said.status == _NOT_HERE and not tried):
        return Told(problem=problem, asked=False)
    if not mine and _code(said.body) in _OWN_QUOTA and not _repeats_the_fault(target, tried, said):
        return Told(problem=problem, asked=False)
    if not mine and target.fault:
        problem = f"the way did not lead to it: {problem}"
    return Told(problem=problem)


def _repeats_the_fault(target: Target, tried: list[list[str]], said: Said) -> bool:
    """Without a fallback that it could be put to, the call is told what the drill did to the primary."""
    return bool(target.fault and tried) and tried[-1][1:2] == [str(said.status)]


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
