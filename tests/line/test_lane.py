"""What a lane knows of its provider's quota: charged before, corrected after, held against what headers show."""

import asyncio
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line.scenes import MINUTE, PROFILE, call_of, lane_alone, pass_through, queue, service_of
from tidegate.line.lane import Lane, LaneState, Slot
from tidegate.line.lanes import Lanes
from tidegate.model.belief import Belief
from tidegate.model.call import Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.snapshot import Limits, Scope
from tidegate.model.tenant import NOBODY
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge
from tidegate.policy.quota.window import SlidingLog
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def send(lane: Lane, clock: ManualClock, tokens: int) -> Slot:
    """A call leaves with this charge."""
    permit = pass_through(lane, clock, tokens)
    assert permit is not None
    return lane.slot(permit, None, clock.now())


def shows(limit: object, left: object, reset: str = "", kind: str = "tokens") -> dict[bytes, bytes]:
    if not reset:
        reset = (
            f"{60_000 * (limit - left) // limit}ms"
            if isinstance(limit, int) and isinstance(left, int) and limit > 0
            else "1s"
        )
    words = {"limit": limit, "remaining": left, "reset": reset}
    return {f"x-ratelimit-{name}-{kind}".encode(): str(value).encode() for name, value in words.items()}


def tokens(lane: Lane) -> Bucket | SlidingLog:
    mirror = lane.quota.tokens[0]
    assert isinstance(mirror, Bucket | SlidingLog)
    return mirror


def left(lane: Lane, clock: ManualClock) -> int:
    return tokens(lane).left(clock.now())


async def follow(lane: Lane, clock: ManualClock, shown: dict[bytes, bytes], cost: int = 0) -> None:
    """Enough replies, one after the other, that all show the same."""
    for _ in range(3):
        lane.watch(shown, send(lane, clock, cost), clock.now())
        await clock.advance(1)


# ── what a call costs ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", ["max", "sum", "prompt"])
def test_a_call_is_charged_by_the_profiles_rule(clock: ManualClock, rule: str) -> None:
    """The upper estimate is reserved; what it costs at least alone can make it impossible."""
    lane = lane_alone(clock, Limits(60, 10_000), msgspec.structs.replace(PROFILE, charge=rule))
    call = call_of("word " * 100, max_tokens=1_000)
    charge = lane.charge(call)
    prompt = lane.estimator.upper(call.size)
    assert charge.tokens == lane.reserve(call) == {"max": 1_000, "sum": prompt + 1_000, "prompt": prompt}[rule]
    assert 0 < charge.least <= charge.tokens


def test_what_is_forwarded_as_it_is_costs_a_request_only(clock: ManualClock) -> None:
    """Nobody knows what it costs in tokens."""
    lane = lane_alone(clock, Limits(60, 10_000))
    assert lane.charge(call_of(kind=Kind.PASS)) == Charge(0)
    assert lane.reserve(call_of(kind=Kind.PASS)) == 0


async def test_usage_corrects_the_charge_and_teaches(clock: ManualClock) -> None:
    """By the same rule with the real prompt; the estimate follows."""
    lane = lane_alone(clock, Limits(0, 10_000))
    tokens(lane).take(5_000, clock.now())
    call = call_of("word " * 100)
    before = lane.reserve(call)
    slot = send(lane, clock, before)
    assert lane.account(call, slot, Usage(108, 50), clock.now()) == 108
    assert left(lane, clock) == 5_000 - 108
    for _ in range(8):
        lane.account(call, slot, Usage(108, 50), clock.now())
    assert lane.reserve(call) < before


async def test_a_provider_that_settles_is_settled_by_the_total(clock: ManualClock) -> None:
    """Prompt and completion; more than was reserved is a debt."""
    lane = lane_alone(clock, Limits(0, 10_000), msgspec.structs.replace(PROFILE, settles=True, charge="sum"))
    call = call_of(max_tokens=10)
    slot = send(lane, clock, 9_990)
    assert lane.account(call, slot, Usage(9_000, 3_000), clock.now()) == 12_000
    assert left(lane, clock) == -2_000


@pytest.mark.parametrize("usage", [None, Usage(1, 1, estimated=True)])
async def test_without_usage_the_charge_stands(clock: ManualClock, usage: Usage | None) -> None:
    """Our own estimate corrects nothing and teaches nothing."""
    lane = lane_alone(clock, Limits(0, 10_000))
    slot = send(lane, clock, 700)
    taught = lane.estimator.dump()
    assert lane.account(call_of(), slot, usage, clock.now()) == 700
    slot.give_back()
    assert left(lane, clock) == 9_300
    assert lane.estimator.dump() == taught


