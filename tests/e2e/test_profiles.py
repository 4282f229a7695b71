"""The profiles against the twin's forms of the same providers: paths, keys, ways to limit, words of refusal.

The gate is told profiles, base URLs and limits, and no more; every model has a provider, and so an account, of its own.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from harness.gate import HUGE
from harness.twin import Twin
from harness.wait import until
from tests.e2e.conftest import RETRIES
from tests.e2e.stand import Gate, spoken, total, tries
from tests.twin.http import Answer

TPM = 10_000
OFFERED = 100  # calls at once, of about twice the minute's tokens
LONG = [{"role": "user", "content": "a prompt of some length " * 40}]
SOON = {"x-tidegate-deadline-ms": "5000"}
UNEXPLAINED = "tidegate_unexplained_refusals_total"


class Maker(NamedTuple):
    """A provider: where the twin has it, what the gate is told of it, and what it charges for the usual call."""

    profile: str
    base: str
    path: str
    provider: str = "openai"  # whose models it serves
    charge: int = 0
    tells: bool = True  # its refusals say when to come again


AZURE = "/azure/openai/deployments/{model}/chat/completions"
MAKERS = {
    "azure": Maker("azure", "/azure", AZURE, charge=30),
    "azure-v1": Maker("azure", "/azure/openai/v1", "/azure/openai/v1/chat/completions", charge=30),
    "dashscope": Maker(
        "dashscope", "/dashscope", "/dashscope/compatible-mode/v1/chat/completions", "dashscope", 20, tells=False
    ),
    "gemini": Maker("gemini", "/gemini", "/gemini/v1beta/openai/chat/completions", "gemini", 10),
    "anthropic": Maker("anthropic", "/anthropic", "/anthropic/v1/messages", "anthropic", 10),
}
QUOTAS = ("azure", "azure-v1", "dashscope", "gemini")
FINAL = ("auth", "billing", "policy")  # not to be asked again
REFUSALS = {  # what the twin says on command, and what the gate takes it for
    "azure": {
        "insufficient_quota": "429 billing", "spend_limit": "429 billing", "usage_limit": "429 billing",
        "429": "429 rate", "403": "403 rate", "capacity": "429 capacity", "content_filter": "400 policy",
        "401": "401 auth",
    },
    "azure-v1": {"spend_limit": "429 billing", "usage_limit": "429 billing"},
    "dashscope": {
        "insufficient_quota": "429 rate", "429": "429 rate", "slow_down": "429 ramp", "spend_limit": "400 billing",
        "usage_limit": "403 billing",
    },
    "gemini": {"429": "429 rate", "day_quota": "429 rate", "401": "400 auth", "503": "503 capacity"},
    "anthropic": {
        "insufficient_quota": "400 billing", "spend_limit": "429 billing", "usage_limit": "400 billing",
        "slow_down": "429 ramp", "content_filter": "400 policy",
    },
}  # fmt: skip
KINDS = ("served", "pressed", "lowered", "spare", "zero", "odd")
MODELS = {f"{name}-{kind}": maker for name, maker in MAKERS.items() for kind in (*KINDS, *REFUSALS[name])}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """A twin that limits as each provider does by itself."""
    tree = {
        "limits": {"rpm": HUGE, "tpm": TPM},
        "timing": {"ttft_ms": 0, "tpot_ms": 0},
        "models": [{"name": model, "provider": maker.provider} for model, maker in MODELS.items()],
    }
    twin = Twin(tmp_path_factory.mktemp("twin"), tree)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def front(judge: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Who is not told a time asks once: a second try would come too soon."""
    providers: dict[str, Any] = {}
    for model, maker in MODELS.items():
        apart = maker.profile == "anthropic"
        limits = {"rpm": HUGE, "itpm": TPM, "otpm": HUGE} if apart else {"rpm": HUGE, "tpm": TPM}
        scope = {"name": "main", "keys": [f"sk-{model}"], "limits": {model: limits}}
        base = f"http://127.0.0.1:{judge.port}{maker.base}"
        providers[model] = {"profile": maker.profile, "base_url": base, "scopes": [scope]}
    once = RETRIES | {"max_retries": 1}
    strategies = {f"once-{m}": {"primary_model": m, "retry_policy": once} for m in MODELS if not MODELS[m].tells}
    tree = {"providers": providers, "strategies": strategies, "defaults": {"retry_policy": RETRIES}}
    gate = Gate(tmp_path_factory.mktemp("gate"), tree)
    yield gate
    gate.close()


def books(judge: Twin, name: str, model: str) -> dict[str, Any]:
    """The twin's, of the model's own account."""
    return judge.ledger(f"sk-{model}", _scoped(name, model))


def _scoped(name: str, model: str) -> str:
    return f"azure/{model}" if MAKERS[name].profile == "azure" else model


@pytest.mark.parametrize("name", MAKERS)
async def test_a_call_arrives(front: Gate, judge: Twin, name: str) -> None:
    """By the provider's own path, key and version: every word comes back."""
    model = f"{name}-served"
    answer = await front.chat(model)
    assert (answer.status, answer.headers["x-tidegate-target"]) == (200, f"{model}/main/{model}")
    assert spoken(answer) == list(range(1, 21))
    (call,) = judge.calls(model)
    assert (call["path"], call["key"]) == (MAKERS[name].path.format(model=model), f"sk-{model}")
    assert call["charged_tokens"] == MAKERS[name].charge


