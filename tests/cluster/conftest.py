"""Real servers, for all tests of the room."""

from tests.servers import mortal_valkey, redis, redis_process, sentinels, server, slots, valkey, valkey_process

__all__ = [
    "mortal_valkey", "redis", "redis_process", "sentinels", "server", "slots", "valkey", "valkey_process",
]  # fmt: skip