# ── limits that headers show ─────────────────────────────────────────────────────────────────────────────────────────


async def test_limits_are_learnt_where_none_are_configured(clock: ManualClock) -> None:
    """From the first reply that shows them, with what is left."""
    lane = lane_alone(clock, Limits())
    slot = send(lane, clock, 700)
    lane.watch(shows(10_000, 9_300) | shows(60, 59, kind="requests"), slot, clock.now())
    assert lane.quota.tokens[0].limit == 10_000
    assert lane.quota.requests[0].limit == 60
    assert left(lane, clock) == 9_300
    assert (lane.requests.seen, lane.tokens.seen) == (60, 10_000)


async def test_what_was_sent_before_limits_were_learnt_is_held_against_them(clock: ManualClock) -> None:
    """Ten calls left at once; each reply shows less, and the mirror follows down, not up."""
    lane = lane_alone(clock, Limits())
    slots = [send(lane, clock, 0) for _ in range(10)]
    await clock.advance(SECOND)
    for number, slot in enumerate(slots, 1):
        lane.watch(shows(60_000, 60_000 - 6_000 * number, f"{6 * number}s"), slot, clock.now())
    assert left(lane, clock) == 1_000  # nothing was left, and a second of refill


@pytest.mark.parametrize("window", ["continuous", "sliding"])
async def test_a_lower_limit_is_followed_and_its_return_too(clock: ManualClock, window: str) -> None:
    """Down when replies agree, and the difference is nobody's use; up again to what is configured, no further."""
    lane = lane_alone(clock, Limits(0, 10_000), msgspec.structs.replace(PROFILE, window=window))
    await follow(lane, clock, shows(5_000, 4_700), 100)
    assert tokens(lane).limit == 5_000
    assert 4_400 <= left(lane, clock) <= 5_000
    lane.watch(shows(10_000, 9_800), send(lane, clock, 100), clock.now())
    assert tokens(lane).limit == 10_000
    lane.watch(shows(20_000, 19_700), send(lane, clock, 100), clock.now())
    assert tokens(lane).limit == 10_000


async def test_a_learnt_limit_follows_up_and_down(clock: ManualClock) -> None:
    """Nothing is configured: the provider's word alone counts."""
    lane = lane_alone(clock, Limits())
    for limit in (10_000, 40_000, 5_000):
        await follow(lane, clock, shows(limit, limit - 400), 100)
        assert tokens(lane).limit == limit


async def test_a_higher_limit_lets_the_queue_go(clock: ManualClock) -> None:
    """Whoever waits for the old one goes as soon as the new one allows."""
    lane = lane_alone(clock, Limits())
    slot = send(lane, clock, 0)
    lane.watch(shows(600, 0, "60s"), slot, clock.now())
    waiting = queue(lane, clock, 300, MINUTE)
    task = asyncio.get_running_loop().create_task(waiting)
    await clock.advance(SECOND)
    lane.watch(shows(60_000, 59_000), slot, clock.now())
    await clock.advance(SECOND)
    assert task.done()


@pytest.mark.parametrize(
    "strange",
    [
        {},
        shows(-1, -1),
        shows(0, 0),
        shows("unlimited", "many"),
        shows(1_500_000, 43_244, "23h18m29.144s"),  # the day's
        {b"x-ratelimit-limit-tokens": b"500"},
    ],
    ids=["none", "minus one", "zero", "words", "day", "limit only"],
)
async def test_a_reply_that_shows_nothing_changes_and_forgets_nothing(
    clock: ManualClock, strange: dict[bytes, bytes]
) -> None:
    """What was learnt before it stays learnt."""
    lane = lane_alone(clock, Limits())
    lane.watch(shows(10_000, 9_300), send(lane, clock, 0), clock.now())
    lane.watch(strange, send(lane, clock, 100), clock.now())
    assert (lane.requests.seen, lane.tokens.seen) == (0, 10_000)
    assert tokens(lane).limit == 10_000
    assert left(lane, clock) == 9_200


# ── what others spend ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_others_spent_is_booked_once(clock: ManualClock) -> None:
    """Five calls in flight see the same hole; it is one hole, and as much is kept back for the next."""
    lane = lane_alone(clock, Limits(0, 10_000))
    slots = [send(lane, clock, 100) for _ in range(5)]
    assert left(lane, clock) == 9_500
    for number, slot in reversed(list(enumerate(slots, 1))):
        lane.watch(shows(10_000, 10_000 - 1_000 - 100 * number), slot, clock.now())
    assert lane.tokens.booked == 1_000
    assert left(lane, clock) == 7_500


