"""What rows promise, on SQLite and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.jobs.rows.made import FAR, LEASE, claimed, done, ids, new, there
from tidegate.jobs.records import Attempt, Depth, Dispatch, End, Filter, Lease, Owner, Reaped, Result, Submitted
from tidegate.jobs.rows.rows import JobRows

REDIS = "redis://gate:secret@cache.example:6379/1"


# Accepting


def test_what_is_accepted_is_found_as_it_was_said(rows: JobRows) -> None:
    """Each field; what it asks is apart."""
    said = new(
        "j", model="m", priority=7, not_before_us=5, tags=("x", "y\u4e2d"), webhook="https://h.example/", stream=True,
        batch="b", line=3, custom_id="c\u4e2d", headers=b"h: 1\r\n", body=b"\x00\xff", path="/v1/x?y=1",
    )  # fmt: skip
    assert rows.submit([said], 2) == [Submitted("j")]
    job = there(rows, "j")
    for name in (
        "path",
        "model",
        "priority",
        "not_before_us",
        "tags",
        "webhook",
        "stream",
        "batch",
        "line",
        "custom_id",
    ):
        assert getattr(job, name) == getattr(said, name)
    assert (job.owner, job.state, job.created_us, job.deadline_us) == (said.owner, "queued", 2, FAR)
    assert rows.body("j") == b"\x00\xff"
    assert rows.result("j") is None
    [lease] = claimed(rows)
    assert (lease.headers, lease.body, lease.path) == (b"h: 1\r\n", b"\x00\xff", "/v1/x?y=1")


def test_what_no_text_column_holds_is_made_such(rows: JobRows) -> None:
    """NUL, half a character, too long a name: the job is taken all the same."""
    rows.submit([new("j", custom_id="a\0b\ud800", model="m" * 500, tags=("t" * 500,))], 1)
    job = there(rows, "j")
    assert job.custom_id == "a\ufffdb?"
    assert (len(job.model), len(job.tags[0])) == (128, 128)


def test_a_key_is_used_once(rows: JobRows) -> None:
    """Again: the same job. For something else, or by another tenant: a conflict, and a job of its own."""
    rows.submit([new("j", once=b"k", digest=b"d")], 1)
    assert rows.submit([new("l", once=b"k", digest=b"d")], 2) == [Submitted("j", again=True)]
    assert rows.submit([new("l", once=b"k", digest=b"e")], 2) == [Submitted("j", conflict=True)]
    assert rows.submit([new("l", "other", once=b"k", digest=b"e")], 2) == [Submitted("l")]
    both = [new("n", once=b"new", digest=b"d"), new("o", once=b"new", digest=b"d"), new("p")]
    assert rows.submit(both, 3) == [Submitted("n"), Submitted("n", again=True), Submitted("p")]
    assert ids(rows.listed(Filter())) == ["p", "n", "l", "j"]


def test_a_namespace_and_a_key_of_the_same_name_are_two_tenants(rows: JobRows) -> None:
    """Each uses a key for itself, and sees its own jobs."""
    namespace, key = Owner("same", "k"), Owner("", "same")
    rows.submit([new("n", owner=namespace, once=b"k"), new("k", owner=key, once=b"k")], 1)
    assert ids(rows.listed(Filter(owner=namespace))) == ["n"]
    assert ids(rows.listed(Filter(owner=key))) == ["k"]
    assert rows.find("n", key) is None
    assert rows.find("k", namespace) is None


def test_an_id_is_taken_once(rows: JobRows) -> None:
    """Who submits a piece again, because its answer was lost, makes nothing twice."""
    rows.submit([new("a"), new("b")], 1)
    assert rows.submit([new("b"), new("c")], 2) == [Submitted("b", again=True), Submitted("c")]
    assert rows.depths() == [Depth("", "queued", 3, 1)]


def test_a_tenant_has_no_more_than_it_may(rows: JobRows) -> None:
    """Those that have ended do not count, and another tenant has room of its own."""
    rows.max_queued = 2
    answers = rows.submit([new("a"), new("b"), new("c"), new("d", "other")], 1)
    assert [answer.full for answer in answers] == [False, False, True, False]
    assert rows.find("c") is None
    rows.finish([done(claimed(rows, 1)[0])], 20)
    assert [answer.full for answer in rows.submit([new("c"), new("e")], 21)] == [False, True]
    rows.cancel("b", None, 22)
    assert not rows.submit([new("e")], 23)[0].full
    rows.requeue("b", FAR, 24)
    assert rows.submit([new("f")], 25)[0].full


def test_a_piece_is_taken_whole_or_not(rows: JobRows) -> None:
    """What fails in the middle leaves nothing, not even a number."""
    with pytest.raises((SQLAlchemyError, OverflowError)):
        rows.submit([new("a"), new("b", not_before_us=2**70)], 1)
    assert rows.listed(Filter()) == []
    rows.max_queued = 1
    assert not rows.submit([new("a")], 1)[0].full


# Handing out


def test_tenants_come_in_turn(rows: JobRows) -> None:
    """However much one has waiting, and whatever is taken at once; the next call goes on where the last one ended."""
    rows.submit([new(f"a{n}") for n in range(6)] + [new(f"b{n}", "b") for n in range(2)] + [new("c0", "c")], 1)
    assert ids(claimed(rows, 2)) == ["a0", "b0"]
    assert ids(claimed(rows, 1)) == ["c0"]
    assert ids(claimed(rows, 3)) == ["a1", "b1", "a2"]
    rows.submit([new("d0", "d")], 2)
    assert sorted(ids(claimed(rows, 2))) == ["a3", "d0"]
    assert ids(claimed(rows, 9)) == ["a4", "a5"]


def test_within_a_tenant_priority_goes_before_age(rows: JobRows) -> None:
    """Higher first, then the older."""
    rows.submit([new("low", priority=-1), new("old"), new("young"), new("high", priority=100)], 1)
    assert ids(claimed(rows)) == ["high", "old", "young", "low"]


def test_only_what_is_due_is_handed_out(rows: JobRows) -> None:
    """Not before its time, not after its deadline, not to another backend's runners, not twice."""
    rows.submit([new("later", not_before_us=50), new("late", deadline_us=10), new("other", backend=REDIS)], 1)
    assert claimed(rows, wall=10) == []
    assert ids(claimed(rows, wall=50)) == ["later"]
    assert claimed(rows, wall=60) == []
    assert ids(claimed(rows, wall=60, backend=REDIS)) == ["other"]


