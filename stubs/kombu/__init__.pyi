from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from kombu.transport.pyamqp import Channel

class Exchange:
    def __init__(self, name: str, kind: str = "direct", *, durable: bool = True) -> None: ...

class Queue:
    def __init__(
        self,
        name: str,
        exchange: Exchange,
        routing_key: str = "",
        *,
        durable: bool = True,
        queue_arguments: Mapping[str, object] | None = None,
    ) -> None: ...
    def __call__(self, channel: Channel) -> Queue: ...
    def declare(self) -> str: ...

class Connection:
    connection: Any
    default_channel: Channel
    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float,
        heartbeat: int,
        ssl: Mapping[str, object] | bool,
        transport_options: Mapping[str, object],
    ) -> None: ...
    def ensure_connection(
        self, *, max_retries: int, interval_start: float = 2, interval_step: float = 2, interval_max: float = 30
    ) -> Connection: ...
    def close(self) -> None: ...
    def collect(self, *, socket_timeout: float) -> None: ...

class Producer:
    def __init__(self, channel: Channel, *, serializer: str) -> None: ...
    def batch(self, max_size: int) -> AbstractContextManager[object]: ...
    def publish(
        self, body: object, *, exchange: str, routing_key: str, headers: Mapping[str, object], **properties: Any
    ) -> object: ...
