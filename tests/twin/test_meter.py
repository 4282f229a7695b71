"""The judge: all windows or none, and which refusals could have been avoided."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.twin.meter import Meter
from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import MINUTE, NEVER, SECOND


def meter(rpm: int = 60, tpm: int = 6_000, **rules: object) -> Meter:
    return Meter(Limits(rpm, tpm), Rules(**rules), 0)


def test_a_refused_call_charges_nothing():
    """Requests are not spent by a call whose tokens do not fit."""
    one = meter()
    assert one.admit("k", 6_000, 0) is None
    before = one.quota.requests.remaining(0)
    assert one.admit("k", 1, 0) is not None
    assert one.quota.requests.remaining(0) == before == 59


def test_a_refused_call_may_count_against_requests():
    """With `refused_counts` it spends a request, never tokens."""
    one = meter(refused_counts=True)
    one.admit("k", 6_000, 0)
    one.admit("k", 1, 0)
    assert one.quota.requests.remaining(0) == 58


def test_a_refusal_names_the_binding_window_and_the_true_wait():
    """Tokens refuse for longer than requests here, so tokens are named."""
    one = meter(rpm=1, tpm=6_000)
    one.admit("k", 6_000, 0)
    refusal = one.admit("k", 3_000, 0)
    assert (refusal.unit, refusal.period, refusal.limit, refusal.used) == ("requests", "min", 1, 1)
    assert refusal.wait == MINUTE
    assert one.admit("k", 3_000, MINUTE) is None


def test_a_call_above_the_limit_never_fits():
    """No waiting helps, and the client could have known: avoidable."""
    refusal = meter().admit("k", 6_001, 0)
    assert (refusal.wait, refusal.label) == (NEVER, "avoidable")


def test_the_day_refuses_too():
    """A day's bucket stands beside the minute's and is named when it binds."""
    one = Meter(Limits(60, 6_000, rpd=0, tpd=100), Rules(), 0)
    assert one.admit("k", 100, 0) is None
    refusal = one.admit("k", 10, 0)
    assert (refusal.unit, refusal.period, refusal.limit) == ("tokens", "day", 100)


def test_an_ordinary_refusal_is_avoidable():
    """The published bucket refuses it for anyone who knows the limit."""
    one = meter()
    one.admit("k", 6_000, 0)
    assert one.admit("k", 1, 0).label == "avoidable"


def test_a_changed_limit_excuses_until_it_was_shown_to_that_key():
    """429s after a change are unavoidable for a key until a reply showed it the new limit, and only for that key."""
    one = meter()
    one.relimit(Limits(60, 600), 0)
    one.admit("k", 600, 0)
    assert one.admit("k", 600, 0).label == "unseen limit"
    one.shown("k", one.version, 0)
    assert one.admit("k", 600, 0).label == "avoidable"
    assert one.admit("other", 600, 0).label == "unseen limit"


def test_a_reply_admitted_before_the_change_shows_nothing_new():
    """Its headers carry the old limits, so it does not end the excuse."""
    one = meter()
    old = one.version
    one.relimit(Limits(60, 600), 0)
    one.shown("k", old, 0)
    assert one.admit("k", 601, 0).label == "unseen limit"


def test_a_reply_that_shows_the_change_may_have_to_arrive_first():
    """With `notice_ms` the excuse lasts so long after the first such reply was sent, and later ones do not renew it."""
    one = meter(notice_ms=5)
    one.relimit(Limits(60, 600), 0)
    one.shown("k", one.version, 1_000)
    one.shown("k", one.version, 4_000)
    assert one.admit("k", 601, 5_999).label == "unseen limit"
    assert one.admit("k", 601, 6_000).label == "avoidable"


def test_setting_the_same_limit_changes_nothing():
    """No version, no excuse."""
    one = meter()
    one.relimit(Limits(60, 6_000), 0)
    assert one.version == 0


def test_others_use_makes_a_refusal_unavoidable():
    """What the callers' own traffic would have been admitted for is not their fault."""
    one = meter(tpm=6_000, rpm=6_000, ghost_permille=500)
    assert one.admit("k", 6_000, 0) is None
    refusal = one.admit("k", 3_000, 30 * SECOND)
    assert refusal.label == "ghost"
    assert one.admit("k", 3_001, 30 * SECOND).label == "avoidable"