def test_a_backend_goes_by_its_name(rows: JobRows) -> None:
    """Its password is kept nowhere, and a new one changes nothing."""
    rows.submit([new("j", backend=REDIS), new("k", backend="sqlite:///x.db")], 1)
    assert there(rows, "j").backend == "redis://cache.example:6379/1"
    assert there(rows, "k").backend == ""
    assert ids(claimed(rows, backend=REDIS.replace("secret", "changed"))) == ["j"]


def test_a_handing_out_counts(rows: JobRows) -> None:
    """Its fence, its attempt, its beginning."""
    rows.submit([new("j")], 1)
    [lease] = claimed(rows, wall=10)
    assert (lease.fence, lease.attempts, lease.crashes, lease.until_us) == (1, 0, 0, 10 + LEASE)
    job = there(rows, "j")
    assert (job.state, job.fence, job.attempts, job.started_us) == ("running", 1, 1, 10)
    assert rows.attempts("j") == [Attempt(1, "r", 10, 0, "running")]


def test_being_told_to_wait_leaves_nothing_behind(rows: JobRows) -> None:
    """However often: attempts are bounded, and why stands on the job. What counts, or ends it, is written down."""
    rows.submit([new("j")], 1)
    for _ in range(50):
        [lease] = claimed(rows)
        rows.finish([done(lease, state="queued", result=None, counts=False, reason="rate_limit_exceeded: wait")], 20)
    assert rows.attempts("j") == []
    job = there(rows, "j")
    assert (job.state, job.attempts, job.fence) == ("queued", 0, 50)
    assert job.reason == "rate_limit_exceeded: wait"
    [lease] = claimed(rows)
    rows.finish([done(lease, state="queued", result=None, reason="cut: it broke")], 20)
    [lease] = claimed(rows)
    rows.cancel("j", None, 21)
    rows.finish([done(lease, state="queued", result=None, counts=False)], 22)
    assert [(one.fence, one.outcome) for one in rows.attempts("j")] == [(51, "again"), (52, "again")]
    assert there(rows, "j").state == "cancelled"


