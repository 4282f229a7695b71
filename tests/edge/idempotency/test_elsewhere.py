"""One execution over all workers for all requests that show the same key."""

import asyncio
import json
from typing import Any

import pytest

from tests.edge.shared import Here
from tests.edge.test_gateway import BODY, CHAT, Asked, Door
from tests.line.scenes import DONE, chunk, play_of, refusal, streaming
from tidegate.edge.idempotency import elsewhere
from tidegate.edge.idempotency.elsewhere import Elsewhere
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import Playbook, answer

KEY = b"order-1"


class Crowd:
    """Three workers that ask the same provider, and what they share."""

    def __init__(self, *, closed: bool = False) -> None:
        self.play: Playbook = play_of()
        self.shared = Here(self.play.clock, closed=closed)
        self.doors = [Door(self.play) for _ in range(3)]
        self.beyond = [self._join(door, number) for number, door in enumerate(self.doors)]

    def _join(self, door: Door, number: int) -> Elsewhere:
        loop, pipeline = asyncio.get_running_loop(), door.gateway.pipeline
        made = Elsewhere(self.shared, self.play.clock, loop, pipeline, number.to_bytes(8, "big"))
        pipeline.share(made)
        return made

    def ask(self, worker: int, key: bytes = KEY, **fields: object) -> Asked:
        body = json.dumps({**BODY, **fields}).encode()
        return self.doors[worker].ask(CHAT, body=body, idempotency_key=key)

    @property
    def executed(self) -> int:
        return len(self.play.sent("openai")) if "openai" in self.play.transports else 0

    async def answered(self, reply: Any = None) -> None:
        await self.play.provider("openai", reply or Reply(200, [], answer()))
        await settle()

    async def wait(self, seconds: float = 0.5) -> None:
        await self.play.clock.advance(int(seconds * SECOND))
        await settle()


@pytest.fixture
async def crowd() -> Crowd:
    return Crowd()


async def test_one_execution_whichever_worker_is_asked(crowd: Crowd) -> None:
    """During the answer and after it; all are told the same, and who asked later is told that it is told again."""
    first, beside = crowd.ask(0), crowd.ask(1)
    await settle()
    assert crowd.executed == 1
    await crowd.answered()
    await crowd.wait()
    after = crowd.ask(2)
    await settle()
    assert [one.wire.body for one in (first, beside, after)] == [answer()] * 3
    assert [b"idempotent-replayed" in one.wire.fields for one in (first, beside, after)] == [False, True, True]
    assert after.wire.fields[b"x-request-id"] == first.wire.fields[b"x-request-id"]
    assert crowd.executed == len(crowd.play.recorder.records) == 1
    again = crowd.ask(2)
    await settle()
    assert again.wire.body == answer()
    assert again.wire.fields[b"idempotent-replayed"] == b"true"


async def test_another_request_under_the_same_key_is_refused_at_every_worker(crowd: Crowd) -> None:
    """While the first one runs and when it has been answered."""
    crowd.ask(0)
    await settle()
    other = crowd.ask(1, temperature=1)
    await settle()
    assert other.wire.status == 422
    assert other.wire.error["code"] == "idempotency_key_reused"
    await crowd.answered()
    late = crowd.ask(2, temperature=1)
    await settle()
    assert (late.wire.status, crowd.executed) == (422, 1)


async def test_a_failure_is_executed_again_by_who_waits(crowd: Crowd) -> None:
    """What failed is told to who asked for it; the next one executes."""
    first, second = crowd.ask(0), crowd.ask(1)
    await settle()
    await crowd.answered(refusal(400))
    assert first.wire.status == 400
    await crowd.wait()
    assert crowd.executed == 2
    await crowd.answered()
    assert second.wire.body == answer()


async def test_a_claim_lapses_with_its_owner(crowd: Crowd) -> None:
    """Nobody renews it: who waits executes, once the claim is over."""
    crowd.ask(0)
    await settle()
    second = crowd.ask(1)
    await crowd.wait(elsewhere.CLAIM_US / SECOND - 0.5)
    assert crowd.executed == 1
    await crowd.wait(1)
    assert crowd.executed == 2
    assert second.wire.status == 0


async def test_a_long_call_keeps_its_claim(crowd: Crowd) -> None:
    """As long as its worker renews it."""
    crowd.ask(0)
    await settle()
    crowd.ask(1)
    for _ in range(5):
        await crowd.wait(elsewhere.RENEW_US / SECOND)
        await crowd.beyond[0].renew()
    assert crowd.executed == 1


async def test_a_stream_is_told_elsewhere_when_it_is_complete(crowd: Crowd) -> None:
    """As it was told where it was made."""
    first, second = crowd.ask(0, stream=True), crowd.ask(1, stream=True)
    await settle()
    reply, stream = streaming()
    await crowd.play.provider("openai", reply)
    stream.say(chunk(), chunk("tide"))
    await crowd.wait()
    assert b"tide" in first.wire.body
    assert not second.wire.body
    stream.say(DONE)
    stream.end()
    await crowd.wait()
    assert second.wire.body == first.wire.body
    assert second.wire.ended


async def test_who_is_in_a_hurry_is_told_so(crowd: Crowd) -> None:
    """It does not wait beyond its own deadline, and executes nothing."""
    crowd.ask(0)
    await settle()
    door = crowd.doors[1]
    hasty = door.ask(CHAT, body=json.dumps(BODY).encode(), idempotency_key=KEY, x_tidegate_deadline_ms=b"300")
    await crowd.wait(1)
    assert hasty.wire.status == 504
    assert crowd.executed == 1


async def test_without_the_shared_state_each_worker_executes_once(crowd: Crowd) -> None:
    """And tells the others when it is back; what is closed by policy is refused, with the remedy."""
    crowd.shared.away = True
    first, _, second = crowd.ask(0), crowd.ask(0), crowd.ask(1)
    await settle()
    assert crowd.executed == 2
    crowd.shared.closed = True
    refused = crowd.ask(2)
    await settle()
    assert (refused.wire.status, crowd.executed) == (503, 2)
    assert "on_state_loss" in refused.wire.error["message"]
    assert first.wire.status == second.wire.status == 0


async def test_a_client_that_left_while_another_worker_answers_leaves_nothing(crowd: Crowd) -> None:
    """Nothing was begun for it."""
    crowd.ask(0)
    await settle()
    left = crowd.ask(1)
    await settle()
    left.leave()
    await crowd.wait()
    assert len(crowd.doors[1].gateway.pipeline.once) == 0
    assert crowd.executed == 1


async def test_what_is_left_behind_is_bounded(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger answer is not put into the shared state: the next worker executes again."""
    monkeypatch.setattr(elsewhere, "MAX_ANSWER", 10)
    crowd.ask(0)
    await settle()
    await crowd.answered()
    assert not any(value[0] for value in crowd.shared.values.values())
    crowd.ask(1)
    await settle()
    assert crowd.executed == 2


@pytest.mark.parametrize("where", ["tidegate.edge.task_pool.TaskPool.start", "tests.edge.shared.Here.claim"])
async def test_a_defect_holds_the_key_nowhere(where: str, crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here, where who asked is told, nor at the other workers: the claim is given back."""

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(where, broken)
        first = crowd.ask(0)
        await settle()
    assert first.wire.status == 503
    assert [record.status for record in crowd.play.recorder.records] == [503]
    again = crowd.ask(1)
    await settle()
    assert crowd.executed == 1
    await crowd.answered()
    assert again.wire.body == answer()
