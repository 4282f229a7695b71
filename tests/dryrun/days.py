"""Days for the tests: small policies, and calls that arrived."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tidegate.dryrun.report import Report
from tidegate.dryrun.run import dry_run
from tidegate.model.arrivals import Arrival
from tidegate.model.entitlements import ClientKey, Namespace
from tidegate.model.snapshot import Limits, ModelEntry, Price, Profile, Provider, RefusalRule, Scope, Snapshot, Strategy

SECOND = 1_000_000
MORNING = 1_790_000_000 * SECOND
PROFILE = Profile(
    "plain",
    "openai",
    "2026-11-21",
    "a test",
    settles=True,
    window="sliding",
    jitter_us=0,
    refusals=(
        RefusalRule("RATE", 429, code="rate_limit_exceeded", not_before=("headers",)),
        RefusalRule("OVERLOAD", 503),
        RefusalRule("FATAL", 400),
    ),
)
PRICE = Price(prompt=1_000_000, completion=2_000_000)


def provider(name: str = "openai", model: str = "gpt-4o", rpm: int = 0, tpm: int = 0, **fields: Any) -> Provider:
    """With one scope, `main`."""
    scope = Scope("main", (f"sk-{name}",), {model: Limits(rpm, tpm)})
    known = {"models": {model: ModelEntry(prices=(PRICE,))}} | fields
    return Provider(name, f"http://{name}.test/v1", PROFILE, (scope,), **known)


def policy(*providers: Provider, **fields: Any) -> Snapshot:
    """Of these providers; nobody needs a key."""
    fields = {"defaults": Strategy("", "", deadline_us=5 * SECOND)} | fields
    return Snapshot(1, providers or (provider(),), **fields)


def space(name: str, **fields: Any) -> Namespace:
    """A namespace with one key, `NAME-1`."""
    return Namespace(name, clients=(ClientKey(f"{name}-1", name.encode().ljust(32, b".")),), **fields)


def call(second: float, **fields: Any) -> Arrival:
    """A call that took a second, and was answered by the provider `openai`."""
    given: dict[str, Any] = {
        "plan": "gpt-4o", "model": "gpt-4o", "provider": "openai", "scope": "main", "served": "gpt-4o", "status": 200,
        "attempts": 1, "first_byte_us": SECOND // 2, "duration_us": SECOND, "prompt_tokens": 100,
        "completion_tokens": 50, "charged_tokens": 150, "cost_nano": 200,
    }  # fmt: skip
    return Arrival(MORNING + int(second * SECOND), **given | fields)


def refused(second: float, **fields: Any) -> Arrival:
    """A call that the gate refused at once."""
    given: dict[str, Any] = {"plan": "gpt-4o", "model": "gpt-4o", "status": 429}
    return Arrival(MORNING + int(second * SECOND), **given | fields)


def on_edge() -> list[Arrival]:
    """Calls at the very moments at which a quota of sixty a minute has room for them: who queues hangs on a hair."""
    return [*(call(n / 1_000) for n in range(60)), *(call(n - 0.001) for n in range(1, 100))]


def edge() -> Snapshot:
    """The policy for them."""
    strict = msgspec.structs.replace(PROFILE, settles=False, window="continuous")
    return policy(msgspec.structs.replace(provider(rpm=60), profile=strict))


def play(arrivals: Iterable[Arrival], new: Snapshot, against: Snapshot | None = None) -> Report:
    """The report of a dry run."""
    return dry_run(list(arrivals), new, against=against)
