"""One dimension of a quota, followed by what the provider shows of it."""

import msgspec
import pytest

from tests.line.scenes import MINUTE, PROFILE
from tidegate.line.mirror import RETEST_US, Mirror
from tidegate.model.belief import Belief
from tidegate.policy.failure.headers import Seen
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SlidingLog
from tidegate.testing.clock import SECOND

START = 10 * MINUTE


def mirror(configured: int = 0, window: str = "continuous", jitter_us: int = 0) -> Mirror:
    return Mirror(configured, msgspec.structs.replace(PROFILE, window=window, jitter_us=jitter_us), START)


def limit_of(held: Mirror) -> int:
    return held.allowances[0].limit if held.allowances else 0


def sent(held: Mirror, cost: int = 0, now: int = START) -> int:
    """A call leaves with this charge; the moment."""
    if held.allowances:
        held.allowances[0].take(cost, now)
    held.note(cost, now)
    return now


def agree(held: Mirror, limit: int, left: int, now: int = START) -> None:
    """Enough replies show the same."""
    for _ in range(6):
        held.learn(Seen(limit, left), now, now)


@pytest.mark.parametrize(
    ("configured", "shown", "limit"),
    [(0, 0, 0), (100, 0, 100), (0, 50, 50), (100, 50, 50), (100, 200, 100), (100, 100, 100)],
)
def test_the_smaller_of_what_is_configured_and_shown(configured: int, shown: int, limit: int) -> None:
    """Either may be unknown; both unknown is no limit at all."""
    held = mirror(configured)
    if shown:
        agree(held, shown, shown)
    assert held.limit == limit == limit_of(held)
    assert held.left(START) == (limit or -1)


# ── limits that headers show ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_word_is_believed_where_nothing_is_known() -> None:
    """Limit and what is left."""
    held = mirror()
    assert held.learn(Seen(100, 30), START, START)
    assert (held.limit, held.left(START)) == (100, 30)
    assert not held.learn(Seen(100, 20), START, START)
    assert not held.learn(None, START, START)
    assert held.limit == 100


def test_a_higher_limit_is_followed_at_once() -> None:
    """As far as the configured one allows; what was left stays left."""
    held = mirror()
    held.learn(Seen(100, 30), START, START)
    assert held.learn(Seen(200, 10), START, START)
    assert (held.limit, held.left(START)) == (200, 30)
    held = mirror(150)
    agree(held, 100, 100)
    assert held.learn(Seen(200, 10), START, START)
    assert held.limit == 150


def test_a_lower_limit_is_kept_to_at_once_and_believed_when_three_agree() -> None:
    """Until then beside the one in force, so that nothing is lost if it was a mistake."""
    held = mirror(60_000)
    for _ in range(2):
        assert not held.learn(Seen(30_000, 29_000), START, START)
        assert [allowed.limit for allowed in held.allowances] == [60_000, 30_000]
        assert held.allowances[1].left(START) == 29_000
    assert held.learn(Seen(30_000, 29_000), START, START)
    assert [allowed.limit for allowed in held.allowances] == [30_000]
    assert held.left(START) == 29_000


def test_a_lower_limit_that_is_taken_back_leaves_no_trace() -> None:
    """But on the trust: a reply to a call that was sent later shows the old one again."""
    held = mirror(60_000)
    agree(held, 60_000, 60_000)
    held.learn(Seen(500, 1), START, START + 1)
    trust = held.trust.score
    assert not held.learn(Seen(60_000, 60_000), START, START + 2)
    assert len(held.allowances) == 2
    assert held.learn(Seen(60_000, 60_000), START + 2, START + 3)
    assert [allowed.limit for allowed in held.allowances] == [60_000]
    assert held.left(START + 3) == 60_000
    assert held.trust.score < trust


def test_who_cried_wolf_is_not_heeded_at_once() -> None:
    """After jumps a lower limit must be shown more often, and holds nothing meanwhile."""
    held = mirror(60_000)
    agree(held, 60_000, 60_000)
    held.learn(Seen(500, 1), START, START)
    held.learn(Seen(60_000, 60_000), START + 1, START + 1)
    for votes in range(1, 6):
        assert not held.learn(Seen(30_000, 100), START + 2, START + 2)
        assert [allowed.limit for allowed in held.allowances] == [60_000], votes
    assert held.learn(Seen(30_000, 100), START + 2, START + 2)
    assert held.limit == 30_000


