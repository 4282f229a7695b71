"""What a worker of Celery does with a broker, less what jobs have no use for."""

from celery.worker.consumer import Consumer

_UNUSED = "delayed_delivery"  # 28 exchanges and queues of RabbitMQ for tasks that wait: jobs wait in their rows


class JobConsumer(Consumer):
    """Celery's own."""

    class Blueprint(Consumer.Blueprint):
        """Its steps."""

        default_steps = [step for step in Consumer.Blueprint.default_steps if _UNUSED not in step]
