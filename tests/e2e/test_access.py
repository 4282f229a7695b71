"""How fast a user may come, whatever keys it has: the official SDKs and raw requests, against a real gate."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.e2e.stand import USER, Gate, Line, request

MODEL = "gpt-4o-mini"


@pytest.fixture
def bounded_gate(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A user with two keys, and another with one; three requests at once, then one each three seconds."""
    keys = [{"name": f"{user}-{n}", "key": f"tg-{user}-{n}", "user": user} for user, n in (("ann", 1), ("ann", 2))]
    keys.append({"name": "bob-1", "key": "tg-bob-1", "user": "bob"})
    tree = {
        "providers": {"openai": provider(session_twin.url, "sk-bounded", {MODEL: {"rpm": HUGE, "tpm": HUGE}})},
        "namespaces": {"acme": {"users": {"ann": None, "bob": None}, "keys": keys}},
        "access": {"per_user": {"rpm": 20, "burst": 3}},
    }
    gate = Gate(tmp_path_factory.mktemp("bounded"), tree)
    yield gate
    gate.close()


def chat() -> dict[str, Any]:
    return {"model": MODEL, "messages": USER, "max_tokens": 5}


def test_the_sdks_are_told_and_come_again(bounded_gate: Gate) -> None:
    """What one key of a user has used the other lacks, in the other dialect; a retry comes when it was told to."""
    seen: list[int] = []
    hooks = {"response": [lambda answer: seen.append(answer.status_code)]}
    base = bounded_gate.url.removesuffix("/v1")
    http = openai.DefaultHttpxClient(event_hooks=hooks)
    with (
        openai.OpenAI(base_url=bounded_gate.url, api_key="tg-ann-1", max_retries=3, http_client=http) as one,
        anthropic.Anthropic(base_url=base, api_key="tg-ann-2", max_retries=0) as two,
        openai.OpenAI(base_url=bounded_gate.url, api_key="tg-bob-1", max_retries=0) as other,
    ):
        while 429 not in seen:
            assert one.chat.completions.create(**chat()).usage
        assert seen[-1] == 200
        with pytest.raises(anthropic.RateLimitError) as caught:
            two.messages.create(**chat())
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 3
        assert "Too many requests by this user" in str(caught.value)
        assert other.chat.completions.create(**chat()).usage
    called = [record.client for record in bounded_gate.records()]
    assert called == ["ann-1"] * seen.count(200) + ["bob-1"]


async def test_no_body_is_read_of_who_comes_too_often(bounded_gate: Gate) -> None:
    """On one connection and by both keys in turn: the refusal is there before the body has come."""
    async with Line(bounded_gate) as line:
        statuses = []
        for number in range(3):
            line.send(request("/v1/chat/completions", chat(), authorization=f"Bearer tg-ann-{number % 2 + 1}"))
            statuses.append((await line.reply()).status)
        whole = request("/v1/chat/completions", chat(), authorization="Bearer tg-ann-2")
        line.send(whole[: whole.index(b"\r\n\r\n") + 4])
        told = await line.reply()
    assert [*statuses, told.status] == [200, 200, 200, 429]
    assert b"Too many requests by this user" in told.body