async def test_calls_that_overtake_each_other_are_no_ones_use(clock: ManualClock) -> None:
    """The first of ten arrives last: what its reply shows to be missing are the other nine."""
    lane = lane_alone(clock, Limits(0, 10_000))
    slots = [send(lane, clock, 500) for _ in range(10)]
    for number, slot in enumerate(reversed(slots), 1):
        lane.watch(shows(10_000, 10_000 - 500 * number), slot, clock.now())
    assert lane.tokens.booked == 0
    assert left(lane, clock) == 5_000


async def test_more_of_it_is_booked_as_it_comes(clock: ManualClock) -> None:
    """Only what is new since."""
    lane = lane_alone(clock, Limits(0, 10_000))
    for missing in (1_000, 1_500, 1_500):
        slot = send(lane, clock, 0)
        await clock.advance(1)
        lane.watch(shows(10_000, 10_000 - missing), slot, clock.now())
        assert lane.tokens.booked == missing


@pytest.mark.parametrize("news", ["a deficit", "a smaller limit", "a reload"])
async def test_bad_news_sends_away_who_cannot_wait_that_long(clock: ManualClock, news: str) -> None:
    """At once: it may still be served elsewhere."""
    lane = lane_alone(clock, Limits(0, 6_000))
    slots = [send(lane, clock, cost) for cost in (3_000, 0, 0)]
    waiting = asyncio.get_running_loop().create_task(queue(lane, clock, 3_500, 6 * SECOND))
    await clock.advance(SECOND)
    assert not waiting.done()
    if news == "a deficit":
        lane.watch(shows(6_000, 1_000), slots[0], clock.now())
    elif news == "a smaller limit":
        for slot in slots:
            assert not waiting.done()
            lane.watch(shows(600, 0, "1m"), slot, clock.now())
    else:
        lane.reconfigure(lane.service, Limits(0, 3_600))
    await clock.advance(0)
    assert waiting.done()
    assert waiting.result() is None


async def test_it_is_booked_in_windows_too(clock: ManualClock) -> None:
    """Seconds after the charge: the log has no entry of that moment."""
    lane = lane_alone(clock, Limits(0, 10_000), msgspec.structs.replace(PROFILE, window="fixed"))
    slot = send(lane, clock, 100)
    await clock.advance(5 * SECOND)
    lane.watch(shows(10_000, 8_900, "55s"), slot, clock.now())
    assert lane.tokens.booked == 1_000
    assert left(lane, clock) < 8_900 - 100 - 1_000  # a hundredth is kept back, and as much again as others took


@pytest.mark.parametrize("seen", [9_900, 9_950, 9_890, 10_000])
async def test_noise_and_our_own_caution_are_no_ones_use(clock: ManualClock, seen: int) -> None:
    """Within a thousandth, or more left than we thought: nothing is booked, and nothing is given."""
    lane = lane_alone(clock, Limits(0, 10_000))
    lane.watch(shows(10_000, seen), send(lane, clock, 100), clock.now())
    assert left(lane, clock) == 9_900


async def test_requests_are_watched_likewise(clock: ManualClock) -> None:
    """Each dimension by itself."""
    lane = lane_alone(clock, Limits(100, 0))
    lane.watch(shows(100, 79, kind="requests"), send(lane, clock, 0), clock.now())
    assert lane.quota.requests[0].left(clock.now()) == 79 - 20
    assert lane.requests.booked == 20


@pytest.mark.parametrize("word", ["-1", "", "many", "9" * 30])
async def test_a_useless_remainder_is_not_read_as_nothing_left(clock: ManualClock, word: str) -> None:
    """Seen in the wild: -1 while the limit is stated."""
    lane = lane_alone(clock, Limits(0, 10_000))
    lane.watch(shows(10_000, 9_900), send(lane, clock, 100), clock.now())
    lane.watch(shows(10_000, word), send(lane, clock, 100), clock.now())
    assert left(lane, clock) == 9_800


