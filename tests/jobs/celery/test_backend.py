"""Giving jobs to real brokers: confirmed, or `BackendDown` soon and without a secret."""

import itertools
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from harness.servers.broker import Broker
from tidegate.jobs.celery.backend import CeleryBackend
from tidegate.jobs.celery.names import TASK, dead_of, queue_of
from tidegate.jobs.faces import BackendDown
from tidegate.jobs.records import Dispatch

PATIENCE = 10.0
SILENCE_S = 0.5
NUMBERS = itertools.count()


@pytest.fixture
def queue() -> str:
    return f"tidegate.jobs.test{next(NUMBERS)}"


@pytest.fixture
def backend(broker: Broker, queue: str) -> Iterator[CeleryBackend]:
    made = CeleryBackend(broker.url, queue)
    yield made
    made.close()


def taken(url: str, queue: str, count: int) -> list[tuple[dict[str, object], object]]:
    """So many messages of a queue: what a worker of Celery would see."""
    seen = []
    with Connection(url) as connection, connection.SimpleQueue(queue_there(connection, queue), no_ack=True) as there:
        for _ in range(count):
            message = there.get(timeout=PATIENCE)
            seen.append((message.headers, message.payload))
    return seen


def queue_there(connection: Connection, queue: str) -> object:
    from tidegate.jobs.celery.settings import job_queue

    return job_queue(connection.as_uri(), queue)


def wrong(url: str) -> str:
    """Its URL with another password."""
    password = urlsplit(url).password or ""
    return url.replace(f":{password}@", ":not-this-one@")


def published(backend: CeleryBackend, dispatch: Dispatch) -> None:
    """As soon as the broker keeps up again."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            return backend.publish([dispatch])
        except BackendDown:
            assert time.monotonic() < limit


def test_jobs_come_in_order_as_tasks(backend: CeleryBackend, broker: Broker, queue: str) -> None:
    """Each is a message of Celery's that names the task, the job and its fence; they wait in the order of the rows."""
    backend.publish([Dispatch(f"job_{number}", number, priority=-number) for number in range(3)])
    seen = taken(broker.url, queue, 3)
    assert [headers["task"] for headers, _ in seen] == [TASK] * 3
    assert [headers["id"] for headers, _ in seen] == ["job_0.0", "job_1.1", "job_2.2"]
    assert [payload[0] for _, payload in seen] == [["job_0", 0], ["job_1", 1], ["job_2", 2]]


def test_many_are_confirmed_together(backend: CeleryBackend, broker: Broker, queue: str) -> None:
    """More than go together at once: all are there when it returns."""
    backend.publish([Dispatch(f"job_{number}", 0) for number in range(1_200)])
    assert len({str(headers["id"]) for headers, _ in taken(broker.url, queue, 1_200)}) == 1_200


def test_nothing_is_given(backend: CeleryBackend) -> None:
    """No jobs are no error."""
    backend.publish([])


def test_a_broker_that_died_is_down_until_it_is_back(redis_broker: Broker, queue: str) -> None:
    """It is told at once that it is down; when it is back, empty, jobs are taken again."""
    backend = CeleryBackend(redis_broker.url, queue)
    backend.publish([Dispatch("job_1", 0)])
    redis_broker.kill()
    with pytest.raises(BackendDown, match="takes no jobs: .*refused"):
        backend.publish([Dispatch("job_2", 0)])
    redis_broker.start()
    backend.publish([Dispatch("job_2", 0)])
    assert [headers["id"] for headers, _ in taken(redis_broker.url, queue, 1)] == ["job_2.0"]
    backend.close()


def test_a_connection_that_broke_meanwhile_is_replaced(redis_broker: Broker, queue: str) -> None:
    """Who was restarted between two calls is asked again over a new connection, and nobody hears of it."""
    backend = CeleryBackend(redis_broker.url, queue)
    backend.publish([Dispatch("job_1", 0)])
    redis_broker.kill()
    redis_broker.start()
    backend.publish([Dispatch("job_2", 0)])
    backend.close()


def test_a_frozen_broker_is_down_in_bounded_time(broker: Broker, queue: str) -> None:
    """On a connection that there is, and on a new one: silence is an error after a time-out."""
    backend = CeleryBackend(broker.url, queue, SILENCE_S)
    published(backend, Dispatch("job_1", 0))
    broker.freeze()
    for _ in range(2):
        with pytest.raises(BackendDown, match="it says nothing"):
            backend.publish([Dispatch("job_2", 0)])
    broker.freeze(signal.SIGCONT)
    published(backend, Dispatch("job_2", 0))
    backend.close()


def test_no_secret_is_told(broker: Broker, queue: str) -> None:
    """A wrong password is not in the message, nor in the name."""
    backend = CeleryBackend(wrong(broker.url), queue)
    with pytest.raises(BackendDown) as caught:
        backend.publish([Dispatch("job_1", 0)])
    assert "not-this-one" not in f"{caught.value}{backend.name}"
    assert str(caught.value).startswith(f"{backend.name} takes no jobs: ")


def test_gates_that_share_a_broker_have_queues_of_their_own() -> None:
    """The queue's name follows from the secret of the rows, and tells nothing of it."""
    assert queue_of(b"a" * 32) == queue_of(b"a" * 32) != queue_of(b"b" * 32)
    assert queue_of(b"a" * 32).startswith("tidegate.jobs.")
    assert dead_of("tidegate.jobs.x") == "tidegate.jobs.x.dead"
