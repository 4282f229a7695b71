"""Real servers, for all tests of the room."""

from tests.servers import redis, redis_process, sentinels, server, slots, valkey, valkey_process

__all__ = ["redis", "redis_process", "sentinels", "server", "slots", "valkey", "valkey_process"]
