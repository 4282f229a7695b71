"""Applications that sign: the official SDKs and aiohttp with `tidegate.client`, against a real gate."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import httpx2
import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import wait_gone
from tests.e2e.stand import USER, Gate
from tidegate.client import Signer

KEY = "tg-signing"
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def signed_gate(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """One that lets nobody in who does not sign, and each key twenty times at once."""
    tree = {
        "providers": {"openai": provider(session_twin.url, "sk-signed", {MODEL: {"rpm": HUGE, "tpm": HUGE}})},
        "clients": {
            "keys": [
                {"name": "signs", "key": KEY, "signing": "required"},
                {"name": "hasty", "key": "tg-hasty", "signing": "required"},
            ]
        },
        "access": {"failures": 0, "per_key_and_address": {"rpm": 600, "burst": 20}},
    }
    gate = Gate(tmp_path_factory.mktemp("signed"), tree)
    yield gate
    gate.close()


@pytest.fixture
def signer() -> Signer:
    return Signer("signs", KEY)


def chat(**more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": USER, "max_tokens": 5, **more}


def test_the_sdk_of_openai(signed_gate: Gate, signer: Signer) -> None:
    """Whole answers, streams, lists; its own key is not sent."""
    http = openai.DefaultHttpxClient(verify=False, auth=signer)
    with openai.OpenAI(base_url=signed_gate.url, api_key="signed", max_retries=0, http_client=http) as client:
        assert client.chat.completions.create(**chat()).usage
        stream = client.chat.completions.create(**chat(stream=True))
        assert len([piece for piece in stream if piece.choices and piece.choices[0].delta.content]) > 1
        assert MODEL in [model.id for model in client.models.list()]
    assert {record.client for record in signed_gate.records()} == {"signs"}


async def test_the_asynchronous_sdk_of_openai(signed_gate: Gate, signer: Signer) -> None:
    """The same over an event loop."""
    http = openai.DefaultAsyncHttpxClient(verify=False, auth=signer)
    async with openai.AsyncOpenAI(base_url=signed_gate.url, api_key="signed", http_client=http) as client:
        stream = await client.chat.completions.create(**chat(stream=True))
        assert len([piece async for piece in stream]) > 1


def test_the_sdk_of_anthropic(signed_gate: Gate, signer: Signer) -> None:
    """Whole answers and streams, of a model that speaks the other dialect."""
    http = anthropic.DefaultHttpxClient(verify=False, auth=signer)
    base = signed_gate.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="signed", max_retries=0, http_client=http) as client:
        assert client.messages.create(**chat()).usage
        with client.messages.stream(**chat()) as stream:
            assert "".join(stream.text_stream)


async def test_aiohttp(signed_gate: Gate, signer: Signer) -> None:
    """As middleware; JSON, bytes, a query, and a stream."""
    async with aiohttp.ClientSession(signed_gate.url + "/", middlewares=[signer.aiohttp]) as session:
        async with session.post("chat/completions", json=chat(), params={"a": "1 ü"}) as answer:
            assert answer.status == 200
        async with session.post("chat/completions", json=chat(stream=True)) as answer:
            assert answer.status == 200
            assert b"[DONE]" in await answer.read()
        async with session.get("models") as answer:
            assert answer.status == 200


def test_a_retry_of_the_sdk_is_signed_anew(signed_gate: Gate) -> None:
    """Refused for coming too often, it comes again when it was told to, and is let in."""
    seen: list[int] = []
    hooks = {"response": [lambda answer: seen.append(answer.status_code)]}
    http = openai.DefaultHttpxClient(verify=False, auth=Signer("hasty", "tg-hasty"), event_hooks=hooks)
    with openai.OpenAI(base_url=signed_gate.url, api_key="signed", max_retries=3, http_client=http) as client:
        while 429 not in seen:
            assert client.models.list().data
    assert seen[-2:] == [429, 200]


def test_without_a_signature_the_key_is_not_enough(signed_gate: Gate) -> None:
    """It is told so by the SDK's own exception."""
    http = openai.DefaultHttpxClient(verify=False)
    client = openai.OpenAI(base_url=signed_gate.url, api_key=KEY, max_retries=0, http_client=http)
    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.code == "invalid_signature"
    assert KEY not in str(caught.value)


def test_no_replay_gets_in_after_a_kill(signed_gate: Gate, signer: Signer) -> None:
    """The worker that let it in is killed; its successor, behind the same port, knows."""
    signed = signer(httpx2.Request("GET", f"{signed_gate.url}/models"))

    def send() -> tuple[int, str]:
        with httpx2.Client(verify=False) as client:
            return (answer := client.send(signed)).status_code, answer.text

    assert send()[0] == 200
    assert send()[0] == 401
    killed = signed_gate.worker
    os.kill(killed, signal.SIGKILL)
    wait_gone(killed)
    status, text = send()
    assert (status, "nonce has been used" in text) == (401, True)
    with httpx2.Client(verify=False, auth=signer) as client:
        assert client.get(f"{signed_gate.url}/models").status_code == 200


def test_the_log_holds_no_key(signed_gate: Gate, tmp_path: Path) -> None:
    """Nor does the file of nonces."""
    everything = signed_gate.log().encode() + b"".join(
        path.read_bytes() for path in signed_gate.state.rglob("nonces*") if path.is_file()
    )
    assert b"TIDEGTN1" in everything
    assert KEY.encode() not in everything