# Brokers


def test_a_broker_is_given_what_it_has_room_for(rows: JobRows) -> None:
    """In turn between tenants, and no more in all than asked for."""
    rows.submit([new(f"a{n}", backend=REDIS) for n in range(4)] + [new("b0", "b", backend=REDIS)], 1)
    first = rows.dispatch(REDIS, 3, 1_000, 10)
    assert first == [Dispatch("a0", 0), Dispatch("b0", 0), Dispatch("a1", 0)]
    assert rows.dispatch(REDIS, 3, 1_000, 11) == []
    assert rows.lease(first[0], "r", LEASE, 12) is not None
    assert rows.dispatch(REDIS, 3, 1_000, 13) == [Dispatch("a2", 0)]
    assert rows.dispatch("", 3, 1_000, 14) == []


def test_what_a_broker_lost_is_given_again(rows: JobRows) -> None:
    """Also where there is no room: it is the same job. Then one of its messages is as good as the other, once."""
    rows.submit([new("j", backend=REDIS)], 1)
    [message] = rows.dispatch(REDIS, 1, 1_000, 10)
    assert rows.dispatch(REDIS, 1, 1_000, 1_009) == []
    assert rows.dispatch(REDIS, 1, 1_000, 1_010) == [message]
    assert rows.dispatch(REDIS, 1, 1_000, 1_011) == []
    assert rows.lease(message, "r", LEASE, 1_012) is not None
    assert rows.lease(message, "other", LEASE, 1_012) is None


def test_what_a_broker_did_not_take_is_due_again(rows: JobRows) -> None:
    """What was leased meanwhile stays leased."""
    rows.submit([new("a", backend=REDIS), new("b", backend=REDIS)], 1)
    sent = rows.dispatch(REDIS, 2, 1_000, 10)
    assert rows.lease(sent[0], "r", LEASE, 11) is not None
    rows.undispatch(["a", "b", "nobody"])
    assert there(rows, "a").state == "running"
    assert rows.dispatch(REDIS, 2, 1_000, 12) == [sent[1]]


def test_a_message_arrives_though_its_broker_denied_it(rows: JobRows) -> None:
    """It is good as long as the job was not handed out since."""
    rows.submit([new("a", backend=REDIS)], 1)
    [message] = rows.dispatch(REDIS, 2, 1_000, 10)
    rows.undispatch(["a"])
    assert rows.lease(message, "r", LEASE, 11) is not None
    assert rows.dispatch(REDIS, 2, 1_000, 12) == []


@pytest.mark.parametrize("what", ["running", "ended", "again", "later", "cancelled", "late", "unknown"])
def test_an_old_message_is_harmless(rows: JobRows, what: str) -> None:
    """Whatever became of its job."""
    rows.submit([new("a", backend=REDIS, deadline_us=1_000)], 1)
    [message] = rows.dispatch(REDIS, 1, 1_000, 10)
    wall = 500
    if what in {"running", "ended", "again", "later"}:
        lease = rows.lease(message, "r", LEASE, 11)
        assert lease is not None
        if what != "running":
            state = "done" if what == "ended" else "queued"
            rows.finish([done(lease, state=state, not_before_us=600 if what == "later" else 0)], 12)
    elif what == "cancelled":
        rows.cancel("a", None, 11)
    elif what == "late":
        wall = 1_000
    else:
        message = Dispatch("nobody", 0)
    before = rows.find("a")
    assert rows.lease(message, "other", LEASE, wall) is None
    assert rows.find("a") == before


