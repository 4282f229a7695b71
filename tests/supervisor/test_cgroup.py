"""Control groups: found, made, left; for real where this machine lets us."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.supervisor.cgroup import Groups, NoGroups, Place, Throttling, bandwidth, places, sweep, throttling

BUSY = "while True: pass"


@pytest.mark.parametrize(
    ("permille", "quota", "period"),
    [(1_000, 10_000, 10_000), (300, 3_000, 10_000), (2_500, 25_000, 10_000), (100, 1_000, 10_000), (50, 1_000, 20_000)],
)
def test_a_limit_is_a_quota_in_a_short_period(permille: int, quota: int, period: int) -> None:
    """The kernel takes no quota below 1 ms: a smaller part has a longer period."""
    assert bandwidth(permille) == (quota, period)


@pytest.mark.parametrize("permille", [1, 3, 7, 99])
def test_the_least_parts_are_near_their_share(permille: int) -> None:
    """Rounding costs a hundredth at most, and the period stays within the kernel's second."""
    quota, period = bandwidth(permille)
    assert quota >= 1_000
    assert period <= 1_000_000
    assert quota * 1_000 / period == pytest.approx(permille, rel=0.01)


HYBRID = """32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
24 1 0:22 / /proc rw - proc proc rw
"""
UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


@pytest.mark.parametrize(
    ("mounts", "membership", "found"),
    [
        (UNIFIED, "0::/system.slice/tidegate.service\n", [Place(2, "/sys/fs/cgroup/system.slice/tidegate.service")]),
        (UNIFIED, "0::/\n", [Place(2, "/sys/fs/cgroup")]),
        (
            HYBRID,
            "3:cpuset:/x\n2:cpu,cpuacct:/user\n0::/u\n",
            [Place(2, "/sys/fs/cgroup/unified/u"), Place(1, "/sys/fs/cgroup/cpu,cpuacct/user")],
        ),
        (HYBRID, "3:cpuset:/x\n", []),
        ("5 1 0:9 /box/a /c rw - cgroup2 none rw\n", "0::/box/a/b\n", [Place(2, "/c/b")]),
        ("5 1 0:9 /box/a /c rw - cgroup2 none rw\n", "0::/box/abc\n", [Place(2, "/c")]),
        ("24 1 0:22 / /proc rw - proc proc rw\n", "", []),
    ],
)
def test_where_groups_may_be(mounts: str, membership: str, found: list[Place]) -> None:
    """The process's own group in each hierarchy that may have the cpu controller, the unified one first."""
    assert places(mounts, membership) == found


# ── a directory that looks like the unified hierarchy ────────────────────────────────────────────────────────────────


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu memory\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory\n")
    return tmp_path


def home_of(groups: Groups) -> Path:
    return Path(groups._home)


def prepared(unified: Path) -> Path:
    """The kernel makes a group's files; here the test does."""
    try:
        Groups("/state", [Place(2, str(unified))])
    except NoGroups:
        home = next(unified.glob("tidegate-*"))
        (home / "cgroup.subtree_control").write_text("")
        return home
    raise AssertionError


def test_version_2_is_told_quota_and_period_at_once(unified: Path) -> None:
    """In one line of `cpu.max`, in a group below the gate's own directory, which hands the controller on."""
    home = prepared(unified)
    (home / "gold").mkdir()
    (home / "gold" / "cpu.max").write_text("max 100000")
    groups = Groups.__new__(Groups)
    groups._place, groups._home, groups._entered = Place(2, str(unified)), str(home), False
    groups._delegate()
    assert (home / "cgroup.subtree_control").read_text() == "+cpu"
    assert groups.make("gold", 300) == str(home / "gold")
    assert (home / "gold" / "cpu.max").read_text().startswith("3000 10000")


def test_without_the_controller_the_remedy_is_named(unified: Path) -> None:
    """Not delegated, or no cgroups at all."""
    (unified / "cgroup.controllers").write_text("memory\n")
    with pytest.raises(NoGroups, match="has no cpu controller: .*Delegate=cpu"):
        Groups("/state", [Place(2, str(unified))])
    with pytest.raises(NoGroups, match="has no cgroups"):
        Groups("/state", [])


def test_without_the_right_the_remedy_is_named() -> None:
    """What was refused stands in the message."""
    with pytest.raises(NoGroups, match=r"/proc/sys/kernel/tidegate-[0-9a-f]{8}.*Delegate=cpu"):
        Groups("/state", [Place(1, "/proc/sys/kernel")])  # where nobody makes directories


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nr_periods 303\nnr_throttled 260\nthrottled_time 1288252253\n", Throttling(303, 260, 1_288_252)),
        ("usage_usec 9\nnr_periods 3\nnr_throttled 2\nthrottled_usec 77\nnr_bursts 0\n", Throttling(3, 2, 77)),
        ("usage_usec 9\n", Throttling(0, 0, 0)),
    ],
)
def test_what_a_limit_did(tmp_path: Path, text: str, said: Throttling) -> None:
    """Both versions tell it, in units of their own."""
    (tmp_path / "cpu.stat").write_text(text)
    assert throttling(str(tmp_path)) == said


def test_a_group_that_is_gone_says_nothing(tmp_path: Path) -> None:
    """A worker may just have left."""
    assert throttling(str(tmp_path / "gone")) is None


# ── for real ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def groups(tmp_path: Path) -> Iterator[Groups]:
    try:
        made = Groups(str(tmp_path))
    except NoGroups as error:
        pytest.skip(f"this machine lets us make no cgroups: {error}")
    yield made
    made.close()
    assert not home_of(made).exists()


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    yield process
    process.kill()
    process.wait()


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_busy_process_is_held_back(groups: Groups, busy: subprocess.Popen[bytes]) -> None:
    """The kernel counts periods, and most of them as throttled."""
    path = groups.make("gold", 200)
    groups.admit(path, busy.pid)
    while (said := throttling(path)) is None or said.throttled < 20:
        assert busy.poll() is None
    assert said.throttled_us > 0
    assert said.throttled <= said.periods


def test_a_limit_may_change_while_it_holds(groups: Groups, busy: subprocess.Popen[bytes]) -> None:
    """Up, down, and into the range of longer periods."""
    path = groups.make("gold", 900)
    groups.admit(path, busy.pid)
    for permille in (700, 20, 1_000, 50):
        assert groups.make("gold", permille) == path


def test_what_a_killed_gate_left_is_removed(groups: Groups, tmp_path: Path) -> None:
    """The next gate of the same state directory finds it by its name."""
    left = Path(groups.make("gold", 500))
    assert left.exists()
    again = Groups(str(tmp_path))
    assert not left.exists()
    left = Path(again.make("night", 500))
    sweep(str(tmp_path))
    assert not home_of(groups).exists()
    sweep(str(tmp_path))  # nothing is left, and nothing is raised


def test_a_process_that_has_ended_cannot_be_put_into_a_group(groups: Groups) -> None:
    """It is said, and harms nobody."""
    path = groups.make("gold", 500)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(NoGroups, match="no such process"):
        groups.admit(path, process.pid)
