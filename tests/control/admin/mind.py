"""A process that compares questions, as the admin API meets it: it knows one call."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.cache.semantic_frames import (
    NAME,
    Count,
    Done,
    Explain,
    Explained,
    Feedback,
    Frames,
    Reply,
    Request,
    Stats,
    encode,
    requests,
)


class Mind:
    """What it was told, and what it answers."""

    def __init__(self, known: int) -> None:
        self.known = known
        self.told: list[tuple[int, bool]] = []

    def answer(self, said: Request) -> Reply | None:
        """As the real one does."""
        if isinstance(said, Count):
            return Stats(said.id, embedder="offline", entries=3, asked=9, refused={"below": 4})
        if isinstance(said, Explain):
            return Explained(said.id, said.call_id == self.known, 1, 930, 5, True, "", "right", observations=7)
        if isinstance(said, Feedback):
            self.told.append((said.call_id, said.correct))
            return Done(said.id, said.call_id == self.known)
        return None

    def serve(self, listener: socket.socket) -> None:
        """One client after the other, until the socket is closed."""
        decode = requests().decode
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                frames = Frames()
                for payload in frames.feed(connection.recv(65_536)):
                    reply = self.answer(decode(payload))
                    if reply is not None:
                        connection.sendall(encode(reply))


@contextmanager
def mind(folder: Path, known: int = 1) -> Iterator[Mind]:
    """It listens in this state directory."""
    made = Mind(known)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / NAME))
        listener.listen()
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    (folder / NAME).unlink()