def test_messages_are_taken_together(rows: JobRows) -> None:
    """Each good one is leased, in its place; of two that are the same, one."""
    rows.submit([new("a", backend=REDIS, body=b"A"), new("b", backend=REDIS, body=b"B")], 1)
    first, second = rows.dispatch(REDIS, 2, 1_000, 10)
    sent = [Dispatch("nobody", 0), second, Dispatch("a", 7), first, second]
    found = rows.leases(sent, "r", LEASE, 11)
    assert [lease and (lease.id, lease.body) for lease in found] == [None, ("b", b"B"), None, ("a", b"A"), None]
    assert rows.leases(sent, "s", LEASE, 12) == [None] * 5
    assert rows.leases([], "s", LEASE, 12) == []


# Holding


def test_a_lease_is_held_while_it_is_renewed(rows: JobRows) -> None:
    """By who has its fence."""
    rows.submit([new("a"), new("b")], 1)
    claimed(rows, wall=10)
    assert rows.renew({"a": 1, "b": 1}, LEASE, 60) == {}
    assert rows.reap(3, 10 + LEASE) == Reaped()
    assert rows.reap(3, 60 + LEASE - 1) == Reaped()
    assert rows.renew({"b": 1}, LEASE, 100) == {}
    assert rows.reap(3, 60 + LEASE) == Reaped(again=("a",))
    assert rows.renew({"a": 1, "b": 1, "nobody": 1}, LEASE, 170) == {"a": "lost", "nobody": "lost"}
    assert ids(claimed(rows, wall=180)) == ["a"]
    rows.renew({"a": 1}, LEASE, 250)
    assert set(rows.reap(3, 180 + LEASE).again) == {"a", "b"}


def test_who_holds_is_told_of_a_cancel(rows: JobRows) -> None:
    """And holds on until it says that it is over."""
    rows.submit([new("a")], 1)
    [lease] = claimed(rows)
    job = rows.cancel("a", None, 11)
    assert job is not None
    assert (job.state, job.cancelling) == ("running", True)
    assert rows.renew({"a": 1}, LEASE, 60) == {"a": "cancel"}
    assert rows.reap(3, 10 + LEASE) == Reaped()
    assert rows.finish([End(id="a", fence=lease.fence, state="cancelled")], 70) == [True]
    assert (there(rows, "a").state, there(rows, "a").cancelling) == ("cancelled", False)


# Ending


def test_an_end_is_written_once(rows: JobRows) -> None:
    """By who holds it; what is said later, or twice, counts for nothing."""
    rows.submit([new("a")], 1)
    [lease] = claimed(rows)
    said = done(lease, prompt_tokens=3, completion_tokens=4)
    assert rows.finish([said, said, done(lease, state="failed")], 20) == [True, False, False]
    assert rows.finish([done(lease, state="dead")], 30) == [False]
    job = there(rows, "a")
    assert (job.state, job.status, job.finished_us, job.attempts) == ("done", 200, 20, 1)
    assert (job.prompt_tokens, job.completion_tokens) == (3, 4)
    assert rows.result("a") == Result(200, b"a: b\r\n", b"said")
    assert rows.attempts("a") == [Attempt(1, "r", 10, 20, "done", "", 200, "req_1")]
    assert rows.ended() == [Depth("", "done", 1)]
    assert rows.depths() == []


def test_an_old_fence_says_nothing(rows: JobRows) -> None:
    """Who lost a job and comes back, having done it, changes nothing of what its successor does."""
    rows.submit([new("a")], 1)
    [first] = claimed(rows, wall=10)
    rows.reap(3, 10 + LEASE)
    [second] = claimed(rows, wall=200, runner="s")
    assert second.fence == 2
    assert rows.renew({"a": 1}, LEASE, 205) == {"a": "lost"}
    assert there(rows, "a").state == "running"
    assert rows.finish([done(first)], 210) == [False]
    assert rows.result("a") is None
    assert rows.finish([done(second)], 220) == [True]
    assert [(one.outcome, one.runner) for one in rows.attempts("a")] == [("lost", "r"), ("done", "s")]


@pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)])
def test_what_is_tried_again_waits(rows: JobRows, counts: bool, attempts: int) -> None:
    """Until its time, with its reason; a failure counts and is written down, being told to wait is not."""
    rows.submit([new("a")], 1)
    [lease] = claimed(rows)
    again = done(lease, state="queued", reason="busy: later", not_before_us=500, counts=counts)
    assert rows.finish([again], 20) == [True]
    job = there(rows, "a")
    assert (job.state, job.reason, job.attempts, job.status) == ("queued", "busy: later", attempts, 0)
    assert rows.result("a") is None
    assert claimed(rows, wall=499) == []
    [second] = claimed(rows, wall=500)
    assert (second.fence, second.attempts) == (2, attempts)
    assert there(rows, "a").started_us == 10
    assert [one.outcome for one in rows.attempts("a")] == ["again", "running"][not counts :]


def test_what_is_to_be_cancelled_is_not_tried_again(rows: JobRows) -> None:
    """Its failure is its end; its answer is one all the same."""
    rows.submit([new("a"), new("b")], 1)
    a, b = claimed(rows)
    rows.cancel("a", None, 11)
    rows.cancel("b", None, 11)
    rows.finish([done(a, state="queued"), done(b)], 12)
    assert (there(rows, "a").state, there(rows, "b").state) == ("cancelled", "done")


def test_a_cancel_ends_what_nobody_runs(rows: JobRows) -> None:
    """At once; an ended one stays as it is; another tenant's is not there."""
    rows.submit([new("a"), new("b", backend=REDIS)], 1)
    rows.dispatch(REDIS, 1, 1_000, 2)
    assert rows.cancel("a", Owner("b"), 3) is None
    assert rows.cancel("nobody", None, 3) is None
    for name in ("a", "b"):
        job = rows.cancel(name, Owner("a", "another", "v"), 3)
        assert job is not None
        assert (job.state, job.finished_us) == ("cancelled", 3)
        assert rows.cancel(name, None, 9) == job
    assert claimed(rows) == []


# Reaping


def test_whose_runners_die_over_it_is_dead(rows: JobRows) -> None:
    """After so many; a crash is no failed attempt."""
    rows.submit([new("a")], 1)
    for crashes in range(3):
        [lease] = claimed(rows, wall=1_000 * crashes)
        assert (lease.crashes, lease.attempts) == (crashes, 0)
        found = rows.reap(3, 1_000 * crashes + LEASE)
        assert found == (Reaped(dead=("a",)) if crashes == 2 else Reaped(again=("a",)))
    job = there(rows, "a")
    assert (job.state, job.crashes, job.finished_us) == ("dead", 3, 2_000 + LEASE)
    assert job.reason.startswith("crashed: ")
    assert [one.outcome for one in rows.attempts("a")] == ["lost"] * 3


def test_what_is_too_late_is_dead(rows: JobRows) -> None:
    """Where it waits, also at its broker. Who runs it may end it until the lease is over."""
    waiting = [new("a", deadline_us=50), new("b", deadline_us=50, not_before_us=40)]
    rows.submit([*waiting, new("c", deadline_us=50, backend=REDIS), new("d", deadline_us=50, backend="amqp://x")], 1)
    rows.dispatch(REDIS, 1, 1_000, 2)
    claimed(rows, wall=10, backend="amqp://x")
    assert rows.reap(3, 49) == Reaped()
    assert sorted(rows.reap(3, 50).dead) == ["a", "b", "c"]
    assert there(rows, "a").reason.startswith("deadline: ")
    assert there(rows, "d").state == "running"
    assert rows.reap(3, 10 + LEASE).dead == ("d",)
    assert there(rows, "d").reason.startswith("deadline: ")


def test_who_was_to_be_cancelled_and_whose_runner_died_is_cancelled(rows: JobRows) -> None:
    """It is not handed out again."""
    rows.submit([new("a")], 1)
    claimed(rows, wall=10)
    rows.cancel("a", None, 11)
    assert rows.reap(3, 10 + LEASE).dead == ("a",)
    assert there(rows, "a").state == "cancelled"


def test_much_is_reaped_in_pieces(rows: JobRows) -> None:
    """More than one transaction takes."""
    rows.submit([new(f"j{n}", deadline_us=50) for n in range(1_100)], 1)
    assert len(rows.reap(3, 50).dead) == 1_100
    assert rows.ended() == [Depth("", "dead", 1_100)]


