"""What is ours of Celery's consumer."""

import logging
from contextlib import suppress
from types import SimpleNamespace

import pytest
from celery.worker.consumer import Consumer
from kombu import Connection

from harness.servers.broker import Broker
from tidegate.jobs.celery.backend import CeleryBackend
from tidegate.jobs.celery.consumer import JobConsumer, told
from tidegate.jobs.celery.settings import job_queue
from tidegate.jobs.records import Dispatch


def test_a_message_of_a_lost_connection_is_left(redis_broker: Broker) -> None:
    """To acknowledge it raises what ends a worker of Celery's; here it is left, for the broker gives it again."""
    backend = CeleryBackend(redis_broker.url, "tidegate.jobs.left")
    backend.publish([Dispatch("job_1", 0)])
    backend.close()
    connection = Connection(redis_broker.url)
    message = job_queue(redis_broker.url, "tidegate.jobs.left")(connection.default_channel).get()
    errors = connection.connection_errors
    connection.collect()  # as Celery does with one that is lost,
    message.channel._disconnect_pools()  # which then has nothing left to connect by
    words = (logging.getLogger("nobody"), errors)
    with pytest.raises(AttributeError):
        message.ack_log_error(*words)
    told(message.ack_log_error, *words)
    assert not message.acknowledged


def a_lost_one(kind: type[Consumer], broker: Broker) -> Consumer:
    """What Celery has when its broker died: a message is not acknowledged yet, and both channels wait for more."""
    backend = CeleryBackend(broker.url, "tidegate.jobs.lost")
    backend.publish([Dispatch("job_1", 0)])
    backend.close()
    connection = Connection(broker.url)
    for channel, name in ((connection.default_channel, "lost"), (connection.channel(), "silent")):
        queue = job_queue(broker.url, f"tidegate.jobs.{name}")
        connection.Consumer(queue, channel=channel, callbacks=[lambda *_: None]).consume()
    connection.drain_events(timeout=10)
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.01)
    consumer = object.__new__(kind)
    conf = SimpleNamespace(
        worker_cancel_long_running_tasks_on_connection_loss=True, worker_enable_prefetch_count_reduction=False
    )
    consumer.app = SimpleNamespace(conf=conf)
    consumer.connection = connection
    broker.kill()
    return consumer


def test_a_connection_that_is_lost_is_let_go(redis_broker: Broker) -> None:
    """Celery closes it twice, finds nothing the second time and ends; here it goes on, without it."""
    lost = ConnectionError("lost")
    with pytest.raises(AttributeError):
        a_lost_one(Consumer, redis_broker).on_connection_error_after_connected(lost)
    redis_broker.start()
    consumer = a_lost_one(JobConsumer, redis_broker)
    consumer.on_connection_error_after_connected(lost)
    assert consumer.connection is None


@pytest.mark.parametrize(("of", "raised"), [(None, ConnectionError), (object(), AttributeError)])
def test_a_connection_that_is_gone_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, of: object, raised: type[Exception]
) -> None:
    """What kombu stumbles over then, Celery takes for a defect of its own, and ends; any other defect stays one."""

    def start(_blueprint: object, _consumer: object) -> None:
        assert of.hostname  # type: ignore[attr-defined]

    monkeypatch.setattr(Consumer.Blueprint, "start", start)
    blueprint = object.__new__(JobConsumer.Blueprint)
    with pytest.raises(raised):
        blueprint.start(object.__new__(JobConsumer))


def test_no_queues_for_tasks_that_wait() -> None:
    """All of Celery's steps but the one that declares 28 exchanges and queues for them."""
    ours, theirs = set(JobConsumer.Blueprint.default_steps), set(Consumer.Blueprint.default_steps)
    assert theirs - ours == {"celery.worker.consumer.delayed_delivery:DelayedDelivery"}
    assert ours < theirs
