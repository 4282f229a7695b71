"""One connection over which jobs are given to a broker, whichever it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from amqp.exceptions import AMQPError, MessageNacked
from celery import Celery
from kombu import Connection, Producer
from kombu.exceptions import KombuError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from tidegate.jobs.celery.confirms import Confirms
from tidegate.jobs.celery.names import TASK, task_id
from tidegate.jobs.celery.settings import (
    CONNECT_SECONDS,
    configuration,
    dead_queue,
    is_redis,
    job_queue,
    tls,
    transport_options,
)
from tidegate.jobs.records import Dispatch
from tidegate.model.jobs import JobSettings

_BATCH: Final = 1_000  # messages that are on their way together
_ERRORS: Final = (KombuError, AMQPError, MessageNacked, RedisError, OSError)


class Broken(Exception):
    """It is of no use any more. `silent`: the broker hangs, or cannot be heard."""

    def __init__(self, message: str, *, silent: bool) -> None:
        super().__init__(message)
        self.silent = silent


class Link:
    """Connected, with its queues declared."""

    __slots__ = ("_app", "_confirms", "_connection", "_producer", "_queue", "_silence_s")

    def __init__(self, url: str, queue: str, silence_s: float) -> None:
        """Raises `Broken`, after `silence_s` without a word from the broker."""
        jobs = JobSettings()
        self._silence_s = silence_s
        self._queue = queue
        self._app = Celery(TASK, set_as_current=False)
        self._app.conf.update(configuration(url, queue, jobs))
        options = transport_options(url, queue, jobs, silence_s)
        limit = min(CONNECT_SECONDS, silence_s)
        self._connection = Connection(url, connect_timeout=limit, heartbeat=0, ssl=tls(url), transport_options=options)
        self._confirms: Confirms | None = None
        with _told():
            self._producer = self._open(url)

    def send(self, sent: Sequence[Dispatch]) -> None:
        """Returns when all are confirmed. Raises `Broken`."""
        with _told():
            for begin in range(0, len(sent), _BATCH):
                self._send(sent[begin : begin + _BATCH])

    def close(self) -> None:
        """Without a word to a broker that may hang."""
        with suppress(*_ERRORS):
            self._connection.collect(socket_timeout=CONNECT_SECONDS)

    def _open(self, url: str) -> Producer:
        connection = self._connection
        try:
            connection.ensure_connection(max_retries=0)
            if not is_redis(url):
                connection.connection.transport.sock.settimeout(self._silence_s)
            channel = connection.default_channel
            job_queue(url, self._queue)(channel).declare()
            if not is_redis(url):
                dead_queue(self._queue)(channel).declare()
                self._confirms = Confirms(channel)
        except BaseException:
            self.close()
            raise
        return Producer(channel, serializer="json")

    def _send(self, sent: Sequence[Dispatch]) -> None:
        with self._producer.batch(_BATCH):
            for dispatch in sent:
                self._publish(dispatch)
        if self._confirms is not None:
            self._confirms.wait(len(sent))

    def _publish(self, dispatch: Dispatch) -> None:
        words = [dispatch.id, dispatch.fence]
        message = self._app.amqp.create_task_message(task_id(dispatch), TASK, words, ignore_result=True)
        self._producer.publish(
            message.body, exchange="", routing_key=self._queue, headers=message.headers, **message.properties
        )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise _broken(error) from None


def _broken(error: BaseException) -> Broken:
    real = error.__cause__ if isinstance(error, KombuError) and error.__cause__ is not None else error
    if isinstance(real, (TimeoutError, RedisTimeout)):
        return Broken("it says nothing", silent=True)
    if isinstance(real, MessageNacked):
        return Broken("it refuses them", silent=False)
    return Broken(str(real) or type(real).__name__, silent=False)
