from celery import Celery

class Worker:
    exitcode: int | None
    def __init__(
        self,
        app: Celery,
        *,
        hostname: str,
        quiet: bool,
        without_gossip: bool,
        without_mingle: bool,
        loglevel: str,
    ) -> None: ...
    def start(self) -> None: ...