def test_an_old_reply_says_nothing_about_a_newer_limit() -> None:
    """The limit rose; replies to calls sent before that still show the old one, and one more does not bring it back."""
    held = mirror()
    held.learn(Seen(30_000, 100), START, START)
    held.learn(Seen(60_000, 100), START, START + 10)
    for _ in range(10):
        assert not held.learn(Seen(30_000, 100), START + 9, START + 20)
    assert held.limit == 60_000
    assert len(held.allowances) == 1


def test_headers_that_lie_for_ever_are_not_read_any_more() -> None:
    """A limit that comes and goes, at every second reply."""
    held = mirror(60_000)
    agree(held, 60_000, 60_000)
    for turn in range(1, 20, 2):
        held.learn(Seen(500 + turn, 1), START + turn, START + turn)
        held.learn(Seen(60_000, 60_000), START + turn, START + turn + 1)
    assert not held.trust.believed
    agree(held, 500, 1, START + 100)
    assert held.limit == 60_000
    sent(held, 100, START + 100)
    assert held.missing(b"10", START + 100, START + 100) == 0


# ── too large for good ───────────────────────────────────────────────────────────────────────────────────────────────


def excludes(held: Mirror, least: int, now: int) -> bool:
    return Quota((), held.allowances).wait(Charge(least, least), now) == NEVER


def test_a_configured_limit_excludes_what_is_larger_for_good() -> None:
    """There is nothing to find out."""
    held = mirror(100)
    assert excludes(held, 101, START + 100 * MINUTE)
    assert not excludes(held, 100, START)


def test_a_shown_limit_excludes_only_while_replies_agree_and_is_put_to_the_test() -> None:
    """One reply excludes nobody; several do; after a while without a word somebody may try."""
    held = mirror(60_000)
    held.learn(Seen(100, 100), START, START)
    assert not excludes(held, 101, START)
    agree(held, 100, 100)
    assert excludes(held, 101, START)
    assert excludes(held, 101, START + RETEST_US - 1)
    assert not excludes(held, 101, START + RETEST_US)
    held.learn(Seen(100, 0), START + RETEST_US, START + RETEST_US)
    assert excludes(held, 101, START + RETEST_US)


def test_a_remembered_limit_excludes_nobody() -> None:
    """An old word, until it is heard again."""
    held = mirror()
    held.recall(Belief(shown=100, limit=100), None, 0, START)
    assert held.limit == 100
    assert not excludes(held, 101, START)


# ── what others spend ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_others_spent_is_taken_and_told() -> None:
    """Once for all who were in flight then, and as much is kept back for the next time."""
    held = mirror(10_000)
    agree(held, 10_000, 10_000)
    for _ in range(2):
        sent(held)
    assert held.missing(b"9000", START, START) == 1_000
    assert held.missing(b"9000", START, START) == 0
    assert held.left(START) == 8_000
    assert held.missing(b"8500", START, START) == 500
    assert held.booked == 1_500


@pytest.mark.parametrize("left", [None, b"", b"-1", b"x", b"9990", b"10000", b"11000"])
def test_nothing_is_missing(left: bytes | None) -> None:
    """No word, nonsense, noise, or more than we thought."""
    held = mirror(10_000)
    agree(held, 10_000, 10_000)
    sent(held)
    assert held.missing(left, START, START) == 0
    assert held.left(START) == 10_000


def test_our_own_margin_is_nobodys_use() -> None:
    """The mirror is shallower than the provider's bucket by the jitter; that difference is no deficit, nor credit."""
    held = mirror(60_000, jitter_us=SECOND)
    agree(held, 60_000, 60_000)
    sent(held)
    assert held.left(START) == 59_000
    assert held.missing(b"60000", START, START) == 0
    sent(held, 30_000)
    assert held.missing(b"28000", START, START) == 2_000


@pytest.mark.parametrize("first", [0, 9])
def test_the_order_of_arrival_is_nobodys_use(first: int) -> None:
    """Of ten calls in flight the first or the last is counted last, and what it shows is what all ten left."""
    held = mirror(10_000)
    agree(held, 10_000, 10_000)
    times = [sent(held, 500, START + number) for number in range(10)]
    assert held.missing(b"5000", times[first], START + 10) == 0
    assert held.missing(b"4000", times[first], START + 11) == 1_000


@pytest.mark.parametrize("before", ["unseen", "not the minute's", "more than shown"])
def test_what_cannot_be_compared_is_not(before: str) -> None:
    """Another limit than ours, or none shown: its remainder says nothing of our mirror."""
    held = mirror(10_000)
    if before == "not the minute's":
        held.learn(Seen(10_000, 9_000), START, START)
        held.learn(None, START, START)
    elif before == "more than shown":
        held.learn(Seen(5_000, 4_000), START, START)
    sent(held)
    assert held.missing(b"3000", START, START) == 0


