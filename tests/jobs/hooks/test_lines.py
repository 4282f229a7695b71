"""Webhooks that wait for a place at their host."""

from tests.jobs.hooks.stand import SECOND
from tidegate.jobs.hooks.lines import MOST, OF_HOST, Lines
from tidegate.jobs.hooks.records import Hook
from tidegate.policy.jobs.webhooks import Target


def hook(number: int) -> Hook:
    return Hook(
        about=f"job_{number}", of_job=True, tenant="t", url="", body=b"", finished_us=1, attempts=0, until_us=SECOND
    )  # fmt: skip


def at(host: str) -> Target:
    return Target(True, host, 443, "/")


def test_who_came_first_goes_first() -> None:
    """Each host has a line of its own, which is gone when it is empty."""
    lines = Lines()
    for number in range(4):
        assert lines.join(hook(number), at("ab"[number % 2]))
    assert [waiting[0].about for waiting in (lines.next("a"), lines.next("a")) if waiting] == ["job_0", "job_2"]
    assert lines.next("a") is None
    assert [one.about for one in lines.leave()] == ["job_1", "job_3"]
    assert lines.next("b") is None


def test_lines_are_bounded() -> None:
    """Of one host, and all together; whoever leaves makes room."""
    lines = Lines()
    assert sum(lines.join(hook(number), at("a")) for number in range(OF_HOST + 1)) == OF_HOST
    assert sum(lines.join(hook(number), at(f"h{number}")) for number in range(MOST)) == MOST - OF_HOST
    assert not lines.join(hook(0), at("b"))
    assert (lines.ahead("a"), lines.ahead("b")) == (OF_HOST, 0)
    assert lines.next("a") is not None
    assert lines.join(hook(0), at("b"))
    assert len(lines.leave()) == MOST
    assert lines.join(hook(0), at("a"))
