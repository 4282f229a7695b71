"""A limit with a word of its own for when the shared state is away, whatever the cluster's is."""

import pytest

from tests.line.scenes import OK, models_sent, provider, refused, snapshot
from tests.line.test_shared import TPM, A, Crew
from tests.policy.lease.bank import Teller
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import Limits, RateLimitPolicy, Scope
from tidegate.policy.lease.faces import CLOSED, LOCAL, OPEN, SHARED
from tidegate.testing.clock import SECOND, settle

HALF = 500_000


def scope(on_loss: str) -> Scope:
    return Scope("one", ("sk-1",), {"a": Limits(0, TPM)}, on_loss=on_loss)


async def silent(crew: Crew, mode: int, *, part_s: int = 0) -> Teller:
    """The first worker hears nothing any more: its part of the limit is a half, for so long."""
    await crew.clock.advance(SECOND)
    teller = crew.tellers[0]
    teller.deaf = True
    teller.footing.part_until = crew.clock.now() + part_s * SECOND if part_s else 0
    teller.turn(mode, HALF, HALF)
    await settle()
    return teller


@pytest.mark.parametrize("mode", [CLOSED, OPEN])
async def test_a_scope_goes_on_with_its_part(mode: int) -> None:
    """Half of the rate, for as long as others count on it; then its calls are refused."""
    crew = Crew(2, scope("local"))
    teller = await silent(crew, mode, part_s=30)
    assert teller.footing.keeps
    for _ in range(100):
        crew.call(0, A)
    await crew.clock.advance(20 * SECOND)
    assert 8_000 <= crew.spent() <= 10_000
    await crew.clock.advance(11 * SECOND)
    teller.turn(mode, HALF, HALF)
    served = crew.spent()
    await crew.clock.advance(20 * SECOND)
    assert crew.spent() == served
    late = crew.plays[0].call("a", max_tokens=100)
    await settle()
    assert refused(await late).problem.kind is ProblemKind.UNAVAILABLE
    await crew.end()


@pytest.mark.parametrize("mode", [CLOSED, LOCAL])
async def test_a_scope_is_left_to_its_provider(mode: int) -> None:
    """`open`: all pass, and it is counted when the state is back."""
    crew = Crew(2, scope("open"))
    teller = await silent(crew, mode)
    for _ in range(100):
        crew.call(0, A)
    await crew.clock.advance(10_000)
    assert crew.spent() == 100_000
    assert not teller.footing.keeps
    teller.deaf = False
    teller.turn(SHARED)
    crew.call(1, A)
    await crew.clock.advance(500_000)
    assert crew.spent() == 100_000
    await crew.end()


@pytest.mark.parametrize("mode", [LOCAL, OPEN])
async def test_a_scope_is_closed(mode: int) -> None:
    """Others of the cluster go on; calls of this one go to their fallback, or are refused at once."""
    crew = Crew(1, scope("closed"), fallback_models=("b",))
    await silent(crew, mode)
    play = crew.plays[0]
    call = play.call("s", max_tokens=1_000)
    await settle()
    await play.provider("openai", OK)
    await call
    assert models_sent(play) == ["b"]
    await crew.end()
    crew = Crew(1, scope("closed"))
    await silent(crew, mode)
    call = crew.plays[0].call("a", max_tokens=1_000)
    await settle()
    assert refused(await call).problem.kind is ProblemKind.UNAVAILABLE
    await crew.end()


async def test_places_of_a_scope_stand_as_it_does() -> None:
    """How many calls it may have in flight is one of its limits; `open`: this worker has all of them."""
    crew = Crew(1, Scope("one", ("sk-1",), {}, max_concurrent=1, on_loss="open"))
    await silent(crew, CLOSED)
    for _ in range(3):
        crew.call(0, A)
    await crew.clock.advance(10_000)
    assert crew.spent() == 1_000
    await crew.clock.advance(SECOND)
    assert crew.spent() == 3_000
    await crew.end()


@pytest.mark.parametrize(("on_loss", "passes"), [("", False), ("closed", False), ("open", True)])
async def test_a_strategys_own_limit(on_loss: str, passes: bool) -> None:
    """Of a cluster that is closed; the model itself has no limit, so that it alone decides."""
    policy = RateLimitPolicy(max_rpm=60, on_loss=on_loss)
    crew = Crew(1, Scope("one", ("sk-1",), {}, on_loss="open"), rate_limit=policy)
    await silent(crew, CLOSED)
    play = crew.plays[0]
    call = play.call("s", max_tokens=100)
    await settle()
    if passes:
        await play.provider("openai", OK)
        await call
    else:
        assert refused(await call).problem.kind is ProblemKind.UNAVAILABLE
    await crew.end()


async def test_a_reload_changes_it() -> None:
    """The word of the newest configuration counts, at the next loss."""
    crew = Crew(1, scope("closed"))
    crew.plays[0].reload(snapshot(provider(scopes=(scope("open"),))))
    await silent(crew, CLOSED)
    for _ in range(100):
        crew.call(0, A)
    await crew.clock.advance(10_000)
    assert crew.spent() == 100_000
    await crew.end()
