"""The same overload through other gateways with their best documented settings for it: one account, retries on."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure, missing, told
from bench.install import InstallFailed, node_version, python_version
from bench.others import (
    LITELLM_ENV,
    PORTKEY_ENV,
    litellm_binaries,
    litellm_command,
    portkey_command,
    portkey_folder,
)
from bench.proofs.fleet import MODEL, Quota, provider
from bench.proofs.steps import Context, Row, Step
from bench.proofs.traffic import Outcome, Show, outcome, play
from harness.ports import accepts, free_port
from harness.process import NotReady, running
from tidegate.load.crowd import Member
from tidegate.load.visits import Manners

_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Peer:
    """A running gateway: what it is, its base URL, and what it wants in each request."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


Starter = Callable[[Path, str, Quota], AbstractContextManager[Peer]]


@contextlib.contextmanager
def litellm(home: Path, url: str, quota: Quota) -> Iterator[Peer]:
    """LiteLLM's router with the limits stated, its pre-call checks on, and retries."""
    env = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    with litellm_proxy(home, url, quota, {"num_retries": _RETRIES}, env=env) as port:
        yield Peer(f"LiteLLM {litellm_version()}", f"http://127.0.0.1:{port}/v1")


@contextlib.contextmanager
def litellm_proxy(
    home: Path,
    url: str,
    quota: Quota,
    router: Mapping[str, object],
    general: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Its proxy in one process, the quota's limits stated for each key; the port."""
    binaries, port = litellm_binaries(), free_port()
    models = [
        {
            "model_name": MODEL,
            "litellm_params": {
                "model": f"openai/{MODEL}", "api_base": url, "api_key": key, "tpm": quota.tpm, "rpm": quota.rpm,
            },
        }
        for key in quota.keys
    ]  # fmt: skip
    settings = {
        "model_list": models,
        "router_settings": {"timeout": 30, "enable_pre_call_checks": True, **router},
        "litellm_settings": {"telemetry": False, "set_verbose": False},
        "general_settings": {**(general or {})},
    }
    (home / "config.yaml").write_text(json.dumps(settings))
    command = litellm_command(binaries, home / "config.yaml", port)
    every = {**LITELLM_ENV, **(env or {})}
    with running(command, home / "log", lambda: accepts(port), env=every, cwd=home, seconds=120):
        yield port


def litellm_version() -> str:
    """Of the one installed."""
    return python_version(litellm_binaries(), "litellm")


@contextlib.contextmanager
def portkey(home: Path, url: str, quota: Quota) -> Iterator[Peer]:
    """Portkey's gateway with its retries. `use_retry_after_header` is left out: see deploy/judge/README.md."""
    folder, port = portkey_folder(), free_port()
    command = portkey_command(folder, port)
    retry = {"attempts": _RETRIES, "on_status_codes": [429, 503]}
    target = {"provider": "openai", "api_key": quota.keys[0], "custom_host": url, "retry": retry}
    with running(command, home / "log", lambda: accepts(port), env=PORTKEY_ENV, cwd=home, seconds=60):
        headers = {"x-portkey-config": json.dumps(target)}
        yield Peer(f"Portkey {node_version(folder)}", f"http://127.0.0.1:{port}/v1", headers)


PEERS: dict[str, Starter] = {"LiteLLM": litellm, "Portkey": portkey}


def beside(label: str, crowd: Callable[[Quota], Sequence[Member]], window: str) -> Step:
    """A step that plays a crowd through every peer in turn, on one account; nothing without `--peers`."""

    def peers(context: Context, row: Row) -> None:
        if not context.peers:
            return
        quota, seconds = Quota(accounts=1, window=window), 90 if context.quick else 300
        for name, starter in PEERS.items():
            home = context.work / f"{name}-{free_port()}"
            home.mkdir()
            try:
                row.figures += _played(context, quota, starter, home, Played(label, crowd(quota), seconds))
            except (InstallFailed, NotReady, OSError) as error:
                row.figures.append(missing(f"{label}, {name}", "answered", str(error)[-200:]))

    return peers


@dataclass(frozen=True, slots=True)
class Played:
    """What every peer gets."""

    label: str
    members: Sequence[Member]
    seconds: float


def _played(context: Context, quota: Quota, starter: Starter, home: Path, what: Played) -> list[Figure]:
    with provider(context.work, quota, home.name) as twin, starter(home, twin.url, quota) as peer:
        twin.ask("reset", {})
        manners = Manners(headers=tuple(peer.headers.items()), patience_us=30_000_000)
        seen = outcome(play([Show(peer.url, what.members, what.seconds, manners=manners)])[0])
        return _figures(what.label, peer, seen, twin.ask("ledger?by_key=0&per_second=0"))


def _figures(label: str, peer: Peer, seen: Outcome, ledger: Mapping[str, int]) -> list[Figure]:
    each = ledger["throttled"] / max(1, ledger["served"])
    note = f"{seen.calls:,} calls, {seen.refused:,} refused, {seen.failed:,} failed {seen.example}"
    return [
        told(f"{label}, {peer.name} on one account: answered", f"{100 * seen.share:.0f} %", note),
        told(f"{label}, {peer.name}: 429s at the provider per call served", f"{each:.1f}"),
    ]
