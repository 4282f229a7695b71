"""A real Prometheus scrapes a gate that is busy: every query of every dashboard has data, and every rule works."""

import asyncio
import contextlib
import itertools
import math
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate import provider
from harness.servers.prometheus import Prometheus
from harness.twin import Twin
from harness.wait import until, wait_until
from tests import dashboards
from tests.e2e.stand import Gate
from tests.servers import needs_prometheus

pytestmark = pytest.mark.timeout(300)
PATIENCE = 120.0  # only a failure, or a machine that does much else, takes as long
MANY = {"rpm": 100_000, "tpm": 60_000_000}
NARROW = {"rpm": 600, "tpm": 6_000}
BROKEN, ODD = "second0", "second1"
KEYS = {name: f"tg-{name}-0123456789abcdef" for name in ("acme", "small")}


def tree(twin: Twin) -> dict[str, Any]:
    """Something of everything: a fallback, a narrow quota, a cache, tenants' limits, jobs, bodies."""
    limits = {"gpt-4o": MANY, "gpt-4o-mini": MANY, "narrow": NARROW, BROKEN: MANY, ODD: MANY}
    made = provider(twin.url, "sk-prometheus", limits)
    made["models"] = {name: {"price": {"input": 1, "output": 1}} for name in limits}
    budgets = {"rpm": 60_000, "tpm": 6_000_000, "concurrent": 500, "tokens_per_day": 10_000_000}
    return {
        "providers": {"openai": made},
        "strategies": {
            "chat": {"primary_model": BROKEN, "fallback_models": [{"model": "gpt-4o-mini"}]},
            "report": {"primary_model": "gpt-4o-mini", "execution_mode": "async"},
            "later": {"primary_model": "narrow", "execution_mode": "async"},
            "known": {"primary_model": "gpt-4o", "caching": {"enabled": True, "semantic": {"mode": "on"}}},
        },
        "namespaces": {
            "acme": {
                "tier": "vip",
                "limits": budgets,
                "budget": {"per_day": 1_000},
                "keys": [{"name": "acme", "key": KEYS["acme"]}],
            },
            "small": {"tier": "free", "limits": {"rpm": 1}, "keys": [{"name": "small", "key": KEYS["small"]}]},
        },
    }


class Traffic:
    """Calls of every kind, for as long as anybody looks."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Round by round: the patient ones, and those that wait for quota, keep the others from being too many."""
        while True:
            await asyncio.gather(
                *(
                    kind()
                    for kind in (self._served, self._moved, self._refused, self._queued, self._cached, self._patient)
                )
            )

    async def _ask(self, model: str, who: str = "acme", headers: dict[str, str] | None = None, **fields: Any) -> int:
        words = {"authorization": f"Bearer {KEYS[who]}"} | (headers or {})
        return (await self._gate.chat(model, headers=words, **fields)).status

    async def _served(self) -> None:
        await self._ask("gpt-4o")
        await self._ask("gpt-4o", stream=True)

    async def _moved(self) -> None:
        await self._ask("chat")
        await self._ask(ODD)

    async def _refused(self) -> None:
        await self._ask("gpt-4o", "small")
        await self._ask("narrow", max_tokens=1_000, headers={"x-tidegate-deadline-ms": "100"})

    async def _queued(self) -> None:
        await self._ask("narrow", headers={"x-tidegate-deadline-ms": "1000"})

    async def _cached(self) -> None:
        number = next(self._numbers) // 2  # each question twice
        question = [{"role": "user", "content": f"How many apples are in basket number {number}, please?"}]
        await self._ask("known", messages=question)

    async def _patient(self) -> None:
        await self._ask("later", headers={"prefer": "respond-async"})
        await self._ask("report", headers={"x-tidegate-deadline-ms": "5000"})


@pytest.fixture(scope="module")
def gate(session_twin: Twin) -> Iterator[Gate]:
    """Of two workers, which share their state."""
    needs_prometheus()
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        made = Gate(Path(folder), tree(session_twin), "--workers", "2")
        wait_until((made.state / "jobs.key").exists, made.log)
        yield made
        made.close()


@pytest.fixture(scope="module")
def prometheus(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    made = Prometheus(tmp_path_factory.mktemp("prometheus"), gate.admin_port)
    yield made
    made.close()


@pytest.fixture
async def traffic(gate: Gate, twin: Twin) -> AsyncIterator[None]:
    """Calls, at a provider that has trouble with two of its models."""
    twin.fault(
        {"fault": "500", "match": {"model": BROKEN}, "probability": 0.5},
        {"fault": "429", "match": {"model": BROKEN}},
        {"fault": "status", "status": 418, "type": "strange", "code": "teapot", "match": {"model": ODD}},
    )
    running = asyncio.create_task(Traffic(gate).run())
    yield
    assert not running.done(), running.exception()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def silent(prometheus: Prometheus, queries: list[dashboards.Query]) -> list[dashboards.Query]:
    """Those without a number."""
    return [one for one in queries if not any(math.isfinite(value) for value in prometheus.query(one.expression))]


async def test_every_query_of_every_dashboard_has_data(prometheus: Prometheus, traffic: None) -> None:
    """With calls that are served, refused, moved, cached, patient: there is no panel that stays empty."""
    waiting = dashboards.queries()
    assert len(waiting) > 100

    def answered() -> bool:
        waiting[:] = silent(prometheus, waiting)
        return not waiting

    try:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(answered):
                await until(lambda: True, "others")
    except TimeoutError:
        pytest.fail("\n".join(f"{one.board}, {one.panel}: {one.expression}" for one in waiting))


async def test_every_rule_is_evaluated_and_names_what_there_is(prometheus: Prometheus, traffic: None) -> None:
    """Without an error, by the names of metrics that the gate has."""
    rules = prometheus.rules()
    await until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), "the rules", PATIENCE)
    assert len(rules) > 20
    assert [rule["lastError"] for rule in prometheus.rules() if rule.get("lastError")] == []
    families = prometheus.families()
    named = {name for rule in rules for name in dashboards.metrics(rule["query"])}
    assert len(named) > 15
    assert named - families == set()


async def test_a_rule_fires(prometheus: Prometheus, traffic: None) -> None:
    """Calls wait for a narrow quota: somebody would be told."""
    firing = 'ALERTS{alertname="TidegateTokenUtilisation", alertstate=~"pending|firing", model="narrow"}'
    await until(lambda: prometheus.query(firing), "the rule", PATIENCE)
