"""A gate whose shared state falls silent, and that is to spend nothing without: it says so, at once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gate import provider
from harness.servers.valkey import Valkey
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    made = Valkey()
    yield made
    made.close()


async def test_a_quota_that_nobody_knows_is_refused_or_gone_around(
    session_twin: Twin, valkey: Valkey, tmp_path: Path
) -> None:
    """503 that comes again in a second, or the fallback that nothing limits; when it answers all is as before."""
    limits = {model: {"rpm": 600, "tpm": 100_000} for model in ("gpt-4o", "gpt-3.5-turbo")}
    tree = {
        "providers": {"openai": provider(session_twin.url, "sk-closed", limits)},
        "strategies": {"s": {"primary_model": "gpt-4o", "fallback_models": [{"model": "gpt-4o-mini", "priority": 1}]}},
        "cluster": {"url": valkey.url, "prefix": "closed", "on_state_loss": "closed"},
    }
    gate = Gate(tmp_path, tree)
    try:
        assert (await gate.chat("gpt-3.5-turbo")).status == 200
        valkey.freeze()
        await until(lambda: "calls that need a shared limit are refused" in gate.log(), "the silence")
        refused = await gate.chat("gpt-3.5-turbo")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert "shared state is away" in json.loads(refused.body)["error"]["message"]
        assert json.loads((await gate.chat("s")).body)["model"] == "gpt-4o-mini"
        valkey.thaw()
        await until(lambda: "limits are shared once more" in gate.log(), "the shared state")
        assert (await gate.chat("gpt-3.5-turbo")).status == 200
    finally:
        gate.close()


async def test_a_scope_has_a_word_of_its_own(session_twin: Twin, valkey: Valkey, tmp_path: Path) -> None:
    """The cluster is closed, and one provider's scope goes on with this worker's part of its quota."""
    closed = provider(session_twin.url, "sk-closed", {"gpt-4o": {"rpm": 600}})
    local = provider(session_twin.url, "sk-local", {"gpt-3.5-turbo": {"rpm": 6_000}})
    local["scopes"][0]["on_state_loss"] = "local"
    tree = {
        "providers": {"closed": closed, "local": local},
        "cluster": {"url": valkey.url, "prefix": "own", "on_state_loss": "closed"},
    }
    gate = Gate(tmp_path, tree)
    try:
        assert (await gate.chat("gpt-3.5-turbo")).status == 200
        valkey.freeze()
        await until(lambda: "calls that need a shared limit are refused" in gate.log(), "the silence")
        assert (await gate.chat("gpt-4o")).status == 503
        assert (await gate.chat("gpt-3.5-turbo")).status == 200
    finally:
        gate.close()
