"""An admin port on a socket, as commands find one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from tests.control.admin.desk import Desk


@contextmanager
def served(folder: Path) -> Iterator[tuple[Desk, str]]:
    """A desk and its URL, until the end."""
    desk = Desk(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(desk.front.guarded, lifespan="off", ws="none", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield desk, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        if desk.engine is not None:
            desk.engine.dispose()