def test_a_larger_provider_that_runs_dry_is_followed() -> None:
    """Half of the quota is ours by configuration; others have used the rest, and some of ours."""
    held = mirror(10_000)
    held.learn(Seen(20_000, 9_000), START, START)
    sent(held)
    assert held.missing(b"10000", START, START) == 0
    assert held.missing(b"5000", START, START) == 5_000


def test_a_call_older_than_the_mirror_lowers_it_only() -> None:
    """What it saw, and the refill since it was sent, is the most there can be."""
    held = mirror()
    now = START + 10 * SECOND
    held.learn(Seen(60_000, 50_000), START, now)
    assert held.missing(b"20000", START, now) == 20_000
    assert held.left(now) == 30_000
    assert held.missing(b"40000", START, now) == 0
    assert held.left(now) == 30_000


def test_a_quantised_limit_is_held_by_the_second() -> None:
    """And its published minute is not compared with it."""
    held = mirror(60_000, "quantised")
    assert limit_of(held) == 1_000
    agree(held, 30_000, 5)
    assert limit_of(held) == 500
    sent(held)
    assert held.missing(b"5", START, START) == 0


# ── what refusals teach ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_without_a_word_teaches_a_limit() -> None:
    """Nine tenths of what went out within the minute, and nothing is left. Refusals of the same round teach once."""
    held = mirror()
    for second in range(10):
        sent(held, 1_000, START + second * SECOND)
    now = START + 10 * SECOND
    assert held.refused(1_000, START + 9 * SECOND, now)
    assert held.limit == 8_100
    assert held.left(now) == 0
    assert held.belief(now).source == "refusals"
    assert not held.refused(1_000, START + 9 * SECOND, now + 1)


