"""A call's story: what is written down of decisions that could have gone otherwise, and of who had to wait."""

import asyncio

import pytest

from tests.line.scenes import OK, call_of, play_of, provider, refusal, refused, served, spend
from tests.line.test_tries import closed
from tidegate.line import story
from tidegate.line.keys import fingerprint
from tidegate.model.snapshot import Limits, ModelEntry, RateLimitPolicy, RetryPolicy, SmoothingPolicy
from tidegate.model.story import ASKED, CHOSEN, MOST, MOVED, PAUSED, QUEUED, REFUSED, SMOOTHED, Step
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle

BOTH = {"a": Limits(6_000, 60_000), "b": Limits(6_000, 60_000)}  # 1,000 tokens a second each
LIMITED = Reply(429, [(b"retry-after", b"2"), (b"x-ratelimit-remaining-tokens", b"0"), (b"date", b"now")], b"{}")


def told(play: Playbook, at: int = -1) -> list[Step]:
    return play.calls[at].story or []


def words(play: Playbook, at: int = -1) -> list[tuple[str, str]]:
    return [(step.what, step.why) for step in told(play, at)]


def figure(step: Step, name: str) -> int | str | None:
    return dict(step.figures).get(name)


async def test_a_call_that_is_served_at_once_has_none() -> None:
    """Nothing is made for it, not even an empty list."""
    play = play_of(provider())
    running = play.call("a")
    await settle()
    await play.provider("openai", OK)
    served(await running)
    assert play.calls[0].story is None
    assert play.calls[0].account == fingerprint(b"sk-1")
    assert play.calls[0].answer_bytes == len(OK.body)


async def test_who_waits_for_quota_is_told_why_and_for_how_long() -> None:
    """The next one waits behind it."""
    play = play_of(provider(limits=BOTH))
    spend(play, 60_000)
    first = play.call("a", max_tokens=1_000)
    await settle()
    second = play.call("a", max_tokens=1_000)
    while not (first.done() and second.done()):
        await play.until(play.elapsed + SECOND)
        if play.transports["openai"].open:
            await play.provider("openai", OK)
    one, two = told(play, 0)[0], told(play, 1)[0]
    assert [(step.what, step.why, step.target) for step in (one, two)] == [
        (QUEUED, "quota", "openai/main/a"), (QUEUED, "turn", "openai/main/a"),
    ]  # fmt: skip
    assert (figure(one, "ahead"), figure(two, "ahead"), figure(two, "waiting")) == (0, 1, 1)
    assert one.lasted_us == play.calls[0].queued_us > 0
    assert figure(one, "predicted_us") == one.lasted_us


async def test_whose_client_leaves_in_the_queue_has_waited_all_the_same() -> None:
    """Its record says for how long, and that its turn never came."""
    play = play_of(provider(limits=BOTH))
    spend(play, 60_000)
    running = play.call("a", max_tokens=60_000)
    await play.until(3 * SECOND)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (step,) = told(play)
    assert (step.what, step.lasted_us, figure(step, "turn")) == (QUEUED, 3 * SECOND, "never came")
    assert play.calls[0].queued_us == 3 * SECOND


async def test_a_strategys_own_limits_are_named() -> None:
    """They are not the provider's."""
    play = play_of(provider(limits=BOTH), rate_limit=RateLimitPolicy(max_rpm=1))
    first = play.call("s")
    await settle()
    second = play.call("s", deadline=90 * SECOND)
    await play.provider("openai", OK)
    await play.until(61 * SECOND)
    await play.provider("openai", OK)
    served(await first)
    served(await second)
    assert words(play)[0] == (QUEUED, "bound")


async def test_a_refusal_is_told_with_what_mattered_and_what_followed() -> None:
    """Who refused, with whose key, by which headers; then the wait that the provider named, then the answer."""
    play = play_of(provider())
    running = play.call("a")
    await settle()
    await play.provider("openai", LIMITED)
    await play.until(30 * SECOND)
    await play.provider("openai", OK)
    answered = served(await running)
    call = play.calls[0]
    first = call.tries[0]
    assert first.account == fingerprint(b"sk-1")
    assert first.headers == (("retry-after", "2"), ("x-ratelimit-remaining-tokens", "0"))
    assert [what for what, _ in words(play)][:2] == [ASKED, PAUSED]
    assert words(play)[1][1] == "retry-after (rate)"
    assert figure(told(play)[0], "try") == 1
    record = closed(call, answered.lane)
    assert [step.what for step in record.story][-1] == ASKED
    assert figure(record.story[-1], "try") == 2
    assert record.tries[1].account == record.account == fingerprint(b"sk-1")
    assert [one.reserved_tokens for one in record.tries] == [one.charged_tokens for one in play.recorder.intents]
    assert record.reserved_tokens == sum(one.reserved_tokens for one in record.tries) > 0


