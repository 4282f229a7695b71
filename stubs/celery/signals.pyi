from collections.abc import Callable

class Signal:
    def connect(self, receiver: Callable[..., object], *, weak: bool = True) -> object: ...
    def disconnect(self, receiver: Callable[..., object]) -> bool: ...

setup_logging: Signal
worker_ready: Signal
worker_shutdown: Signal
worker_shutting_down: Signal
worker_process_init: Signal