async def test_a_quantised_mirror_stays_one_of_a_second(clock: ManualClock) -> None:
    """Headers show the minute; the mirror holds a sixtieth each second, and follows the limit in sixtieths."""
    lane = lane_alone(clock, Limits(0, 60_000), msgspec.structs.replace(PROFILE, window="quantised"))
    assert tokens(lane).limit == 1_000
    lane.watch(shows(60_000, 59_000), send(lane, clock, 1_000), clock.now())
    assert tokens(lane).limit == 1_000
    assert left(lane, clock) == 0
    await clock.advance(2 * SECOND)
    await follow(lane, clock, shows(30_000, 20_000))
    assert tokens(lane).limit == 500


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 3_000), st.booleans()), min_size=1, max_size=20))
def test_the_mirror_never_believes_in_more_than_the_provider_has(steps: list[tuple[int, int, bool]]) -> None:
    """Ours and others' use in any order, replies in the order sent: in the end our mirror has no more than they."""
    clock = ManualClock()
    lane, provider = lane_alone(clock, Limits(0, 100_000)), 100_000
    seen: list[tuple[Slot, int]] = []
    for ours, others, answered in steps:
        provider -= others
        slot = send(lane, clock, ours)
        provider -= ours // 2  # our estimate is twice what they charge
        seen.append((slot, provider))
        if answered:
            slot, shown = seen.pop(0)
            lane.watch(shows(100_000, shown), slot, clock.now())
    for slot, shown in seen:
        lane.watch(shows(100_000, shown), slot, clock.now())
    assert left(lane, clock) <= provider + 100  # but for the thousandth of noise


# ── configuration and memory ─────────────────────────────────────────────────────────────────────────────────────────


async def test_new_limits_keep_what_is_known(clock: ManualClock) -> None:
    """What was spent stays spent; a limit that the provider showed still bounds."""
    lane = lane_alone(clock, Limits(0, 10_000))
    send(lane, clock, 1_000)
    await follow(lane, clock, shows(8_000, 7_000))
    lane.reconfigure(lane.service, Limits(100, 9_000))
    assert tokens(lane).limit == 8_000
    assert left(lane, clock) == 7_000
    assert lane.quota.requests[0].limit == 100
    lane.reconfigure(lane.service, Limits(100, 6_000))
    assert tokens(lane).limit == 6_000
    lane.reconfigure(lane.service, Limits())
    assert tokens(lane).limit == 8_000
    assert lane.quota.requests == ()


async def test_another_window_keeps_what_is_left(clock: ManualClock) -> None:
    """The mirror takes the new shape, as empty as the old one."""
    lane = lane_alone(clock, Limits(0, 60_000))
    send(lane, clock, 50_000)
    sliding = service_of(profile=msgspec.structs.replace(PROFILE, window="sliding"))
    lane.reconfigure(sliding, Limits(0, 60_000))
    assert isinstance(tokens(lane), SlidingLog)
    assert left(lane, clock) == 10_000
    lane.reconfigure(service_of(), Limits(0, 60_000))
    assert isinstance(tokens(lane), Bucket)
    assert left(lane, clock) == 10_000


async def test_a_restart_continues_where_the_quota_stands(clock: ManualClock) -> None:
    """Limits, ratios and level as they were, with the refill since."""
    old, new = lane_alone(clock, Limits()), lane_alone(clock, Limits())
    old.estimator.learn(call_of("word " * 100).size, 108)
    memory = LaneState(Belief(60), Belief(60_000), old.estimator.dump(), 10, 20_000, clock.now())
    await clock.advance(10 * SECOND)
    new.recall(memory)
    assert left(new, clock) == 30_000
    assert new.quota.requests[0].left(clock.now()) == 20
    assert new.estimator.dump() == old.estimator.dump()
    assert (new.requests.seen, new.tokens.seen) == (60, 60_000)


async def test_a_restart_without_a_level_starts_full(clock: ManualClock) -> None:
    """Only what was learnt, bounded by what is configured now."""
    lane = lane_alone(clock, Limits(0, 10_000))
    lane.recall(LaneState(Belief(60), Belief(60_000)))
    assert tokens(lane).limit == 10_000
    assert left(lane, clock) == 10_000
    assert lane.quota.requests[0].limit == 60


def test_a_lanes_name(clock: ManualClock) -> None:
    """Provider, scope and model, in the header as in the log."""
    assert lane_alone(clock, Limits()).name == "openai/main/a"


@pytest.mark.parametrize(("window", "shape"), [("", Bucket), ("sliding", SlidingLog), ("continuous", Bucket)])
def test_a_scope_may_say_how_its_limits_reset(clock: ManualClock, window: str, shape: type) -> None:
    """Else its provider's profile does; a reload may change it."""
    scope = Scope("main", ("sk-1",), {"a": Limits(60, 10_000)}, window=window)
    lanes, service = Lanes(clock, 10, lambda: 0.0), service_of()
    lane = lanes.get(service, scope, "a")
    assert isinstance(tokens(lane), shape)
    lanes.get(service, msgspec.structs.replace(scope, window="fixed"), "a")
    assert isinstance(tokens(lane), SlidingLog)