def test_a_learnt_limit_ends_at_the_configured_one() -> None:
    """It grows while it is used and nobody refuses."""
    held = mirror(100_000)
    now = START
    for _ in range(60):
        now = sent(held, 1_000, now + SECOND)
    assert held.refused(1_000, now, now + 1)
    assert held.limit == 53_100  # nine tenths of the 59 that were admitted
    limits = []
    for _ in range(3_000):
        now += SECOND
        sent(held, held.limit // 60, now)
        limits.append(held.limit)
    assert limits == sorted(limits)
    assert held.belief(now).source == "configured"


def test_a_rate_that_rose_too_fast_is_held() -> None:
    """Beside the limit, in calls; the hold ends after a quarter of an hour and some."""
    held = mirror(6_000)
    now = START
    for _ in range(120):
        now = sent(held, 1, now + SECOND)
    for _ in range(600):
        now = sent(held, 1, now + SECOND // 10)
    held.slow_down(now, now)
    assert [allowed.limit for allowed in held.allowances] == [6_000, 60]
    for _ in range(15 * 60):
        now = sent(held, 1, now + SECOND)
    assert held.allowances[1].limit <= 66
    for _ in range(60 * 60):
        now = sent(held, 1, now + SECOND)
    assert [allowed.limit for allowed in held.allowances] == [6_000]


def test_what_explains_a_refusal() -> None:
    """A believed remainder of a limit by the minute."""
    assert mirror(100).explains(b"0")
    assert not mirror(100).explains(None)
    assert not mirror(100).explains(b"-1")
    assert not mirror(100, "quantised").explains(b"5")


# ── configuration and memory ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_reload_keeps_what_is_left() -> None:
    """With the same shape, with another, and when the limit goes and comes back."""
    held = mirror(60_000)
    held.allowances[0].take(20_000, START)
    held.reconfigure(50_000, PROFILE, START)
    assert (held.limit, held.left(START)) == (50_000, 40_000)
    held.reconfigure(50_000, msgspec.structs.replace(PROFILE, window="sliding"), START)
    assert isinstance(held.allowances[0], SlidingLog)
    assert held.left(START) == 40_000
    held.reconfigure(0, PROFILE, START)
    assert held.left(START) == -1


@pytest.mark.parametrize(("left", "at", "expected"), [(None, 0, 60_000), (10_000, START - 20 * SECOND, 30_000)])
def test_an_earlier_run_is_continued(left: int | None, at: int, expected: int) -> None:
    """Its limit, and where it knew a level, that and the refill since."""
    held = mirror()
    held.recall(Belief(shown=60_000), left, at, START)
    assert held.left(START) == expected


def test_what_is_believed_is_remembered() -> None:
    """Limits, trust and the others' rate go on in the next run."""
    held = mirror(60_000)
    agree(held, 30_000, 30_000)
    now = sent(held, 1_000, START + SECOND)
    assert held.missing(b"25000", now, now) == 4_000
    belief = held.belief(now)
    assert (belief.shown, belief.limit, belief.source) == (30_000, 30_000, "headers")
    assert belief.others > 10_000
    again = mirror(60_000)
    again.recall(belief, None, 0, now)
    assert again.belief(now) == belief


def test_of_replies_on_their_way_a_lower_limit_needs_the_majority() -> None:
    """A hundred calls left at once, and one reply in twenty lies: nothing that was sent later can refute it."""
    held = mirror(60_000)
    for number in range(100):
        held.learn(Seen(500, 1) if number % 20 == 0 else Seen(60_000, 50_000), START, START + number)
    assert held.limit == 60_000
    for _ in range(200):
        held.learn(Seen(500, 1), START, START + 100)
    assert held.limit == 500


def test_a_limit_of_headers_that_are_not_believed_any_more_does_not_hold() -> None:
    """Where something is configured: only refusals lower it then."""
    held = mirror(60_000)
    agree(held, 500, 1)
    assert held.limit == 500
    while held.trust.believed:
        held.trust.contradict(100)
    now = sent(held, 0, START + 10 * SECOND)
    assert held.limit == 60_000
    assert held.belief(now).source == "configured"


# ── what is rounded ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("rounding", "missing", "booked"), [(0, 900, 900), (1_000, 900, 0), (1_000, 3_000, 3_000)])
def test_what_rounding_may_hide_is_nobodys_use(rounding: int, missing: int, booked: int) -> None:
    """A provider that shows thousands does not say where hundreds went."""
    profile = msgspec.structs.replace(PROFILE, jitter_us=0)
    held = Mirror(50_000, profile, START, rounding)
    agree(held, 50_000, 50_000)
    at = sent(held, 20_000, START + SECOND)
    assert held.missing(b"%d" % (30_000 - missing), at, at) == booked


def test_rounding_is_no_contradiction() -> None:
    """What is left may rise by what was rounded away."""
    held = Mirror(50_000, msgspec.structs.replace(PROFILE, jitter_us=0), START, 1_000)
    agree(held, 50_000, 50_000)
    trust = held.trust.score
    for number, left in enumerate((30_000, 31_000, 30_000, 31_000)):
        at = sent(held, 0, START + SECOND + number)
        held.missing(b"%d" % left, at, at)
    assert held.trust.score >= trust


@pytest.mark.parametrize(
    ("fields", "trusted"), [({}, False), ({"settles": True}, True), ({"cached_free": True, "charge": "prompt"}, True)]
)
def test_who_counts_less_later_may_show_more(fields: dict[str, object], trusted: bool) -> None:
    """An estimate that is put right, or a prompt that was cached after all: elsewhere a rise is strange."""
    held = Mirror(50_000, msgspec.structs.replace(PROFILE, jitter_us=0, **fields), START)
    agree(held, 50_000, 50_000)
    trust = held.trust.score
    for number, left in enumerate((30_000, 40_000)):
        at = sent(held, 0, START + SECOND + number)
        held.missing(b"%d" % left, at, at)
    assert (held.trust.score >= trust) is trusted


def test_a_part_of_a_limit_is_kept_to() -> None:
    """What was left stays as far as it fits; a larger part adds rate and depth, and no level."""
    held = mirror(60_000)
    assert held.divide(500_000, START)
    assert not held.divide(500_000, START)
    assert limit_of(held) == 30_000
    assert held.left(START) == 30_000
    held.divide(100_000, START)
    assert held.left(START) == 6_000
    held.divide(1_000_000, START)
    assert held.left(START) == 6_000
    assert held.left(START + 30 * SECOND) == 36_000


def test_without_a_part_nothing_passes() -> None:
    """And nothing is saved up meanwhile."""
    held = mirror(60_000)
    held.divide(0, START)
    assert not all(one.has(1, START) for one in held.allowances)
    assert not excludes(held, 50_000, START)
    later = START + 60 * SECOND
    held.divide(500_000, later)
    assert held.left(later) <= 1
    assert all(one.has(1, later + 10 * SECOND) for one in held.allowances)


def test_what_other_regions_spend_is_not_booked() -> None:
    """A shown limit is everybody's, so what is left of it says nothing of this part."""
    held = mirror(60_000)
    held.divide(250_000, START)
    agree(held, 40_000, 39_000)
    assert limit_of(held) == 10_000
    assert held.missing(b"100", START + SECOND, START + SECOND) == 0
