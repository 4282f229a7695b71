"""Asks the semantic process, for who is no worker: admin API and commands. Synchronous, one connection a call."""

import socket
from pathlib import Path
from typing import Final, TypeVar

from tidegate.cache.semantic_frames import (
    NAME,
    Count,
    Done,
    Explain,
    Explained,
    Feedback,
    Frames,
    Request,
    Stats,
    encode,
    replies,
)

_PATIENCE: Final = 2.0  # seconds
_READ: Final = 65_536
R = TypeVar("R", Done, Explained, Stats)


class Away(Exception):
    """The process is not there, hangs or speaks another version; the message says so to an operator."""


def stats(state_dir: Path, patience: float = _PATIENCE) -> Stats:
    """How it stands. Raises `Away`."""
    return _asked(state_dir, Count(1), Stats, patience)


def feedback(state_dir: Path, call_id: int, *, correct: bool, patience: float = _PATIENCE) -> bool:
    """Say whether what a call was served answered its question. False: no such call is known. Raises `Away`."""
    return _asked(state_dir, Feedback(1, call_id, correct), Done, patience).known


def explain(state_dir: Path, call_id: int, patience: float = _PATIENCE) -> Explained | None:
    """What came of a call's comparison, None = no such call is known. Raises `Away`."""
    found = _asked(state_dir, Explain(1, call_id), Explained, patience)
    return found if found.known else None


def _asked(state_dir: Path, request: Request, kind: type[R], patience: float) -> R:
    frames, decode = Frames(), replies().decode
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(str(state_dir / NAME))
            connection.sendall(encode(request))
            while data := connection.recv(_READ):
                for payload in frames.feed(data):
                    reply = decode(payload)
                    if isinstance(reply, kind):
                        return reply
    except TimeoutError:
        raise Away(f"the semantic process does not answer within {patience:g} s") from None
    except OSError as error:
        raise Away(
            f"the semantic process is not there ({error.strerror or error}): it runs while a strategy's "
            "caching.semantic.mode is shadow or on, and the extra `semantic` is installed"
        ) from None
    except ValueError:
        raise Away("the semantic process is of another version: restart the gate") from None
    raise Away("the semantic process closed the connection")