@pytest.mark.parametrize("name", QUOTAS)
async def test_no_429_however_many_call(front: Gate, judge: Twin, name: str) -> None:
    """The profile charges what the provider does, or more: it uses the minute, and the gate refuses the rest itself."""
    model = f"{name}-pressed"
    calls = (front.chat(model, messages=LONG, headers=SOON) for _ in range(OFFERED))
    answers = await asyncio.gather(*calls)
    found = books(judge, name, model)
    assert (found["throttled"], found["avoidable"]) == (0, 0)
    assert found["charged_tokens"] > TPM // 2
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert found["served"] == OFFERED - len(refused)
    assert all(tries(answer) == [] and int(answer.headers["retry-after"]) > 1 for answer in refused)


async def refused(front: Gate, judge: Twin, name: str) -> tuple[str, Answer]:
    """A refusal of the provider's limiter, whose limit went down without a word.

    Azure's counters may begin anew in between, and the next reply tells the limit: then another model is asked, and the
    minute has just begun.
    """
    maker = MAKERS[name]
    for model in (f"{name}-lowered", f"{name}-spare"):
        assert (await front.chat(model)).status == 200
        less = maker.charge * 3 // 2
        judge.ask("limits", {"key": f"sk-{model}", "model": _scoped(name, model), "tpm": less})
        for _ in range(2):
            answer = await front.chat(model, headers=SOON)
            if tries(answer) == [f"{model} 429 rate"]:
                return model, answer
    raise AssertionError("the provider refused nothing")


@pytest.mark.parametrize("name", QUOTAS)
async def test_a_refusal_for_quota_is_not_repeated(front: Gate, judge: Twin, name: str) -> None:
    """One 429 that nobody could foresee; whatever it says of the time (Azure: 0 ms, 1 s), no second one follows."""
    model, answer = await refused(front, judge, name)
    assert (answer.status, answer.headers["x-should-retry"]) == (429, "true")
    if MAKERS[name].tells:
        assert int(answer.headers["retry-after-ms"]) > 5_000
        later = await front.chat(model, headers=SOON)
        assert (later.status, tries(later)) == (429, [])
    found = books(judge, name, model)
    assert (found["throttled"], found["avoidable"]) == (1, 0)


@pytest.mark.parametrize("name", ["azure", "azure-v1"])
async def test_azures_zero_is_not_at_once(front: Gate, judge: Twin, name: str) -> None:
    """`retry-after-ms: 0` beside `retry-after: 1` is no word: the gate's own back-off holds."""
    model = f"{name}-zero"
    zero = {"retry_after": 1, "retry_after_ms": 0, "message": "Rate limit is exceeded."}
    judge.fault({"fault": "429", "match": {"model": model}, "count": 1, **zero})
    answer = await front.chat(model)
    assert (answer.status, tries(answer)) == (200, [f"{model} 429 rate", f"{model} 200"])
    first, second = judge.calls(model)
    assert second["arrived_us"] - first["ended_us"] >= RETRIES["base_seconds"] * 1_000_000


async def test_refusals_are_what_their_makers_mean(front: Gate, judge: Twin) -> None:
    """What no waiting helps is asked once, money closes the account, and Google's day ends in California."""
    rows = {f"{name}-{fault}": (fault, means) for name, row in REFUSALS.items() for fault, means in row.items()}
    judge.fault(*({"fault": fault, "match": {"model": model}, "count": 1} for model, (fault, _) in rows.items()))
    answers = dict(zip(rows, await asyncio.gather(*(front.chat(model, headers=SOON) for model in rows)), strict=True))
    told = {model: tries(answer)[0] for model, answer in answers.items()}
    assert told == {model: f"{model} {means}" for model, (_, means) in rows.items()}
    final = {model for model, (_, means) in rows.items() if means.endswith(FINAL)}
    assert {model: len(judge.calls(model)) for model in final} == dict.fromkeys(final, 1)

    broke = [model for model, (_, means) in rows.items() if means.endswith("billing")]
    assert all(answers[model].headers.get("x-should-retry") != "true" for model in broke)
    later = await asyncio.gather(*(front.chat(model, headers=SOON) for model in broke))
    assert {model: tries(answer) for model, answer in zip(broke, later, strict=True)} == {m: [] for m in broke}

    wait = timedelta(milliseconds=int(answers["gemini-day_quota"].headers["retry-after-ms"]))
    back = (datetime.now(UTC) + wait).astimezone(ZoneInfo("America/Los_Angeles"))
    assert back.hour == 0
    assert back.minute == 0  # not the 19 s that it says


async def test_rows_explain_them(front: Gate, judge: Twin) -> None:
    """Of all that was refused until here only what no provider says had no row in its profile."""
    judge.fault({"fault": "status", "status": 418, "match": {"model": "azure-odd"}})
    assert (await front.chat("azure-odd")).status == 418
    await until(lambda: total(front, UNEXPLAINED) > 0, "the gate to have counted it")
    assert total(front, UNEXPLAINED) == total(front, f'{UNEXPLAINED}{{provider="azure-odd",') == 1
