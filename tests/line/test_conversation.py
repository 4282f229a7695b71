"""Conversations at a provider that does not charge what it reads from its cache."""

import json

import msgspec

from tests.line.scenes import FREE, PROFILE, TPM, loyal_play, provider, served
from tidegate.line.attempt import Answered
from tidegate.line.lane import Lane
from tidegate.model.snapshot import Snapshot
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle

TEXT = "word " * 4_000


def said(prompt: int = 5_000, cached: int = 0) -> Reply:
    usage = {"prompt_tokens": prompt, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": cached}}
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    return Reply(200, [], json.dumps({"choices": [choice], "usage": usage}).encode())


def lanes(play: Playbook) -> list[Lane]:
    return [lane for lane in play.lanes if lane.model == "a"]


def left(play: Playbook, lane: Lane) -> int:
    return lane.left(play.clock.now())


async def turn(play: Playbook, reply: Reply, content: str = TEXT) -> Answered:
    running = play.call("a", content=content)
    await settle()
    await play.provider("openai", reply)
    return served(await running)


async def test_a_conversation_stays_and_pays_for_what_is_new() -> None:
    """The first turn costs its prompt, the others what was not cached; on one scope."""
    play = loyal_play()
    first = await turn(play, said(5_000))
    lane = first.lane
    assert left(play, lane) == TPM - 5_000
    for number in range(1, 6):
        again = await turn(play, said(5_000 + 100 * number, 4_900 + 100 * number))
        assert again.lane is lane
        assert again.charged == 200 - 100
    assert left(play, lane) == TPM - 5_000 - 5 * 100
    assert all(left(play, other) == TPM for other in lanes(play) if other is not lane)


async def test_only_what_is_new_is_reserved() -> None:
    """The intent says what the provider will charge at most: the prompt less what it has cached."""
    play = loyal_play()
    await turn(play, said(5_000))
    await turn(play, said(5_100, 4_990))
    whole, rest = (intent.charged_tokens for intent in play.recorder.intents)
    assert rest == whole - (5_000 - 5_000 % 128)


async def test_a_burst_overflows_where_plenty_is_left_and_returns() -> None:
    """While home has no tokens and others are idle, its calls go there; then they come back."""
    play = loyal_play()
    home = (await turn(play, said(5_000))).lane
    home.quota.tokens[0].take(left(play, home) - 100, play.clock.now())
    away = (await turn(play, said(5_000))).lane
    assert away is not home
    assert (await turn(play, said(5_000, 4_990))).lane is away, "it is cached there, too"
    await play.until(30 * SECOND)
    assert (await turn(play, said(5_000, 4_990))).lane is home


async def test_it_waits_for_its_home_when_nobody_has_plenty() -> None:
    """Until what is new is there; not until the whole prompt is, nor does it pay for that elsewhere."""
    play = loyal_play()
    home = (await turn(play, said(5_000))).lane
    for lane in lanes(play):
        lane.quota.tokens[0].take(left(play, lane) - (0 if lane is home else 25_000), play.clock.now())
    running = play.call("a", content=TEXT)
    await settle()
    assert len(play.sent("openai")) == 1
    await play.until(5 * SECOND)
    assert len(play.sent("openai")) == 2
    await play.provider("openai", said(5_000, 4_990))
    assert served(await running).lane is home


async def test_what_waits_behind_cached_calls_is_predicted_by_what_they_cost() -> None:
    """Not by their whole prompts: a call that can be served in its time is not refused."""
    play = loyal_play(scopes=1)
    (lane,) = lanes(play)
    await turn(play, said(5_000))
    for _ in range(40):
        await turn(play, said(5_000, 4_990))
    lane.quota.tokens[0].take(left(play, lane), play.clock.now())
    running = [play.call("a", content=TEXT, deadline=15 * SECOND) for _ in range(30)]
    await settle()
    for second in range(1, 15):
        await play.until(second * SECOND)
        while play.transports["openai"].open:
            await play.provider("openai", said(5_000, 4_990))
    for task in running:
        served(await task)


async def test_where_it_is_subtracted_later_all_of_it_has_to_be_there() -> None:
    """The provider settles: what is cached comes back when the reply ends."""
    play = loyal_play(msgspec.structs.replace(FREE, charge="sum", settles=True))
    await turn(play, said(5_000))
    again = await turn(play, said(5_000, 4_990))
    whole, second = (intent.charged_tokens for intent in play.recorder.intents)
    assert second > 4_990
    assert whole >= second
    assert again.charged == 10 + 5


async def test_where_nobody_wants_it_calls_are_not_recognised() -> None:
    """A plan without affinity and without free caches reads no opening."""
    assert loyal_play(PROFILE).book.plan("a").loyal  # type: ignore[union-attr]
    plain = Playbook(Snapshot(1, (provider(),)))
    assert not plain.book.plan("a").loyal  # type: ignore[union-attr]
