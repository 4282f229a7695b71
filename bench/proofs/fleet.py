"""Several accounts of a provider as one twin, a gate over all of them, and the traffic in front."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import gate
from bench.twin import twin
from harness import node
from harness.ports import free_port
from harness.twin import Twin
from tidegate.load.crowd import Member

MODEL = "gpt-4o"
TPM = 1_000_000
CALL = 2_083  # tokens: eight fit into a second of 1 M TPM, which admits 16,666
_FREE_RPM = 100_000_000
_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """What the provider allows each of `accounts`, and how it answers. `ghost` is a percentage."""

    accounts: int = 4
    tpm: int = TPM
    rpm: int = _FREE_RPM
    window: str = "continuous"
    ghost: int = 0
    ttft_ms: float = 20.0
    options: tuple[str, ...] = ()
    rules: dict[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """One for each account."""
        return [f"sk-account-{number}" for number in range(self.accounts)]

    @property
    def per_second(self) -> float:
        """Tokens a second of all accounts that are left to us."""
        return self.accounts * self.tpm / 60 * (1 - self.ghost / 100)


@dataclass(frozen=True, slots=True)
class Policy:
    """How the gate shares the accounts. `told` is how many tokens a minute it is told of, 0 = the truth."""

    scheduler: str = "dynamic"
    pick: str = "headroom"
    profile: str = ""
    told_tpm: int = 0
    jitter_ms: int = 100  # the spread of the way to the provider's clock: what a busy machine adds to loopback
    alone: bool = False  # no namespaces: everybody is one tenant
    extra: dict[str, Any] = field(default_factory=dict)


def settings(url: str, quota: Quota, policy: Policy, members: Sequence[Member]) -> dict[str, Any]:
    """The gate's file: one provider, a scope for each account, one pool of them, a namespace for each tenant."""
    limits = {MODEL: {"rpm": quota.rpm, "tpm": policy.told_tpm or quota.tpm}}
    names = [f"account-{number}" for number in range(quota.accounts)]
    scopes = [{"name": name, "keys": [key], "limits": limits} for name, key in zip(names, quota.keys, strict=True)]
    provider: dict[str, Any] = {"dialect": "openai", "base_url": url, "window": quota.window, "scopes": scopes}
    provider["jitter_ms"] = policy.jitter_ms
    if policy.profile:
        provider["profile"] = policy.profile
    pool = {"scopes": [f"openai/{name}" for name in names], "scheduler": policy.scheduler, "pick": policy.pick}
    spaces = {one.name: {"keys": [one.key]} | ({"tier": one.tier} if one.tier else {}) for one in members}
    full = {"providers": {"openai": provider}, "pools": {"main": pool}, "namespaces": spaces, **policy.extra}
    return {name: value for name, value in full.items() if name != "namespaces"} if policy.alone else full


def without_tenants(full: dict[str, Any]) -> dict[str, Any]:
    """The same for a gate that knows neither pools nor namespaces: its queue is a FIFO."""
    return {name: value for name, value in full.items() if name not in {"pools", "namespaces"}}


class Gate(node.Node):
    """A gate of the measured build; one that refuses the file starts without tenants, and `refused` says why."""

    def __init__(self, home: Path, full: dict[str, Any]) -> None:
        super().__init__(home, full, program=[gate.program()])
        self.refused = self.complaint()
        if self.refused:
            self.config.write_text(json.dumps(without_tenants(full)))


@dataclass(slots=True)
class Books:
    """What the provider saw. `began` is on the monotonic clock, once the books were emptied."""

    quota: Quota
    provider: Twin
    began: float = field(default=0.0, kw_only=True)

    def empty_books(self) -> None:
        """Start the provider's ledger and windows anew."""
        self.provider.ask("reset", {})
        self.began = time.monotonic()

    def ledger(self) -> dict[str, Any]:
        """The provider's sums for the model, with `per_second`."""
        found: dict[str, Any] = self.provider.ask("ledger?by_key=0")["by_model"].get(MODEL, {})
        return {"calls": 0, "served": 0, "throttled": 0, "avoidable": 0, "per_second": []} | found

    def events(self) -> list[list[Any]]:
        """Every admission and refusal: `[at_us, key, model, user, tokens, label]`."""
        found: list[list[Any]] = []
        while len(page := self.provider.ask(f"events?after={len(found)}")["events"]) > 0:
            found += page
        return found


@dataclass(slots=True)
class Fleet(Books):
    """A twin and the gate in front of it."""

    gate: Gate


@contextlib.contextmanager
def fleet(work: Path, quota: Quota, policy: Policy, members: Sequence[Member], name: str) -> Iterator[Fleet]:
    """Twin and gate until the end of the block."""
    with provider(work, quota, name) as started:
        front = Gate(work / f"gate-{name}-{free_port()}", settings(started.url, quota, policy, members))
        try:
            front.start()
            yield Fleet(quota, started, front)
        finally:
            front.stop()


@contextlib.contextmanager
def provider(work: Path, quota: Quota, name: str, host: str = "127.0.0.1") -> Iterator[Twin]:
    """The accounts alone; where `host` is another one, at all addresses of this machine."""
    tree = {
        "limits": {"rpm": quota.rpm, "tpm": quota.tpm},
        "rules": {"window": quota.window, "ghost": f"{quota.ghost}%", **quota.rules},
        "timing": {"ttft_ms": quota.ttft_ms, "tpot_ms": 0, "tokens": 20, "exact_up_to": 0},
        "events": 0 if "--lean" in quota.options else _EVENTS,
    }
    file = work / f"twin-{name}-{free_port()}.yaml"
    file.write_text(json.dumps(tree))
    host_options = () if host == "127.0.0.1" else ("--host", "0.0.0.0")  # noqa: S104 - to namespaces of this machine
    with twin(work, "-c", str(file), *host_options, *quota.options) as started:
        yield started
