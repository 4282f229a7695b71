"""What a worker of Celery does with a broker, less what jobs have no use for."""

from collections.abc import Callable
from functools import partial
from typing import Final

from celery.worker.consumer import Consumer
from kombu import Connection

_UNUSED: Final = "delayed_delivery"  # 28 exchanges and queues of RabbitMQ for tasks that wait: jobs wait in their rows
_STEP: Final = 1.0  # seconds: how much later the next try to connect is
_LONGEST: Final = 10.0  # Celery's 32 are too long for those who wait


class JobConsumer(Consumer):
    """Celery's own, which is back soon after its broker is, and outlives what it cannot acknowledge."""

    class Blueprint(Consumer.Blueprint):
        """Its steps."""

        default_steps = [step for step in Consumer.Blueprint.default_steps if _UNUSED not in step]

        def start(self, parent: Consumer) -> None:
            """Run until it is stopped. Raises `ConnectionError`, upon which Celery connects anew."""
            try:
                super().start(parent)
            except AttributeError as error:
                if error.obj is not None:
                    raise
                raise ConnectionError("kombu asked a connection that was closed meanwhile") from error

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, however long it takes."""
        soon = partial(conn.ensure_connection, interval_start=_STEP, interval_step=_STEP, interval_max=_LONGEST)
        conn.ensure_connection = soon  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of one that is lost. Celery closes it twice, and would end by what kombu does not find any more then.

        It would take nothing until the last job that it runs has ended.
        """
        connection = self.connection
        connection.close = partial(told, connection.close)  # type: ignore[method-assign]
        super().on_connection_error_after_connected(exc)

    def call_soon_ack(self, p: Callable[..., object], *args: object) -> object:
        """Acknowledge or give back, soon and on Celery's own thread."""
        return super().call_soon_ack(partial(told, p), *args)


def told(tell: Callable[..., object], *args: object) -> None:
    """Tell the broker what became of a message or a connection, where that can still be told."""
    try:
        tell(*args)
    except Exception:  # noqa: BLE001 - kombu raises whatever it stumbles over, and Celery would end by it
        return  # the connection that brought the message is gone: it comes again, and is an old one then