async def test_a_refusal_without_headers_teaches_the_dimension_that_it_names(clock: ManualClock) -> None:
    """Requests or tokens; with headers that say how it stands, nothing."""
    lane = lane_alone(clock, Limits())
    slots = [send(lane, clock, 100) for _ in range(20)]
    lane.refused(Reason.RATE, "Rate limit reached on tokens per min (TPM)", shows(3_000, 10), slots[-1])
    assert lane.quota.tokens == ()
    lane.refused(Reason.RATE, "Rate limit reached on tokens per min (TPM)", {}, slots[-1])
    assert lane.quota.tokens[0].limit == 1_710
    lane.refused(Reason.RATE, "Requests rate limit exceeded", {}, slots[-1])
    assert lane.quota.requests[0].limit == 17
    lane.refused(Reason.RAMP, "Slow down", {}, slots[-1])
    assert len(lane.quota.requests) == 2
    lane.refused(Reason.OVERLOAD, "", {}, slots[-1])
    assert len(lane.quota.tokens) == 1


# ── families of headers ──────────────────────────────────────────────────────────────────────────────────────────────

ANTHROPIC = msgspec.structs.replace(PROFILE, headers="anthropic", charge="prompt", split=True)


def in_family(start: str, end: str, limit: int, left: int, reset: str) -> dict[bytes, bytes]:
    words = {"limit": str(limit), "remaining": str(left), "reset": reset}
    return {f"{start}{word}{end}".encode(): value.encode() for word, value in words.items()}


async def test_anthropics_input_tokens_are_its_tokens(clock: ManualClock) -> None:
    """Limits are learnt from them, and from requests; the most restrictive of all is nobody's own and not read."""
    lane = lane_alone(clock, Limits(), ANTHROPIC)
    reset = "1970-01-01T00:00:30Z"
    shown = in_family("anthropic-ratelimit-input-tokens-", "", 50_000, 40_000, reset)
    shown |= in_family("anthropic-ratelimit-requests-", "", 50, 49, reset)
    shown |= in_family("anthropic-ratelimit-tokens-", "", 10_000, 0, reset)
    await follow(lane, clock, shown, 100)
    assert (lane.tokens.seen, lane.requests.seen) == (50_000, 50)
    assert lane.tokens.rounding == 1_000


async def test_its_configured_limits(clock: ManualClock) -> None:
    """ITPM where input and output are limited apart."""
    lane = lane_alone(clock, Limits(rpm=50, itpm=50_000, otpm=10_000), ANTHROPIC)
    assert tokens(lane).limit == 50_000


async def test_a_day_shown_by_a_moment_is_not_the_minute(clock: ManualClock) -> None:
    """OpenRouter's bare limit: requests, of the minute or of the day, as the reset says."""
    profile = msgspec.structs.replace(PROFILE, headers="openrouter", window="fixed")
    lane = lane_alone(clock, Limits(), profile)
    wall = clock.wall() // 1_000
    await follow(lane, clock, in_family("x-ratelimit-", "", 1_000, 0, str(wall + 7_200_000)))
    assert lane.requests.seen == 0
    await follow(lane, clock, in_family("x-ratelimit-", "", 20, 10, str(wall + 30_000)))
    assert lane.requests.seen == 20


async def test_groqs_requests_are_the_days(clock: ManualClock) -> None:
    """They are not read, whatever the reset."""
    lane = lane_alone(clock, Limits(), msgspec.structs.replace(PROFILE, headers="groq"))
    shown = shows(14_400, 14_399, "6s", kind="requests") | shows(6_000, 5_000)
    await follow(lane, clock, shown, 100)
    assert (lane.requests.seen, lane.tokens.seen) == (0, 6_000)


async def test_azures_ten_seconds_are_not_the_minute(clock: ManualClock) -> None:
    """It says how long the period of its requests is."""
    lane = lane_alone(clock, Limits(), msgspec.structs.replace(PROFILE, headers="azure", window="fixed"))
    shown = shows(100, 90, "5", kind="requests") | shows(6_000, 5_000, "30")
    await follow(lane, clock, shown | {b"x-ratelimit-renewalperiod-requests": b"10"}, 100)
    assert (lane.requests.seen, lane.tokens.seen) == (0, 6_000)
    shown = shows(200, 190, "5", kind="requests") | shows(6_000, 5_000, "30")
    await follow(lane, clock, shown | {b"x-ratelimit-renewalperiod-requests": b"60"}, 100)
    assert lane.requests.seen == 200


