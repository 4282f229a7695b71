"""Which account a call was given, and why not another: part of its story where it has one."""

from tests.line.scenes import CALM, OK, call_of, play_of, pool_of, provider, refusal, refused, said, served
from tests.line.test_story import told, words
from tidegate.line import story
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Limits, Scope, Snapshot, Strategy
from tidegate.model.story import ASKED, CHOSEN, COOLING, DRAINED, OPEN, PICKED, QUEUED, REFUSED, SHORT, LaneSeen, Step
from tidegate.testing import ManualClock, Playbook
from tidegate.testing.clock import SECOND, settle


def play_of_accounts(*names: str, tpm: int = 60_000, pick: str = "headroom") -> Playbook:
    """One pool of these scopes."""
    scopes = tuple(Scope(name, (f"sk-{name}",), {"a": Limits(0, tpm)}) for name in names)
    pool = snapshots.Pool("main", "openai", names, pick=pick)
    return Playbook(Snapshot(1, (provider(scopes=scopes),), defaults=Strategy("", "", smoothing=CALM), pools=(pool,)))


def picked(play: Playbook, at: int = -1) -> list[Step]:
    return [step for step in told(play, at) if step.what == PICKED]


def states(step: Step) -> dict[str, str]:
    return {one.scope: one.state for one in step.lanes}


def take(play: Playbook, lane: int, tokens: int) -> None:
    """Others have used so much of this account."""
    plan = play.book.plan("a")
    assert plan is not None
    plan.targets[0].pools[0].lanes[lane].quota.tokens[0].take(tokens, play.clock.now())


async def test_a_call_that_is_served_at_once_has_no_story_of_its_account() -> None:
    """However many there are to choose from."""
    play = play_of_accounts("x", "y", "z")
    running = play.call("a")
    await settle()
    await play.provider("openai", OK)
    served(await running)
    assert play.calls[0].story is None


async def test_after_a_refusal_the_other_accounts_are_told() -> None:
    """The one that refused cools down, the second is drained, the third had room: each with what it had left."""
    play = play_of_accounts("x", "y", "z")
    play.lanes.drain(frozenset({("openai", "y", "")}))
    running = play.call("a", max_tokens=600)
    await settle()
    await play.provider("openai", said(after=12))
    await play.provider("openai", OK)
    served(await running)
    assert words(play)[:2] == [(ASKED, "rate"), (PICKED, "headroom")]
    (step,) = picked(play)
    assert (step.target, step.figures) == ("openai/z/a", (("pool", "main/a"), ("lanes", 3)))
    assert states(step) == {"x": COOLING, "y": DRAINED, "z": OPEN}
    first, _, third = step.lanes
    assert first.wait_us == 12 * SECOND
    assert (third.tokens, third.token_limit, third.request_limit, third.calls) == (60_000, 60_000, 0, 0)
    assert 0 < third.score < 1_000


async def test_who_waited_is_told_what_each_had_left_when_its_turn_came() -> None:
    """Before it took any of it."""
    play = play_of_accounts("x", "y")
    take(play, 0, 70_000)
    take(play, 1, 60_000)
    running = play.call("a", max_tokens=1_000)
    await play.until(3 * SECOND)
    await play.provider("openai", OK)
    served(await running)
    assert words(play) == [(QUEUED, "quota"), (PICKED, "headroom")]
    (step,) = picked(play)
    waited = told(play)[0]
    assert step.target == waited.target == "openai/y/a"
    assert step.after_us == waited.after_us + waited.lasted_us
    x, y = step.lanes
    assert (x.state, x.tokens < 0, x.wait_us > 8 * SECOND) == (SHORT, True, True)
    assert (y.state, 1_000 <= y.tokens < 1_100) == (OPEN, True)


async def test_whom_no_account_can_serve_is_told_why_none_did() -> None:
    """Refused at once, as no turn would come before the deadline."""
    play = play_of_accounts("x", "y")
    take(play, 0, 70_000)
    take(play, 1, 60_000)
    refused(await play.call("a", max_tokens=1_000, deadline=10_000))
    assert [what for what, _ in words(play)] == [CHOSEN, PICKED, REFUSED]
    (step,) = picked(play)
    assert (step.target, states(step)) == ("", {"x": SHORT, "y": SHORT})
    assert step.lanes[0].wait_us > step.lanes[1].wait_us > 900_000


async def test_whose_turn_never_came_is_told_how_the_accounts_stood_then() -> None:
    """It waited for the provider, which refused on."""
    play = play_of_accounts("x", "y")
    take(play, 0, 60_000)
    take(play, 1, 60_000)
    running = play.call("a", max_tokens=1_000, deadline=2 * SECOND)
    await settle()
    take(play, 0, 60_000)
    take(play, 1, 60_000)
    await play.until(3 * SECOND)
    refused(await running)
    assert [what for what, _ in words(play)][:2] == [QUEUED, PICKED]
    assert (picked(play)[0].target, states(picked(play)[0])) == ("", {"x": SHORT, "y": SHORT})


async def test_one_account_is_no_choice() -> None:
    """A pool of one tells nothing of it, whatever befell the call."""
    play = play_of(provider())
    running = play.call("a")
    await settle()
    await play.provider("openai", refusal(500))
    await play.until(5 * SECOND)
    await play.provider("openai", OK)
    served(await running)
    assert told(play)
    assert picked(play) == []


def test_who_has_no_story_gets_none_by_it() -> None:
    """Its turn came at once, and nothing else befell it."""
    call, pool = call_of(), pool_of(ManualClock())
    story.picked(call, pool, (LaneSeen("x", OPEN),), 0, "openai/x/a")
    assert call.story is None
    call.story = []
    story.picked(call, pool, (LaneSeen("x", OPEN),), 0, "openai/x/a")
    assert len(call.story) == 1


async def test_of_a_large_pool_a_few_are_told() -> None:
    """Eight, among them the one that was taken."""
    play = play_of_accounts(*(f"s{number:02}" for number in range(20)))
    running = play.call("a")
    await settle()
    await play.provider("openai", said(after=12))
    await play.provider("openai", OK)
    served(await running)
    (step,) = picked(play)
    assert (len(step.lanes), dict(step.figures)["lanes"]) == (8, 20)
    assert step.target.split("/")[1] in states(step)
    assert isinstance(step.lanes[0], LaneSeen)
