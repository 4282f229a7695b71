"""Which snapshot is in force, and which one is on trial. No I/O."""

from tidegate.planes.messages import Load, Loaded


class Configuration:
    """A new snapshot is on trial until the worker says it serves by it; should it not, the last good one stays."""

    __slots__ = ("_trial", "good", "loads", "version")

    def __init__(self) -> None:
        self.good: Loaded | None = None
        self.version = 0  # of the good one
        self.loads = 0  # runs of the loader so far; the next snapshot's version
        self._trial: tuple[int, Loaded] | None = None

    @property
    def on_trial(self) -> bool:
        """Does the worker still owe a verdict?"""
        return self._trial is not None

    def next_version(self) -> int:
        """Count one more run of the loader."""
        self.loads += 1
        return self.loads

    def offer(self, loaded: Loaded) -> Load:
        """Put a snapshot on trial. The very first is good at once: there is nothing to go back to."""
        if self.good is None:
            self.good = loaded
            self.version = self.loads
        else:
            self._trial = (self.loads, loaded)
        return Load(loaded.snapshot)

    def accepted(self) -> bool:
        """The worker serves by what it was sent last; True when that was a trial."""
        if self._trial is None:
            return False
        self.version, self.good = self._trial
        self._trial = None
        return True

    def refused(self) -> bool:
        """The worker would not take what it was sent last, or died of it; True when that was a trial."""
        trial, self._trial = self._trial, None
        return trial is not None

    def load(self) -> Load | None:
        """What a worker starts from."""
        return Load(self.good.snapshot) if self.good is not None else None
