"""Gives job ids to a broker, as messages of Celery's, and returns when it has them."""

import threading
from collections.abc import Sequence

from tidegate.jobs.celery.link import Broken, Link
from tidegate.jobs.celery.settings import SILENCE_SECONDS
from tidegate.jobs.celery.words import secrets_of, without
from tidegate.jobs.faces import BackendDown
from tidegate.jobs.records import Dispatch
from tidegate.model.jobs import shown


class CeleryBackend:
    """`faces.Backend` over one connection, which is opened when it is first used and after each error."""

    __slots__ = ("_link", "_lock", "_queue", "_silence_s", "_url", "name")

    def __init__(self, url: str, queue: str, silence_s: float = SILENCE_SECONDS) -> None:
        """`queue` is `names.queue_of` the rows' secret. A broker that says nothing for `silence_s` is down."""
        self.name = shown(url)
        self._url = url
        self._queue = queue
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._link: Link | None = None

    def publish(self, sent: Sequence[Dispatch]) -> None:
        """Returns when the broker has confirmed all. Raises `BackendDown`, also when it is silent.

        A connection that broke since it was last used is replaced, and all is sent again: messages may come twice.
        """
        with self._lock:
            if self._link is None or not self._sent(self._link, sent):
                self._anew(sent)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _sent(self, link: Link, sent: Sequence[Dispatch]) -> bool:
        """False: the kept connection is none any more. Who hangs is not asked twice."""
        try:
            link.send(sent)
        except Broken as error:
            self._drop()
            if error.silent:
                raise BackendDown(self._told(error)) from None
            return False
        return True

    def _anew(self, sent: Sequence[Dispatch]) -> None:
        try:
            self._link = Link(self._url, self._queue, self._silence_s)
            self._link.send(sent)
        except Broken as error:
            self._drop()
            raise BackendDown(self._told(error)) from None

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _told(self, error: Broken) -> str:
        return f"{self.name} takes no jobs: {without(str(error), secrets_of(self._url))}"
