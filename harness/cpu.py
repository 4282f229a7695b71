"""CPU and memory of a process tree, as the operating system counts them (`/proc`, Linux only)."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of `/proc/PID/stat`: who the parent is and what was spent, in microseconds."""

    parent: int
    own_us: int
    reaped_us: int  # of children that ended and were waited for


def stat(pid: int) -> Stat | None:
    """None when the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    return Stat(int(fields[1]), (user + system) * TICK_US, (child_user + child_system) * TICK_US)


def tree(root: int) -> list[int]:
    """`root` and all its descendants. One pass over `/proc`."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (found := stat(int(entry.name))):
            children[found.parent].append(int(entry.name))
    pids = [root]
    for pid in pids:
        pids.extend(children[pid])
    return pids


def spent_us(root: int, *, whole_tree: bool = True) -> int:
    """CPU microseconds of `root`, with all descendants and the children they have reaped, or alone."""
    if not whole_tree:
        found = stat(root)
        return found.own_us if found else 0
    stats = [found for pid in tree(root) if (found := stat(pid))]
    return sum(found.own_us + found.reaped_us for found in stats)


def resident_bytes(pid: int) -> int:
    """Resident memory (RSS) of one process; 0 when it is gone."""
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def resident_tree_bytes(root: int) -> int:
    """Sum of RSS over the tree: pages that processes share are counted once for each."""
    return sum(resident_bytes(pid) for pid in tree(root))


def command(pid: int) -> str:
    """The command line of a process, empty when it is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
