"""LiteLLM over its Redis: two proxies that share their limits, the same arrivals, the same provider."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.figures import Figure, missing, told
from bench.install import InstallFailed
from bench.proofs.cluster.exact import WINDOWS
from bench.proofs.fleet import Books, Quota, provider
from bench.proofs.quota.peers import litellm_proxy, litellm_version
from bench.proofs.quota.used import WARM_SECONDS, tenants
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, outcome, play
from harness.ports import free_port
from harness.process import NotReady
from harness.servers.redis import REDIS, Server
from tidegate.judge import log as judge
from tidegate.load.crowd import Member
from tidegate.load.visits import Manners

_PROXIES: Final = 2
_KEY: Final = "sk-reference"


def reference(context: Context, row: Row) -> None:
    """Figures without a target: what the same load comes to there."""
    seconds = 60 if context.quick else 300
    row.commands.append(f"litellm × {_PROXIES} with redis_host, usage-based routing, 3× offered for {seconds} s")
    for window in WINDOWS[:1] if context.quick else WINDOWS:
        try:
            row.figures += _played(context.work, Quota(accounts=2, window=window), seconds)
        except (InstallFailed, NotReady, OSError) as error:
            row.figures.append(missing(f"LiteLLM, {window}", "answered", str(error)[-200:]))


def _played(work: Path, quota: Quota, seconds: int) -> list[Figure]:
    label = f"LiteLLM, {quota.window}"
    with contextlib.ExitStack() as stack:
        server = Server(REDIS)
        stack.callback(server.close)
        twin = stack.enter_context(provider(work, quota, f"litellm-{quota.window}"))
        ports = [stack.enter_context(_proxy(work / f"litellm-{n}-{free_port()}", twin.url, quota, server.port))
                 for n in range(_PROXIES)]  # fmt: skip
        books = Books(quota, twin)
        books.empty_books()
        length = WARM_SECONDS + seconds
        manners = Manners(headers=(), patience_us=30_000_000)
        members = [_keyed(one) for one in tenants(quota, 3 / _PROXIES)]
        shows = [Show(f"http://127.0.0.1:{port}/v1", members, length, seed=port, manners=manners) for port in ports]
        visits = [visit for group in play(shows) for visit in group]
        events, ledger, seen = books.events(), books.ledger(), outcome(visits)
        began = int(books.began * 1e6)
        used = judge.share(events, quota.per_second, began + WARM_SECONDS * 1_000_000, began + length * 1_000_000)
        each = ledger["throttled"] / max(1, ledger["served"])
        note = f"{seen.calls:,} calls, {seen.refused:,} refused, {seen.failed:,} failed {seen.example}"
        return [
            told(f"{label}: tokens over the limit in any window", f"{judge.over(events, quota.window, quota.tpm):,}",
                 f"version {litellm_version()}, {_PROXIES} proxies on one Redis"),
            told(f"{label}: avoidable 429s", f"{ledger['avoidable']:,}", f"{each:.2f} 429s a call served"),
            told(f"{label}: quota used", f"{used:.1f} %"),
            told(f"{label}: calls answered", f"{100 * seen.share:.0f} %", note),
        ]  # fmt: skip


def _keyed(one: Member) -> Member:
    return Member(one.name, _KEY, one.rate, one.tokens, one.spread, deadline_ms=one.deadline_ms)


@contextlib.contextmanager
def _proxy(home: Path, url: str, quota: Quota, redis_port: int) -> Iterator[int]:
    """One proxy with usage-based routing over Redis, pre-call checks and retries."""
    home.mkdir()
    shared = {"redis_host": "127.0.0.1", "redis_port": redis_port}
    router = {"routing_strategy": "usage-based-routing-v2", "num_retries": 5, **shared}
    with litellm_proxy(home, url, quota, router, {"master_key": _KEY}) as port:
        yield port
