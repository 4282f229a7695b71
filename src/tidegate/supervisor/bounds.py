"""Workers in their cgroups, as far as this machine allows."""

from collections.abc import Iterable

from tidegate.observe.log import Log
from tidegate.supervisor.cgroup import Groups, NoGroups
from tidegate.supervisor.worker import Worker


class Bounds:
    """The groups of a gate's workers. What cannot be had is said once, and lived without."""

    __slots__ = ("_complaint", "_groups", "_log", "_state_dir")

    def __init__(self, state_dir: str, log: Log) -> None:
        self._state_dir = state_dir
        self._log = log
        self._groups: Groups | None = None
        self._complaint = ""

    def put(self, worker: Worker) -> None:
        """Its process into a group with its limit, when it has one."""
        permille = worker.part.cpu_permille
        if not permille and not worker.group:
            return
        try:
            if self._groups is None:
                self._groups = Groups(self._state_dir)
            worker.group = self._groups.make(worker.namespace, permille)
            if worker.service.pid:
                self._groups.admit(worker.group, worker.service.pid)
            worker.trouble = ""
        except NoGroups as error:
            worker.group, worker.trouble = "", str(error)
            if worker.trouble != self._complaint:
                self._complaint = worker.trouble
                self._log.warning("CPU limits are not enforced; all else works", reason=worker.trouble)

    def gone(self, worker: Worker, others: Iterable[Worker]) -> None:
        """It has ended: its group goes, unless one of the others is in it."""
        if self._groups is not None and worker.group and all(one.group != worker.group for one in others):
            self._groups.discard(worker.group)

    def close(self) -> None:
        """Give everything back; all processes have ended."""
        if self._groups is not None:
            self._groups.close()
