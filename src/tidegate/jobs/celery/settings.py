"""Celery's settings for a broker, and the queues that it has.

What each is for was found by killing workers: without the two `unacked_restore_*`, a message that was with a killed
worker comes back after minutes; `visibility_timeout` is longer than an attempt, so that none is given twice in regular
work. Nobody waits for either: a job whose runner died is dispatched anew by its row's lease.
"""

import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kombu import Exchange, Queue

from tidegate.jobs.celery.names import TASK, dead_of
from tidegate.model.jobs import JobSettings
from tidegate.policy.jobs import shares

CONNECT_SECONDS: Final = 3.0
SILENCE_SECONDS: Final = 5.0  # of a broker that was asked something: it hangs, or is not there any more
_HEARTBEAT_SECONDS: Final = 10
_DELIVERIES: Final = 10  # of one message, until RabbitMQ takes it for poison
_DEAD_MOST: Final = 10_000  # messages that are kept to be looked at
_DEAD_MS: Final = 7 * 86_400_000
_MARGIN_SECONDS: Final = 60


def is_redis(url: str) -> bool:
    """Redis or Valkey, with or without TLS; else it is RabbitMQ."""
    return url.startswith("redis")


def configuration(url: str, queue: str, jobs: JobSettings) -> dict[str, object]:
    """For `Celery.conf`."""
    return {
        "broker_url": url,
        "broker_transport_options": transport_options(url, queue, jobs),
        "broker_use_ssl": tls(url),
        "broker_connection_timeout": CONNECT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker waits for its broker as long as it takes
        "broker_heartbeat": _HEARTBEAT_SECONDS,
        "broker_heartbeat_checkrate": 2.0,
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": queue,
        "task_queues": [job_queue(url, queue)],
        "task_create_missing_queues": False,
        "task_routes": {TASK: {"queue": queue}},
        "worker_prefetch_multiplier": 1,
        "worker_pool": "threads",
        "worker_concurrency": shares.places(jobs.concurrency),
        "worker_consumer": "tidegate.jobs.celery.consumer:JobConsumer",
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def tls(url: str) -> dict[str, object] | bool:
    """The certificate is asked for, and is to be that of the URL's host: neither is kombu's default.

    Authorities are the system's, or those of `SSL_CERT_FILE`.
    """
    if url.startswith("rediss"):
        return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    if url.startswith("amqps"):
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": urlsplit(url).hostname}
    return False


def transport_options(url: str, queue: str, jobs: JobSettings, silence_s: float = SILENCE_SECONDS) -> dict[str, object]:
    """Kombu's, for who gives and who takes."""
    if not is_redis(url):
        return {}
    return {
        "visibility_timeout": jobs.call_deadline_us // 1_000_000 + _MARGIN_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "unacked_key": f"{queue}.unacked",
        "unacked_index_key": f"{queue}.unacked_index",
        "unacked_mutex_key": f"{queue}.unacked_mutex",
        "priority_steps": [0],  # one list for a queue: who is next is decided by the rows
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": silence_s,
        "socket_keepalive": True,
        "health_check_interval": int(SILENCE_SECONDS),
    }


def job_queue(url: str, queue: str) -> Queue:
    """Where the ids wait. The default exchange brings them there: no binding is lost with a broker's data."""
    arguments: Mapping[str, object] | None = None
    if not is_redis(url):
        dead = dead_of(queue)
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": _DELIVERIES, "x-dead-letter-exchange": dead}
    return Queue(queue, exchange=Exchange(""), routing_key=queue, durable=True, queue_arguments=arguments)


def dead_queue(queue: str) -> Queue:
    """RabbitMQ's alone: messages that came back ten times. Their jobs are dispatched anew by their rows."""
    name = dead_of(queue)
    bounds: Mapping[str, object] = {"x-queue-type": "quorum", "x-max-length": _DEAD_MOST, "x-message-ttl": _DEAD_MS}
    return Queue(name, Exchange(name, "fanout", durable=True), durable=True, queue_arguments=bounds)