async def test_another_profile_reads_other_headers(clock: ManualClock) -> None:
    """As soon as the configuration says so."""
    lane = lane_alone(clock, Limits())
    await follow(lane, clock, shows(6_000, 5_000))
    assert lane.tokens.seen == 6_000
    lane.reconfigure(replace(lane.service, profile=ANTHROPIC), Limits())
    await follow(lane, clock, shows(9_000, 9_000))
    assert lane.tokens.seen == 6_000
    await follow(lane, clock, in_family("anthropic-ratelimit-input-tokens-", "", 70_000, 70_000, "soon"))
    assert lane.tokens.seen == 70_000


# ── output with a limit of its own ───────────────────────────────────────────────────────────────────────────────────

SPLIT = msgspec.structs.replace(PROFILE, charge="prompt", split=True, headers="anthropic")


def test_output_is_a_quota_of_its_own() -> None:
    """What a call will probably produce is taken when it leaves, and put right when it is known."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits(rpm=60, itpm=60_000, otpm=600), SPLIT)
    call = call_of(max_tokens=600)
    charge = lane.charge(call)
    assert charge.outputs == 600
    assert lane.pool is not None
    permit = lane.pool.take_nowait(NOBODY, charge, 0, clock.now())
    assert permit is not None
    assert not lane.fits(charge, clock.now())
    assert lane.pool.predict(NOBODY, charge, clock.now()).wait_us > 0
    lane.account(call, lane.slot(permit, None, clock.now()), Usage(10, 100), clock.now())
    assert lane.fits(charge, clock.now())
    assert lane.charge(call).outputs == 101


def test_what_was_never_sent_gives_its_output_back() -> None:
    """All of it."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits(rpm=60, itpm=60_000, otpm=600), SPLIT)
    charge = lane.charge(call_of(max_tokens=600))
    assert lane.pool is not None
    permit = lane.pool.take_nowait(NOBODY, charge, 0, clock.now())
    assert permit is not None
    permit.give_back()
    assert lane.outputs is not None
    assert lane.outputs.headroom(clock.now()) == 1.0


def test_a_limit_of_output_is_learnt_from_headers() -> None:
    """Beside those of requests and input."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits(), SPLIT)
    assert lane.pool is not None
    permit = lane.pool.take_nowait(NOBODY, lane.charge(call_of(max_tokens=9)), 0, clock.now())
    assert permit is not None
    shown = {
        b"anthropic-ratelimit-%b-%b" % (kind, figure): value
        for kind, limit in ((b"requests", b"60"), (b"input-tokens", b"60000"), (b"output-tokens", b"6000"))
        for figure, value in ((b"limit", limit), (b"remaining", limit), (b"reset", b"2023-11-14T22:13:21Z"))
    }
    lane.watch(shown, lane.slot(permit, None, clock.now()), clock.now())
    assert lane.outputs is not None
    assert [allowed.limit for allowed in lane.outputs.allowances] == [6_000]
    assert lane.tokens.limit == 60_000


async def test_what_was_sent_before_a_limit_of_output_was_learnt_counts_when_it_is_known() -> None:
    """The provider takes it as it is produced, after the headers were made that told of the limit."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits(), SPLIT)
    call = call_of(max_tokens=90)
    assert lane.pool is not None
    permit = lane.pool.take_nowait(NOBODY, lane.charge(call), 0, clock.now())
    assert permit is not None
    slot = lane.slot(permit, None, clock.now())
    await clock.advance(1_000)
    shown = {
        b"anthropic-ratelimit-output-tokens-limit": b"6000",
        b"anthropic-ratelimit-output-tokens-remaining": b"6000",
        b"anthropic-ratelimit-output-tokens-reset": b"2023-11-14T22:13:21Z",
    }
    shown |= {b"anthropic-ratelimit-input-tokens-" + name: b"60000" for name in (b"limit", b"remaining")}
    lane.watch(shown, slot, clock.now())
    assert lane.outputs is not None
    before = lane.outputs.allowances[0].left(clock.now())
    lane.account(call, slot, Usage(10, 80), clock.now())
    assert before - lane.outputs.allowances[0].left(clock.now()) == 80
