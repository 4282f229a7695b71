"""Lanes whose quota several workers share, while nobody may spend of it: who waits and who comes is refused at once."""

import pytest

from tests.line.scenes import DEADLINE, OK, models_sent, refused
from tests.line.test_shared import A, Crew
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import Scope
from tidegate.policy.lease.faces import CLOSED, LOCAL, OPEN, SHARED
from tidegate.policy.lease.times import LOCAL_US
from tidegate.testing.clock import SECOND, settle


@pytest.mark.parametrize("how", ["by policy", "after its share"])
async def test_who_may_spend_nothing_refuses_at_once(how: str) -> None:
    """Who waited and who comes: 503, in a second again, and no place is kept; once it is heard, all is as before."""
    crew = Crew(2)
    await crew.drain()
    play, teller = crew.plays[0], crew.tellers[0]
    waits = play.call("a", max_tokens=1_000, deadline=DEADLINE)
    await settle()
    assert crew.pool(0).waiting == 1
    teller.deaf = True
    if how == "after its share":
        teller.turn(LOCAL, 500_000, 500_000)
        await crew.clock.advance(SECOND)
        assert not waits.done()
    teller.turn(CLOSED, 500_000, 0)
    await settle()
    for call in (waits, play.call("a", max_tokens=1_000, deadline=DEADLINE)):
        await settle()
        assert call.done()
        problem = refused(await call).problem
        assert (problem.kind, problem.retry_after_us) == (ProblemKind.UNAVAILABLE, SECOND)
        assert "on_state_loss" in problem.message
    assert (crew.pool(0).waiting, crew.pool(0).refusing) == (0, False)
    teller.deaf = False
    teller.turn(SHARED)
    crew.call(0, A)
    await crew.clock.advance(3 * SECOND)
    assert crew.spent("a") == 1_000
    await crew.end()


async def test_who_may_spend_nothing_here_goes_elsewhere() -> None:
    """A model without a limit serves in the place of one whose quota is nobody's for now."""
    crew = Crew(1, fallback_models=("b",))
    play = crew.plays[0]
    crew.tellers[0].deaf = True
    crew.tellers[0].turn(CLOSED, 0, 0)
    call = play.call("s", max_tokens=1_000)
    await settle()
    await play.provider("openai", OK)
    await call
    assert models_sent(play) == ["b"]
    assert play.calls[-1].story is not None
    assert play.calls[-1].story[0].figures == (("openai/a", "away"), ("openai/b", 0))
    await crew.end()


async def test_who_may_take_no_place_refuses_at_once() -> None:
    """So it is with the calls that a scope may have in flight, where nothing else limits them."""
    crew = Crew(1, Scope("one", ("sk-1",), {}, max_concurrent=1))
    play, teller = crew.plays[0], crew.tellers[0]
    first = play.call("a")
    await crew.clock.advance(10_000)
    waits = play.call("a")
    await crew.clock.advance(10_000)
    assert not waits.done()
    teller.deaf = True
    await crew.clock.advance(LOCAL_US)
    assert not waits.done()
    teller.turn(CLOSED, 0, 0)
    await settle()
    assert waits.done()
    assert refused(await waits).problem.kind is ProblemKind.UNAVAILABLE
    await play.provider("openai", OK)
    await first
    after = play.call("a")
    await settle()
    assert after.done()
    assert refused(await after).problem.kind is ProblemKind.UNAVAILABLE
    await crew.end()


@pytest.mark.parametrize("mode", [CLOSED, LOCAL, OPEN])
async def test_a_place_that_became_free_in_silence_is_free(mode: int) -> None:
    """The fund learns it when the worker is heard again."""
    crew = Crew(1, Scope("one", ("sk-1",), {}, max_concurrent=1))
    play, teller = crew.plays[0], crew.tellers[0]
    first = play.call("a")
    await crew.clock.advance(10_000)
    teller.deaf = True
    await crew.clock.advance(LOCAL_US)
    teller.turn(mode, 1_000_000, 1_000_000)
    await play.provider("openai", OK)
    await first
    teller.deaf = False
    teller.turn(SHARED)
    for _ in range(2):
        call = play.call("a")
        await crew.clock.advance(100_000)
        await play.provider("openai", OK)
        await call
    await crew.end()


async def test_who_never_took_a_place_says_nothing_of_places() -> None:
    """A fund that nobody has asked yet is made by who asks, and not as one that was lost."""
    crew = Crew(1, Scope("one", ("sk-1",), {}, max_concurrent=1))
    crew.tellers[0].turn(CLOSED, 1_000_000, 0)
    crew.tellers[0].turn(SHARED)
    await crew.clock.advance(SECOND)
    assert not [ask for ask in crew.bank.asked if ask.restore is not None]
    await crew.end()
