"""A namespace leaves, and another one takes its name."""

from typing import Any

from tests.jobs.rows.made import claimed, done, ids, new, there
from tidegate.jobs.records import Filter, NewJob, Owner
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED, DONE, RUNNING

ACME = Owner("acme", "acme-app", "u")


def its(name: str, **more: Any) -> NewJob:
    return new(name, owner=ACME, **more)


def test_nothing_of_a_namespace_that_left_is_seen_under_its_name(rows: JobRows) -> None:
    """Not listed, not found, not cancelled; keys against doubles begin anew; others keep what is theirs."""
    rows.submit([its("old", once=b"k"), new("other", "b")], 1)
    rows.leave("acme", 5)
    assert rows.listed(Filter(owner=ACME)) == []
    assert rows.find("old", ACME) is None
    assert rows.cancel("old", ACME, 6) is None
    (told,) = rows.submit([its("new", once=b"k")], 7)
    assert (told.id, told.again, told.conflict) == ("new", False, False)
    assert ids(rows.listed(Filter(owner=ACME))) == ["new"]
    assert ids(claimed(rows)) == ["other", "new"]


def test_what_waits_is_cancelled_and_what_runs_by_its_runner(rows: JobRows) -> None:
    """What has ended stays as it ended, for operators."""
    rows.submit([its("done"), its("runs"), its("waits"), its("later", not_before_us=900)], 1)
    first, _ = claimed(rows, 2)
    rows.finish([done(first)], 11)
    rows.leave("acme", 12)
    assert {name: there(rows, name).state for name in ("done", "runs", "waits", "later")} == {
        "done": DONE, "runs": RUNNING, "waits": CANCELLED, "later": CANCELLED,
    }  # fmt: skip
    assert there(rows, "runs").cancelling
    assert {depth.jobs for depth in rows.depths()} == {1}
    assert {there(rows, name).owner.namespace[0] for name in ("done", "runs", "waits", "later")} == {"!"}


def test_pieces_leave_nothing_behind_and_the_same_name_may_leave_again(rows: JobRows) -> None:
    """More than a piece, exactly a piece, nothing at all."""
    for turn, count in enumerate((2_001, 2_000, 0, 1)):
        rows.submit([its(f"job_{turn}_{number}") for number in range(count)], 1)
        rows.leave("acme", 5)
        assert rows.listed(Filter(owner=ACME)) == []
    rows.leave("acme", 5)
    assert claimed(rows) == []
    assert {(depth.state, depth.jobs) for depth in rows.ended()} == {(CANCELLED, 4_002)}
