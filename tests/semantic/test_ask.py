"""Who is no worker asks the process: what it is told when nobody, or somebody else, answers."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidegate.cache.semantic_frames import NAME, Done, Stats, Told, encode
from tidegate.semantic import ask

TOLD = Told(9, b"", 0, 0, serve=False, explore=False, why="none")


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Whoever connects is told this, and that is the end of it."""
    threads: list[threading.Thread] = []

    def serve(data: bytes) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(tmp_path / NAME))
        listener.listen()

        def once() -> None:
            with listener:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4_096)
                    connection.sendall(data)

        threads.append(threading.Thread(target=once))
        threads[-1].start()

    yield serve
    for thread in threads:
        thread.join(10)


def test_the_reply_is_the_one_that_was_asked_for(tmp_path: Path, answering: Callable[[bytes], None]) -> None:
    """Whatever else is said."""
    answering(encode(TOLD) + encode(Stats(1, entries=7)))
    assert ask.stats(tmp_path).entries == 7


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "closed the connection"), (encode(TOLD), "closed the connection"), (b"\0\0\0\1\xc1", "another version")],
)
def test_no_reply_is_said_so(tmp_path: Path, answering: Callable[[bytes], None], data: bytes, said: str) -> None:
    """In words for an operator."""
    answering(data)
    with pytest.raises(ask.Away, match=said):
        ask.feedback(tmp_path, 1, correct=True)


def test_nobody_there_is_said_with_the_remedy(tmp_path: Path) -> None:
    """When the process runs, and what it needs."""
    with pytest.raises(ask.Away, match=r"caching\.semantic\.mode"):
        ask.explain(tmp_path, 1)


def test_an_unknown_call_is_no_error(tmp_path: Path, answering: Callable[[bytes], None]) -> None:
    """It is said."""
    answering(encode(Done(1, known=False)))
    assert not ask.feedback(tmp_path, 1, correct=True)