# Beginning anew


@pytest.mark.parametrize("state", ["failed", "dead", "cancelled"])
def test_what_ended_without_an_answer_begins_anew(rows: JobRows, state: str) -> None:
    """All is forgiven, but its fence goes on and its attempts stay known."""
    rows.submit([new("a", webhook="https://h.example/")], 1)
    [lease] = claimed(rows)
    rows.finish([done(lease, state=state, reason="because")], 20)
    job = rows.requeue("a", 777, 30)
    assert job is not None
    assert (job.state, job.reason, job.attempts, job.crashes, job.status) == ("queued", "", 0, 0, 0)
    assert (job.deadline_us, job.finished_us, job.fence) == (777, 0, 1)
    assert rows.result("a") is None
    [second] = claimed(rows, wall=40)
    assert (second.fence, second.attempts) == (2, 0)
    assert [one.outcome for one in rows.attempts("a")] == [state, "running"]


def test_others_stay_as_they_are(rows: JobRows) -> None:
    """What waits, runs, was answered, was never there."""
    rows.submit([new("a"), new("b"), new("c")], 1)
    leases = claimed(rows, 2)
    rows.finish([done(leases[0])], 20)
    for name in ("a", "b", "c"):
        before = there(rows, name)
        assert rows.requeue(name, 5, 30) == before
    assert rows.requeue("nobody", 5, 30) is None


# Looking


def test_the_newest_are_listed_first(rows: JobRows) -> None:
    """A page at a time, by any of their fields."""
    rows.submit([new(f"a{n}", model="m", tags=("t", 'q"%_')) for n in range(3)], 1)
    rows.submit([new("b0", "b", batch="x", tags=("tt",)), new("a3", batch="x", line=1, custom_id="c")], 2)
    [lease] = claimed(rows, 1)
    rows.finish([done(lease, state="failed")], 3)

    def listed(**which: Any) -> list[str]:
        return ids(rows.listed(Filter(**which)))

    assert listed() == ["a3", "b0", "a2", "a1", "a0"]
    assert listed(limit=2) == ["a3", "b0"]
    assert listed(limit=2, before="b0") == ["a2", "a1"]
    assert listed(owner=Owner("b")) == ["b0"]
    assert listed(owner=Owner("nobody")) == []
    assert listed(states=("failed",)) == ["a0"]
    assert listed(states=("queued", "failed"), owner=Owner("a"), model="m") == ["a2", "a1", "a0"]
    assert listed(states=("running",)) == []
    assert listed(tag="t") == ["a2", "a1", "a0"]
    assert listed(tag='q"%_') == ["a2", "a1", "a0"]
    assert listed(tag="%") == []
    assert listed(batch="x") == ["a3", "b0"]
    assert listed(before="nobody") == []


def test_who_waits_sees_each_change(rows: JobRows) -> None:
    """Its version grows with what a client can see."""
    rows.submit([new("a")], 1)
    versions = [rows.standing(["a", "nobody"])["a"]]
    [lease] = claimed(rows)
    versions.append(rows.standing(["a"])["a"])
    rows.cancel("a", None, 12)
    versions.append(rows.standing(["a"])["a"])
    rows.finish([done(lease)], 13)
    versions.append(rows.standing(["a"])["a"])
    assert [state for state, _ in versions] == ["queued", "running", "running", "done"]
    assert sorted({version for _, version in versions}) == [version for _, version in versions]
    assert rows.standing([]) == {}


def test_depths_say_how_many_and_since_when(rows: JobRows) -> None:
    """By backend and state. What was to wait counts from when it may run, and is not old before that."""
    rows.submit([new("a"), new("b", not_before_us=500), new("c", backend=REDIS)], 1)
    rows.submit([new("d", backend=REDIS, not_before_us=600)], 2)
    claimed(rows, 1, wall=10)
    rows.dispatch(REDIS, 1, 1_000, 11)
    name = "redis://cache.example:6379/1"
    assert rows.depths() == [Depth("", "queued", 1), Depth("", "running", 1, 10), Depth(name, "queued", 2, 1)]
    rows.cancel("c", None, 12)
    rows.dispatch(REDIS, 1, 1_000, 700)
    rows.submit([new("e", backend=REDIS)], 800)
    assert rows.depths()[0] == Depth("", "queued", 1, 500)
    assert rows.depths()[2] == Depth(name, "queued", 2, 600)


