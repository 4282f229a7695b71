"""Which configuration is in force, and which one is on trial. No I/O."""

from collections.abc import Iterable

from tidegate.supervisor.messages import Loaded


class Configuration:
    """A new configuration is on trial until every worker says it serves by it; should one not, the last good one stays.

    The very first is good at once: there is nothing to go back to.
    """

    __slots__ = ("_owing", "_trial", "good", "loads", "postponed", "version", "why")

    def __init__(self) -> None:
        self.good: Loaded | None = None
        self.version = 0  # of the good one
        self.loads = 0  # runs of the loader so far; the next configuration's version
        self.postponed: Loaded | None = None  # it is to be offered when workers can be asked
        self.why = ""  # the last one that was refused, was so
        self._trial: tuple[int, Loaded] | None = None
        self._owing: set[str] = set()  # workers without a verdict

    @property
    def on_trial(self) -> bool:
        """Does a worker still owe a verdict?"""
        return self._trial is not None or self.postponed is not None

    def next_version(self) -> int:
        """Count one more run of the loader."""
        self.loads += 1
        return self.loads

    def offer(self, loaded: Loaded, workers: Iterable[str] = ("",)) -> None:
        """Put a configuration on trial before these workers, each by a name of its own."""
        if self.good is None:
            self.good = loaded
            self.version = self.loads
        else:
            self._trial = (self.loads, loaded)
            self._owing = set(workers)

    def current(self, namespace: str) -> tuple[int, bytes] | None:
        """Version and snapshot that a worker is to be told now: the trial's, else the good one's; None = nothing.

        By the namespace that is its own, "" = a main one's.
        """
        version, loaded = self._trial or (self.version, self.good)
        snapshot = None if loaded is None else _snapshot(loaded, namespace)
        return None if snapshot is None else (version, snapshot)

    def accepted(self, worker: str, version: int) -> bool:
        """A worker serves by this version; True when it was the last one that a trial waited for."""
        if self._trial is None or version != self._trial[0]:
            return False
        self._owing.discard(worker)
        if self._owing:
            return False
        self.version, self.good = self._trial
        self._trial = None
        return True

    def tried(self, version: int) -> bool:
        """Is this the version that is on trial?"""
        return self._trial is not None and version == self._trial[0]

    def refused(self, why: str = "") -> bool:
        """A worker would not take the trial, or died of it; True when there was one."""
        trial, self._trial = self._trial, None
        self.why = why if trial is not None else self.why
        return trial is not None


def _snapshot(loaded: Loaded, namespace: str) -> bytes | None:
    if not namespace:
        return loaded.snapshot
    return next((part.snapshot for part in loaded.parts if part.namespace == namespace), None)
