"""Whether a tenant can tell by the clock what another has asked.

Blue asks for pairs of questions of which red has asked one and nobody the other, in an order of chance. What counts is
how often somebody who knows both times and takes the shorter one for the known question is right: half of the time,
where nothing can be told. The same pairs asked by red, who has the answers, show that the clock would see it.
"""

import contextlib
import http.client
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure, at_most, told
from bench.proofs.caching.strangers import BLUE, RED, secret
from bench.proofs.steps import Context, Row
from bench.twin import gated
from bench.upstreams import upstreams
from harness.plain import exchange

_SIGMAS = 3.5  # by which a share may differ from a half: one time in two thousand it does by chance
_SHUFFLES = 10_000
_MODEL = "gpt-4o"
_FIRST, _SAME = "How do I reset my router?", "How can I reset my router?"


@dataclass(frozen=True, slots=True)
class Seen:
    """Pairs of waits, in microseconds: for what somebody else has asked, and for what nobody has."""

    known: list[float]
    new: list[float]

    @property
    def guessed(self) -> float:
        """How often the shorter wait is that of the known question; ties count half."""
        return sum((mine < its) + (mine == its) / 2 for mine, its in zip(self.known, self.new, strict=True)) / len(
            self.new
        )

    @property
    def faster_us(self) -> float:
        """The median of the differences, positive where the known one is faster."""
        differences = sorted(its - mine for mine, its in zip(self.known, self.new, strict=True))
        return differences[len(differences) // 2]

    def chance(self) -> float:
        """Of so large a mean difference when the signs are drawn (permutation test, two-sided).

        Differences beyond their 99th percentile count as that one.
        """
        import numpy as np

        differences = np.array(self.new) - np.array(self.known)
        edge = np.quantile(np.abs(differences), 0.99)
        differences = np.clip(differences, -edge, edge)
        signs = np.random.default_rng(5).choice((-1.0, 1.0), size=(_SHUFFLES, len(differences)))
        return float(np.mean(np.abs(signs @ differences) >= abs(differences.sum())))


def told_apart(context: Context, row: Row) -> None:
    """With the exact cache alone, and with the comparison of questions."""
    for name, pairs, semantic in (
        ("exact", 400 if context.quick else 3_000, "off"),
        ("semantic", 60 if context.quick else 300, "on"),
    ):
        row.commands.append(f"tidegate serve -c (caching, semantic: {semantic}); {pairs:,} pairs of questions")
        with _port(context, name, semantic) as port:
            row.figures += _judged(name, *_seen(port, pairs, compares=semantic == "on"))


def _judged(name: str, stranger: Seen, own: Seen) -> list[Figure]:
    count = len(stranger.new)
    most = 50 + _SIGMAS * 50 / count**0.5
    share = 100 * max(stranger.guessed, 1 - stranger.guessed)
    note = f"{count:,} pairs; median difference {stranger.faster_us:+.0f} µs, by chance p = {stranger.chance():.2f}"
    return [
        at_most(f"{name}: another's questions guessed by the clock", share, most, "%", note),
        told(f"{name}: own answers told by the same clock", f"{100 * own.guessed:.0f} %", f"{own.faster_us:+.0f} µs"),
    ]


@contextlib.contextmanager
def _port(context: Context, name: str, semantic: str) -> Iterator[int]:
    """A gate before an upstream that answers at once."""
    home = context.work / f"clock-{name}"
    home.mkdir()
    with upstreams(home) as ups, gated(home, _settings(ups.static, semantic)) as url:
        yield int(url.rpartition(":")[2].partition("/")[0])


def _settings(upstream: int, semantic: str) -> dict[str, Any]:
    scope = {"name": "main", "keys": ["sk-bench"], "limits": {_MODEL: {"rpm": 1_000_000_000}}}
    provider = {"dialect": "openai", "base_url": f"http://127.0.0.1:{upstream}/v1", "scopes": [scope]}
    keys = {"red": RED, "blue": BLUE}
    return {
        "providers": {"openai": provider},
        "defaults": {"caching": {"enabled": True, "semantic": {"mode": semantic}}},
        "namespaces": {name: {"keys": [{"name": key, "key": secret(key)}]} for name, key in keys.items()},
        "cache": {"semantic": {"budget_ms": 10_000}},
    }


def _seen(port: int, pairs: int, *, compares: bool) -> tuple[Seen, Seen]:
    """What blue sees of red's questions, and what red sees of its own."""
    luck = random.Random(5)
    known, new, others = ([_question(kind, number) for number in range(pairs)] for kind in ("last", "next", "this"))
    with _asking(port, RED) as red:
        _begin(port, RED, red, compares=compares)
        for question in known:
            red(question)
    time.sleep(0.5)  # what is learnt of them is learnt
    with _asking(port, BLUE) as blue:
        _begin(port, BLUE, blue, compares=compares)
        stranger = _timed(blue, known, new, luck)
    with _asking(port, RED) as red:
        red(_FIRST)
        own = _timed(red, known, others, luck)
    return stranger, own


def _begin(port: int, who: str, ask: Any, *, compares: bool) -> None:
    """Something is known that other questions can be compared with."""
    ask(_FIRST)
    if compares:
        _await_compared(port, who)


def _timed(ask: Any, known: Sequence[str], new: Sequence[str], luck: random.Random) -> Seen:
    seen = Seen([], [])
    for one, other in zip(known, new, strict=True):
        if luck.random() < 0.5:
            seen.known.append(ask(one))
            seen.new.append(ask(other))
        else:
            seen.new.append(ask(other))
            seen.known.append(ask(one))
    return seen


def _await_compared(port: int, who: str) -> None:
    """Until the process that compares questions is there, and has learnt this tenant's first one."""
    head = {"authorization": f"Bearer {secret(who)}", "x-tidegate-cache": "only"}
    body = json.dumps({"model": _MODEL, "messages": [{"role": "user", "content": _SAME}]})
    limit = time.monotonic() + 60
    while exchange(port, "/v1/chat/completions", body.encode(), head).headers.get("x-tidegate-cache") != "semantic":
        if time.monotonic() > limit:
            raise RuntimeError("questions are not compared")
        time.sleep(0.05)


@contextlib.contextmanager
def _asking(port: int, who: str) -> Iterator[Any]:
    """Asks over one connection, and says how many microseconds it took."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"authorization": f"Bearer {secret(who)}", "content-type": "application/json"}

    def ask(question: str) -> float:
        body = json.dumps({"model": _MODEL, "messages": [{"role": "user", "content": question}]})
        began = time.perf_counter_ns()
        line.request("POST", "/v1/chat/completions", body, head)
        reply = line.getresponse()
        reply.read()
        took = (time.perf_counter_ns() - began) / 1_000
        if reply.status != 200:
            raise RuntimeError(f"{who} is answered {reply.status}")
        return took

    yield ask
    line.close()


def _question(kind: str, number: int) -> str:
    """Of equal length, whoever asks."""
    return f"What did branch number {number:05d} earn in the {kind} year?"
