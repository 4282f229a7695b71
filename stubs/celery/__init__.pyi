from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celery.exceptions import Reject as Reject

class Message:
    headers: dict[str, object]
    properties: dict[str, Any]
    body: object

class AMQP:
    def create_task_message(
        self, task_id: str, name: str, args: Sequence[object], *, ignore_result: bool
    ) -> Message: ...

class Settings:
    def update(self, changes: Mapping[str, object]) -> None: ...
    def __getitem__(self, name: str) -> Any: ...

class Task: ...

class Celery:
    amqp: AMQP
    conf: Settings
    def __init__(self, main: str, *, set_as_current: bool = True) -> None: ...
    def task(self, *, name: str) -> Callable[[Callable[..., object]], Task]: ...
    def close(self) -> None: ...