# Forgetting


def test_what_ended_long_ago_is_forgotten(rows: JobRows) -> None:
    """With all that was kept of it, so many at a time, but for what is of a batch. What it counted, it counts."""
    rows.submit([new(f"a{n}") for n in range(4)] + [new("b", batch="x"), new("waits")], 1)
    for lease in claimed(rows, 5):
        rows.finish([done(lease)], 30 if lease.id == "a3" else 20)
    assert rows.forget(20, 10) == 0
    assert rows.forget(21, 2) == 2
    assert rows.forget(21, 10) == 1
    assert ids(rows.listed(Filter())) == ["waits", "b", "a3"]
    assert (rows.body("a0"), rows.result("a0"), rows.attempts("a0")) == (None, None, [])
    assert rows.ended() == [Depth("", "done", 5)]
    with rows.engine.connect() as connection:
        for table, left in (("job_bodies", 3), ("job_answers", 2), ("job_attempts", 2)):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == left


def test_a_batch_is_cancelled_and_forgotten_as_a_whole(rows: JobRows) -> None:
    """In pieces; those that run are told, and nobody else's is touched."""
    rows.submit([new(f"b{n}", batch="x", line=n, custom_id=f"{n}") for n in range(600)], 1)
    rows.submit([new("other", batch="y"), new("none")], 1)
    running = claimed(rows, 5)
    ended = []
    while some := rows.cancel_batch("x", 20):
        ended += some
    assert len(ended) == 600
    assert rows.depths() == [Depth("", "queued", 2, 1), Depth("", "running", 5, 10)]
    assert rows.renew({lease.id: 1 for lease in running}, LEASE, 21) == {lease.id: "cancel" for lease in running}
    rows.finish([done(lease) for lease in running], 22)
    assert rows.ended() == [Depth("", "cancelled", 595), Depth("", "done", 5)]
    gone = 0
    while some_gone := rows.forget_batch("x", 500):
        gone += some_gone
    assert gone == 600
    assert rows.cancel_batch("", 20) == []
    assert rows.forget_batch("", 20) == 0


# Beside


def test_the_end_of_a_job_with_a_webhook_is_to_be_told(rows: JobRows) -> None:
    """However it ends; not what is tried again, not who has none, and no more when it begins anew."""
    hook = {"webhook": "https://h.example/"}
    rows.submit([new(name, **hook) for name in ("done", "again", "cancelled")], 1)
    rows.submit([new("late", deadline_us=15, **hook), new("none")], 1)
    leases = {lease.id: lease for lease in claimed(rows, wall=10)}
    rows.finish([done(leases["done"]), done(leases["none"]), done(leases["again"], state="queued")], 20)
    rows.finish([End(id="cancelled", fence=1, state="cancelled")], 20)
    rows.reap(3, 10 + LEASE)

    def due() -> dict[str, int]:
        with rows.engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT id, hook_next_us FROM jobs WHERE hook_state = 'due'")
            return {row.id: row.hook_next_us for row in found}

    assert due() == {"done": 20, "cancelled": 20, "late": 10 + LEASE}
    rows.requeue("cancelled", FAR, 200)
    assert set(due()) == {"done", "late"}


def test_a_secret_is_made_once(rows: JobRows) -> None:
    """And is as long as its purpose wants."""
    assert len(rows.secret()) == 32
    assert rows.secret() == JobRows(rows.engine).secret()


def test_nothing_is_asked_of_nothing(rows: JobRows) -> None:
    """Empty groups are no errors."""
    assert rows.submit([], 1) == []
    assert rows.finish([], 1) == []
    assert rows.renew({}, 1, 1) == {}
    assert claimed(rows, 0) == []
    assert rows.dispatch("", 0, 1, 1) == []
    rows.undispatch([])
    leases: list[Lease] = claimed(rows)
    assert leases == []
