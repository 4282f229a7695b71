"""A worker of Celery's in a thread of a process whose main thread has an event loop of its own."""

import asyncio
import os
import socket
import threading
from typing import Final

from celery import Celery
from celery.apps.worker import Worker
from celery.worker import state
from kombu.asynchronous import get_event_loop

from tidegate.jobs.celery.words import quiet
from tidegate.observe.log import Log

_PAUSE_SECONDS: Final = 1.0  # after Celery ended by an error of its own


class Crew:
    """One for a process, for Celery keeps its state in modules. `over` is done when it has stopped."""

    __slots__ = ("_app", "_log", "_loop", "_stopping", "_thread", "over")

    def __init__(self, app: Celery, url: str, log: Log) -> None:
        quiet(log, url)
        self._app = app
        self._log = log
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="celery", daemon=True)

    def start(self) -> None:
        """Take messages, from now on; without a broker, as soon as there is one."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more; it is over when what runs has ended and the broker was told. For the loop's thread."""
        self._stopping.set()
        state.should_stop = 0
        hub = get_event_loop()
        if hub is not None:
            hub.call_soon(_nothing)  # it would look up within two seconds by itself

    def _run(self) -> None:
        try:
            self._work()
            while not self._stopping.wait(_PAUSE_SECONDS):
                self._log.error("Celery has stopped, and is begun again")
                self._work()
        finally:
            self._loop.call_soon_threadsafe(self._ended)

    def _work(self) -> None:
        worker = Worker(
            app=self._app,
            hostname=f"tidegate-{os.getpid()}@{socket.gethostname()}",
            quiet=True,
            without_gossip=True,  # workers have nothing to tell each other
            without_mingle=True,
            loglevel="WARNING",
        )
        worker.start()

    def _ended(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


def _nothing() -> None:
    """Something to do."""
