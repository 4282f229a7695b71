"""One worker as the supervisor keeps it."""

import socket
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from tidegate.supervisor.messages import Part, WorkerState
from tidegate.supervisor.service import Service

Now = Callable[[], float]  # monotonic seconds
GRACE = 1.0  # seconds beyond a worker's own drain time before it is killed


class Setting(NamedTuple):
    """What all workers share."""

    host: str
    module: str
    state_dir: str


class Worker:
    """A service with its port, what it serves, and what it was told. Without a namespace it is a main one."""

    __slots__ = (
        "group", "home", "inherits", "listener", "number", "owed", "part", "place", "restarts", "service", "successor",
        "trouble", "until", "version",
    )  # fmt: skip

    def __init__(
        self, part: Part, number: int, place: str, home: str, listener: socket.socket, service: Service
    ) -> None:
        self.part = part
        self.number = number
        self.place = place  # `supervisor/homes.py`
        self.home = home
        self.listener = listener
        self.service = service
        self.version = 0  # of the configuration that it was told last
        self.owed: deque[int] = deque()  # versions that it was told and has not answered
        self.restarts = 0
        self.inherits = False  # its port is another worker's until that one leaves
        self.group = ""  # the cgroup that it is bounded by
        self.trouble = ""  # why there is none though there should be
        self.until = 0.0  # when it is killed, once it leaves
        self.successor: Worker | None = None  # starts when this one has left

    @property
    def namespace(self) -> str:
        """Whose it is; "" = everybody else's."""
        return self.part.namespace

    @property
    def title(self) -> str:
        """How it is called in the log."""
        return f"{self.service.name} ({self.namespace})" if self.namespace else self.service.name

    def state(self) -> WorkerState:
        """As the control process is told."""
        return WorkerState(
            self.number,
            self.namespace,
            self.service.pid,
            self.service.ready,
            int(self.listener.getsockname()[1]) if self.listener.fileno() >= 0 else 0,
            self.restarts,
            self.part.cpu_permille,
            self.group,
            self.trouble,
        )