async def test_an_attempt_that_never_left_is_in_no_ledger_but_in_the_story() -> None:
    """What stood in its way is told."""
    play = play_of(provider(limits=BOTH), fallback_models=("b",))
    running = play.call("s")
    await settle()
    play.transports["openai"].fail()
    await settle()
    await play.until(SECOND)
    await play.provider("openai", OK)
    served(await running)
    step = told(play)[0]
    assert (step.what, step.why, figure(step, "error")) == (ASKED, "transient", "connection refused")
    assert figure(step, "try") is None


async def test_on_to_the_next_target() -> None:
    """Where from, where to, and why."""
    play = play_of(provider(limits=BOTH), fallback_models=("b",), retry=RetryPolicy(max_retries=1))
    running = play.call("s")
    await settle()
    await play.provider("openai", refusal(500))
    await play.provider("openai", OK)
    served(await running)
    step = next(step for step in told(play) if step.what == MOVED)
    assert (step.target, step.why, figure(step, "from")) == ("openai/b", "transient", "openai/a")


async def test_what_the_first_target_cannot_do() -> None:
    """It is not asked, and the story says what it lacks."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    play = play_of(provider(limits=BOTH, models={"a": ModelEntry(tools=False)}), fallback_models=("b",))
    running = play.call("s", tools=tools)
    await settle()
    await play.provider("openai", OK)
    served(await running)
    assert (told(play)[0].what, told(play)[0].why, figure(told(play)[0], "from")) == (MOVED, "has no tools", "openai/a")


async def test_the_choice_tells_every_candidates_wait() -> None:
    """The first would have taken too long."""
    play = play_of(provider(limits=BOTH), fallback_models=("b",), fallback_after_us=100_000)
    spend(play, 60_000)
    running = play.call("s", max_tokens=1_000)
    await settle()
    await play.provider("openai", OK)
    served(await running)
    step = told(play)[0]
    assert (step.what, step.why, step.target) == (CHOSEN, "soonest", "openai/b")
    waits = dict(step.figures)
    assert (int(waits["openai/a"]) > 900_000, waits["openai/b"]) == (True, 0)


async def test_who_is_refused_is_told_the_same_as_its_story() -> None:
    """Its ladder, the choice that there was, and the time."""
    play = play_of(provider(limits=BOTH), fallback_models=("b",))
    spend(play, 60_000)
    spend(play, 60_000, "b")
    problem = refused(await play.call("s", max_tokens=1_000, deadline=10_000)).problem
    *_, chosen, last = told(play)
    assert (chosen.what, chosen.why, chosen.target) == (CHOSEN, "late", "")
    assert (last.what, last.why, figure(last, "told_us")) == (REFUSED, "over_quota", problem.retry_after_us)


async def test_near_the_wall_it_is_held() -> None:
    """With how near it was."""
    play = play_of(provider(limits=BOTH), smoothing=SmoothingPolicy(500, 50_000))
    spend(play, 40_000)
    running = play.call("s")
    await play.until(SECOND)
    await play.provider("openai", OK)
    served(await running)
    (step,) = told(play)
    assert (step.what, step.lasted_us) == (SMOOTHED, 50_000)
    assert int(figure(step, "used_permille") or 0) >= 500


def test_a_story_is_bounded_and_its_end_is_kept() -> None:
    """The last step is the latest, and counts those that are missing before it."""
    call = call_of()
    for number in range(MOST + 10):
        story.add(call, QUEUED, number, number + 1, "x" * 1_000, "y" * 1_000)
    assert call.story is not None
    last = call.story[-1]
    assert (len(call.story), last.after_us, figure(last, story.DROPPED)) == (MOST, MOST + 9 - call.arrived, 10)
    assert (len(last.target), len(last.why)) == (story.LONGEST, story.LONGEST)
    assert figure(call.story[-2], story.DROPPED) is None


def test_headers_that_say_when_and_why_without_the_key() -> None:
    """A dozen of them, cut; what belongs to the transport or to nobody is left out."""
    given = [(b"retry-after-ms", b"12"), (b"server", b"x"), (b"x-request-id", b"sk-1/" + b"z" * 300)]
    assert story.telling(given, b"sk-1") == (
        ("retry-after-ms", "12"), ("x-request-id", "***/" + "z" * 124),
    )  # fmt: skip
    many = [(b"x-ratelimit-%d" % number, b"1") for number in range(100)]
    assert len(story.telling(many, b"sk-1")) == story.MOST_HEADERS


async def test_an_account_that_is_out_of_service_is_said_to_be() -> None:
    """As a candidate of the choice, and as the refusal's word."""
    play = play_of(provider(limits=BOTH), fallback_models=("b",))
    play.lanes.drain(frozenset({("openai", "main", "")}))
    refused(await play.call("s"))
    assert words(play) == [(CHOSEN, "late"), (REFUSED, "drained")]
    assert told(play)[0].figures == (("openai/a", "drained"), ("openai/b", "drained"))
