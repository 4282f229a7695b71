"""Real brokers."""

from tests.brokers import broker, rabbitmq, rabbitmq_server, redis_broker, redis_server

__all__ = ["broker", "rabbitmq", "rabbitmq_server", "redis_broker", "redis_server"]
