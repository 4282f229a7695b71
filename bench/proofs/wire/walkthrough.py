"""The mission's walk-through for real: twin and gate as processes, with a `Retry-After` of one second."""

import json
import time
from typing import Any

from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.steps import Context, Row
from bench.twin import KEY, gated, twin
from harness.plain import Reply, exchange
from harness.twin import Twin

_PRIMARY, _FALLBACK = "gpt-4o", "gpt-3.5-turbo"
_LIMITS = {"rpm": 3000, "tpm": 150_000}
_SMOOTHED_MS = 100
_WAITS_MS = 1000 + 2000  # Retry-After × multiplier^n after the first and the second failure; the third falls back


def settings(twin_url: str) -> dict[str, Any]:
    """The mission's policy, as far as it acts here, in front of the twin."""
    scope = {"name": "main", "keys": [KEY], "limits": {_PRIMARY: _LIMITS, _FALLBACK: _LIMITS}}
    return {
        "providers": {"openai": {"dialect": "openai", "base_url": twin_url, "scopes": [scope]}},
        "model_strategy": {
            "primary_model": _PRIMARY,
            "fallback_models": [{"model": _FALLBACK, "priority": 1}],
            "rate_limit_policy": {"max_rpm": 3000, "max_tpm": 150_000, "throttle_type": "token_bucket"},
            "retry_policy": {"max_retries": 3, "backoff_multiplier": 2, "jitter_enabled": True},
        },
    }


def for_real(context: Context, row: Row) -> None:
    """Fill the quota above 85 %, have the provider refuse three times, and see who answers when."""
    row.commands += ["tidegate twin --ttft-ms 5 --tpot-ms 0", "tidegate serve -c (the mission's policy)"]
    with (
        twin(context.work, "--rpm", "3000", "--tpm", "150000", "--ttft-ms", "5", "--tpot-ms", "0") as provider,
        gated(context.work, settings(provider.url)) as url,
    ):
        row.figures += _conversation(provider, int(url.split(":")[2].partition("/")[0]))


def _conversation(provider: Twin, port: int) -> list[Figure]:
    _ask(port, max_tokens=140_000)
    provider.ask("faults", {"rules": [{"fault": "429", "match": {"model": _PRIMARY}, "count": 3, "retry_after": 1}]})
    started = time.perf_counter()
    reply = _ask(port, max_tokens=60)
    took_ms = (time.perf_counter() - started) * 1000
    waited_ms = int(reply.headers.get("x-tidegate-wait-ms", "0"))
    tried = reply.headers.get("x-tidegate-attempts", "").split(", ")
    ledger = provider.ask("ledger")
    return [
        exactly("for real: answered with status", reply.status, 200, reply.headers.get("x-tidegate-target", "")),
        exactly("for real: refusals of the primary before the fallback", ledger["throttled"], 3, "; ".join(tried)),
        exactly("for real: answered by the fallback", int(json.loads(reply.body).get("model", "") == _FALLBACK), 1),
        at_least("for real: waited at 85 %, then after two refusals", waited_ms, _SMOOTHED_MS + _WAITS_MS, "ms"),
        at_most("for real: the whole call", took_ms, 2 * (_SMOOTHED_MS + _WAITS_MS), "ms"),
        told("for real: avoidable 429s", str(ledger["avoidable"])),
    ]


def _ask(port: int, max_tokens: int) -> Reply:
    question = {"role": "user", "content": "What are the highlights of the Q2 report?"}
    body = {"model": _PRIMARY, "messages": [question], "max_tokens": max_tokens}
    return exchange(port, "/v1/chat/completions", json.dumps(body).encode())
