"""Under which key an answer is: what the head says, and who calls."""

import json

import pytest

from tests.edge.cached import CachedDoor, keeping
from tests.edge.caching.test_cache import OK, made
from tests.edge.known import digest
from tests.edge.managed import EMPTY, Managed
from tests.edge.test_gateway import CHAT, Asked
from tests.line.scenes import play_of
from tidegate.edge.access.memo import HeadMemo, memo_of
from tidegate.edge.access.principals import Clients
from tidegate.edge.caching import asking
from tidegate.edge.gateway import Runtime
from tidegate.model.directory import PutKey, PutNamespace
from tidegate.model.snapshot import Caching, ClientKey, Namespace
from tidegate.testing.clock import settle
from tidegate.wire.exchange import Exchange, Likeness

BODY = json.dumps({"model": "s", "messages": [{"role": "user", "content": "hello"}]}).encode()


@pytest.fixture
async def door() -> CachedDoor:
    return CachedDoor()


async def test_a_number_is_never_another_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many heads there were: who keeps its connection open would else be told another tenant's answers."""
    monkeypatch.setattr(asking, "MOST_CIRCLES", 2)
    door = CachedDoor(Caching(enabled=True, scope="key"), names={"k1": "one", "k2": "two"})
    alike = {b"k1": Likeness(), b"k2": Likeness()}

    def ask(key: bytes, **more: bytes) -> Asked:
        like = None if more else alike[key]
        return door.ask(CHAT, body=BODY, alike=like, authorization=b"Bearer " + key, **more)

    ask(b"k1", x_tidegate_cache=b"refresh")
    ask(b"k2")
    await settle()
    for number in range(7):
        ask(b"k1", x_tidegate_tag=b"t%d" % number)
        await settle()
    while door.play.transports["openai"].open:
        await door.play.provider("openai", OK)
        await settle()
    memo = alike[b"k2"].note
    assert isinstance(memo, HeadMemo)
    assert memo.caller is not None
    numbers = {memo.caller.circle}
    for number in range(7, 20):
        exchange = ask(b"k1", x_tidegate_tag=b"t%d" % number).exchange
        await settle()
        caller = memo_of(exchange).caller
        assert caller is not None
        assert caller.circle not in numbers
        numbers.add(caller.circle)


async def test_each_line_of_a_header_counts(door: CachedDoor) -> None:
    """They all go on to the provider, in however many lines they come."""

    def ask(*values: bytes) -> Asked:
        asked = door.ask(CHAT, body=b"{}", method=b"GET")  # to make an exchange like any other
        headers = [(b"openai-beta", value) for value in values]
        exchange = Exchange(asked.wire, b"POST", CHAT, CHAT, b"", headers, dict(headers[:1]), "")  # type: ignore[arg-type]
        exchange.body = BODY
        asked.wire.status, asked.wire.ended = 0, False
        door.gateway.head(exchange)
        door.gateway.call(exchange)
        return Asked(exchange, asked.wire, None)

    first = ask(b"a")
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert first.wire.fields[b"x-tidegate-cache"] == b"miss"
    assert ask(b"a").wire.fields[b"x-tidegate-cache"] == b"hit"
    ask(b"a", b"b")
    await settle()
    assert door.sent == 2


async def test_a_key_of_no_namespace_is_not_the_namespace_of_its_name() -> None:
    """It shares its answers with nobody."""
    door = Managed(play=play_of(primary_model="a", caching=Caching(enabled=True)))
    door.gateway.runtime = Runtime(door.play.book, Clients(EMPTY, door.log))
    keeping(door)
    door.tell(
        PutNamespace(Namespace("web")),
        PutKey("web", ClientKey("theirs", digest("theirs"))),
        PutKey("", ClientKey("web", digest("web"))),
    )
    door.by("theirs", body=BODY)
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert door.by("theirs", body=BODY).wire.fields[b"x-tidegate-cache"] == b"hit"
    door.by("web", body=BODY)
    await settle()
    assert len(door.play.sent("openai")) == 2


async def test_an_idempotency_key_belongs_to_its_request_though_the_other_is_known(door: CachedDoor) -> None:
    """What is known by its bytes alone is refused as anything else would be."""
    await made(door)
    door.chat()
    alike = Likeness()
    door.ask(CHAT, {"model": "s", "seed": 1}, alike=alike, idempotency_key=b"k")
    await settle()
    assert door.ask(CHAT, {"model": "s"}, alike=alike, idempotency_key=b"k").wire.status == 422
