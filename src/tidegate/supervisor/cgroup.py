"""Control groups: the kernel bounds what a process may use of the CPU.

Version 2, and version 1 where that has the cpu controller (Linux: cgroups(7); in the kernel's documentation
admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst).

A limit is a quota in each period. The period is 10 ms rather than the usual 100 ms: who used its part up waits at most
for the rest of a period, and a call's answer is that much later. The kernel takes no quota below 1 ms, so limits below
100 thousandths have longer periods. What was not used in a period is lost: there is no burst.

`os` rather than `pathlib`, which would cost the supervisor 5 ms of its start.
"""

import contextlib
import os
import zlib
from typing import NamedTuple

_PERIOD_US = 10_000
_LEAST_QUOTA_US = 1_000
_REST = "rest"  # the gate's other processes, where version 2 lets no process live beside groups
_PROCESSES = "/cgroup.procs"


class NoGroups(Exception):
    """Groups cannot be made: what is missing, and the remedy."""


class Place(NamedTuple):
    """Where this process may make groups: its own group's directory, in the hierarchy of the cpu controller."""

    version: int
    path: str


class Throttling(NamedTuple):
    """What a group's limit did so far."""

    periods: int
    throttled: int  # of them
    throttled_us: int


def bandwidth(permille: int) -> tuple[int, int]:
    """Quota and period in microseconds for so many thousandths of one CPU, at least 1."""
    period = max(_PERIOD_US, -(-_LEAST_QUOTA_US * 1_000 // permille))
    return permille * period // 1_000, period


def places(mounts: str, membership: str) -> list[Place]:
    """From `/proc/self/mountinfo` and `/proc/self/cgroup`: candidates, version 2 first."""
    found = []
    for line in mounts.splitlines():
        mount, _, system = line.partition(" - ")
        fields, (kind, _, *options) = mount.split(), system.split()
        version = {"cgroup2": 2, "cgroup": 1}.get(kind, 0)
        if version == 2 or (version == 1 and "cpu" in options[0].split(",")):
            own = _own(membership, version)
            if own is not None:
                found.append(Place(version, fields[4].rstrip("/") + _below(own, fields[3])))
    return sorted(found, reverse=True)


def _own(membership: str, version: int) -> str | None:
    """The path of this process's group in its hierarchy; None when it is in none."""
    for line in membership.splitlines():
        number, controllers, path = line.split(":", 2)
        if (version == 2 and number == "0") or (version == 1 and "cpu" in controllers.split(",")):
            return path
    return None


def _below(own: str, root: str) -> str:
    """The path below a mount that shows `root`; the mount itself when it shows another part of the hierarchy."""
    root = root.rstrip("/")
    return own[len(root) :].rstrip("/") if own == root or own.startswith(root + "/") else ""


class Groups:
    """The groups of one gate, in a directory that is named after its state directory: it finds those of a killed gate.

    All methods but `discard` and `close` raise `NoGroups`.
    """

    __slots__ = ("_entered", "_home", "_place")

    def __init__(self, state_dir: str, candidates: list[Place] | None = None) -> None:
        """Look for a place, make the directory, and remove what a killed gate left in it."""
        self._entered = False
        self._place = _usable(_candidates() if candidates is None else candidates)
        self._home = _home(self._place, state_dir)
        try:
            os.makedirs(self._home, exist_ok=True)
            _empty(self._home)
            if self._place.version == 2:
                self._delegate()
        except OSError as error:
            raise NoGroups(_explained(error, self._home)) from None

    def make(self, name: str, permille: int) -> str:
        """A group with a limit, 0 = none; one that is there gets the limit. Returns its directory."""
        path = f"{self._home}/{name}"
        try:
            os.makedirs(path, exist_ok=True)
            self._limit(path, permille)
        except OSError as error:
            self.discard(path)
            raise NoGroups(_explained(error, path)) from None
        return path

    def _limit(self, path: str, permille: int) -> None:
        quota, period = bandwidth(permille) if permille else (0, _PERIOD_US)
        if self._place.version == 2:
            _write(f"{path}/cpu.max", f"{quota or 'max'} {period}")
            return
        _write(f"{path}/cpu.cfs_quota_us", "-1")  # the old quota may be too large for the new period
        if quota:
            _write(f"{path}/cpu.cfs_period_us", str(period))
            _write(f"{path}/cpu.cfs_quota_us", str(quota))

    def admit(self, path: str, pid: int) -> None:
        """Put a process with all its threads into a group."""
        try:
            _write(path + _PROCESSES, str(pid))
        except OSError as error:
            raise NoGroups(_explained(error, path)) from None

    def discard(self, path: str) -> None:
        """Remove a group whose processes have ended; one that is still in use stays until the next start."""
        with contextlib.suppress(OSError):
            os.rmdir(path)

    def close(self) -> None:
        """Leave no trace: all groups go that no process is in."""
        with contextlib.suppress(OSError):
            _empty(self._home)
            if self._entered:
                self._step_back()
                _empty(self._home)
            os.rmdir(self._home)

    def _delegate(self) -> None:
        """Let the directory's groups have the cpu controller.

        A group of version 2 that hands controllers on may hold no process of its own, but for the hierarchy's root: so
        the gate's processes step into a group beside those that it makes.
        """
        try:
            self._hand_on()
        except OSError:
            rest = f"{self._home}/{_REST}"
            os.makedirs(rest, exist_ok=True)
            for pid in _family(_read(self._place.path + _PROCESSES)):
                _write(rest + _PROCESSES, str(pid))
            self._entered = True
            try:
                self._hand_on()
            except OSError:  # others live in this group
                self.close()
                raise

    def _step_back(self) -> None:
        for path in (self._home, self._place.path):
            with contextlib.suppress(OSError):
                _write(f"{path}/cgroup.subtree_control", "-cpu")
        for pid in _family(_read(f"{self._home}/{_REST}{_PROCESSES}")):
            _write(self._place.path + _PROCESSES, str(pid))

    def _hand_on(self) -> None:
        for path in (self._place.path, self._home):
            if "cpu" not in _read(f"{path}/cgroup.subtree_control").split():
                _write(f"{path}/cgroup.subtree_control", "+cpu")


def sweep(state_dir: str) -> None:
    """Remove what a killed gate of this state directory left, where nothing is in use. Never raises."""
    with contextlib.suppress(OSError, NoGroups):
        home = _home(_usable(_candidates()), state_dir)
        _empty(home)
        os.rmdir(home)


def _candidates() -> list[Place]:
    try:
        return places(_read("/proc/self/mountinfo"), _read("/proc/self/cgroup"))
    except OSError:
        return []  # no Linux


def _home(place: Place, state_dir: str) -> str:
    return f"{place.path}/tidegate-{zlib.crc32(os.fsencode(state_dir)):08x}"


def _empty(home: str) -> None:
    """Remove the groups in a directory that no process is in."""
    with os.scandir(home) as entries:
        paths = [entry.path for entry in entries if entry.is_dir()]
    for path in paths:
        with contextlib.suppress(OSError):
            os.rmdir(path)


def throttling(path: str) -> Throttling | None:
    """What `cpu.stat` of a group says; None when it is gone."""
    try:
        lines = [line.split() for line in _read(f"{path}/cpu.stat").splitlines()]
    except OSError:
        return None
    stat = {name: int(value) for name, value in lines}
    microseconds = stat.get("throttled_usec", stat.get("throttled_time", 0) // 1_000)  # version 1 tells nanoseconds
    return Throttling(stat.get("nr_periods", 0), stat.get("nr_throttled", 0), microseconds)


def _usable(candidates: list[Place]) -> Place:
    for place in candidates:
        with contextlib.suppress(OSError):
            if place.version == 1 or "cpu" in _read(f"{place.path}/cgroup.controllers").split():
                return place
    if not candidates:
        raise NoGroups("this system has no cgroups: CPU limits need Linux with a cgroup file system mounted")
    raise NoGroups(
        f"the group {candidates[0].path} has no cpu controller: let the service manager delegate it (systemd: "
        "Delegate=cpu in the unit, or `systemd-run --scope -p Delegate=cpu tidegate serve …`)"
    )


def _explained(error: OSError, path: str) -> str:
    what = f"{error.filename or path}: {(error.strerror or str(error)).lower()}"
    if isinstance(error, PermissionError) or (error.errno or 0) in {1, 13, 30}:
        return (
            f"no right to make cgroups ({what}): run the gate as a unit with Delegate=cpu (systemd), or give its user "
            f"the directory"
        )
    return (
        f"a cgroup cannot be made ({what}): start the gate in a cgroup of its own (systemd: Delegate=cpu), "
        "whose own limit is not lower"
    )


def _family(processes: str) -> list[int]:
    """Of these processes the current one and its children."""
    me, found = os.getpid(), []
    for word in processes.split():
        with contextlib.suppress(OSError, ValueError):
            if int(word) == me or _parent(int(word)) == me:
                found.append(int(word))
    return found


def _parent(pid: int) -> int:
    return int(_read(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    """One write, as these files want it; never makes a file."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)