def test_the_ghost_takes_its_part_and_no_more():
    """At 30 % a caller who asks all the time gets 70 % of a minute's refill, within a step and a call."""
    one = meter(tpm=60_000, rpm=60_000, ghost_permille=300)
    one.admit("k", 60_000, 0)
    admitted = sum(100 for at in range(0, 10 * MINUTE, SECOND // 20) if one.admit("k", 100, at) is None)
    assert abs(admitted - 420_000) <= 500


def test_an_idle_ghost_leaves_the_bucket_nearly_full():
    """After a long idle time its use has been refilled: only its last step is missing."""
    one = meter(tpm=60_000, rpm=60_000, ghost_permille=300)
    one.admit("k", 1, 100 * MINUTE)
    assert one.quota.tokens.remaining(100 * MINUTE) >= 60_000 - 60_000 * 3 // 10 // 600 - 2


def test_settling_returns_the_difference_where_the_rules_say_so():
    """With `settles` the unused part comes back; without, nothing does."""
    assert meter().settle(1_000, 200, 0, 0) == 0
    one = meter(settles=True, ghost_permille=1)
    one.admit("k", 1_000, 0)
    assert one.settle(1_000, 200, 0, 0) == 800
    assert one.quota.tokens.remaining(0) == 5_800


@settings(max_examples=40)
@given(
    st.sampled_from(["continuous", "fixed", "sliding"]),
    st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(1, 7_000)), max_size=25),
)
def test_without_ghost_and_changes_every_refusal_is_avoidable(window, offers):
    """The label never excuses what the published windows alone refused."""
    one, now = meter(window=window), 0
    for step, tokens in offers:
        now += step
        refusal = one.admit("k", tokens, now)
        assert refusal is None or refusal.label == "avoidable"


@settings(max_examples=40)
@given(
    st.sampled_from(["continuous", "fixed", "sliding"]),
    st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(1, 3_000)), max_size=25),
)
def test_a_client_that_asks_its_own_mirror_first_is_never_blamed(window, offers):
    """Whoever sends only what the published windows, charged with its own traffic, admit gets no avoidable 429."""
    one, mirror, now = meter(window=window, ghost_permille=400), meter(window=window), 0
    for step, tokens in offers:
        now += step
        if mirror.quota.admits(tokens, now):
            refusal = one.admit("k", tokens, now)
            if refusal is None:
                mirror.quota.charge(1, tokens, now)
            assert refusal is None or refusal.label == "ghost"


def apart(otpm: int = 600, **rules: object) -> Meter:
    return Meter(Limits(60, 6_000, otpm=otpm), Rules(output_apart=True, **rules), 0)  # type: ignore[arg-type]


def test_output_apart_is_taken_as_it_comes():
    """A call passes while any of it is left; what it produces may leave a debt that time pays back."""
    one = apart()
    assert one.admit("k", 10, 0) is None
    assert one.produce(599, 0) == 599
    assert one.admit("k", 10, 0) is None
    assert one.produce(101, 0) == 101
    refusal = one.admit("k", 10, 0)
    assert (refusal.unit, refusal.limit, refusal.label) == ("output", 600, "avoidable")
    assert refusal.wait == 101 * MINUTE // 600
    assert one.admit("k", 10, refusal.wait - 1) is not None
    assert one.admit("k", 10, refusal.wait) is None


def test_output_that_is_not_apart_is_nothing_to_it():
    """Then the charge at admission was all."""
    one = meter()
    assert one.produce(10**6, 0) == 0
    assert one.admit("k", 6_000, 0) is None


def test_others_use_output_too():
    """A refusal that is theirs alone could not have been avoided."""
    one = apart(ghost_permille=1_000)
    assert one.admit("k", 10, 0) is None
    one.produce(600, MINUTE)
    found = one.admit("k", 10, MINUTE + SECOND // 2)
    assert found is not None
    assert found.label == "ghost"


def test_its_limit_changes_with_the_others():
    """A fifth of TPM where none is stated."""
    one = Meter(Limits(60, 6_000), Rules(output_apart=True), 0)
    assert one.quota.output.limit == 1_200
    one.relimit(Limits(60, 600), 0)
    assert one.quota.output.limit == 120


def test_requests_may_be_counted_in_parts_of_a_minute():
    """A tenth of a minute admits its part, and shows it."""
    one = Meter(Limits(60, 6_000), Rules(window="fixed", requests_period_s=10), 0)
    assert [one.admit("k", 1, 0) is None for _ in range(12)] == [True] * 10 + [False] * 2
    assert one.quota.requests.limit == 10
    assert one.admit("k", 1, 10 * SECOND) is None


def test_own_output_is_ones_own_fault():
    """Also where others use the quota: what was produced is in both accounts."""
    one = apart(ghost_permille=1)
    assert one.admit("k", 10, 0) is None
    one.produce(5_000, 0)
    found = one.admit("k", 10, SECOND)
    assert found is not None
    assert found.label == "avoidable"
