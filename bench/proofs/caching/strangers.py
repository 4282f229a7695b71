"""Answers of one tenant, asked for by another in every way that we can think of: none is given.

Whoever asks gets an answer of their own: the twin's ledger shows another call, and the answer another id. The same
questions asked by who may have the answer are hits, so that the probe is known to work.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.figures import exactly, told
from bench.proofs.stage import CHAT, MESSAGES, Stage, provider, stage
from bench.proofs.steps import Context, Row
from harness.plain import Reply

RED, BLUE, LONE = "red-ann", "blue-key", "lone"
_FEW = "red-few"  # of red, and may not call the strategy that red's answers are of
_MODELS = ("gpt-4o", "text-embedding-3-small")
_TIMING = {"ttft_ms": 30, "tpot_ms": 0, "tokens": 5}
_PATIENCE_S = 20.0
_FRESH_S = 1

# Who shares answers with whom: strategy, who asks first, who asks then.
APART = (
    ("shared", RED, BLUE),
    ("shared", BLUE, RED),
    ("shared", RED, LONE),
    ("shared", LONE, RED),
    ("shared", "east-key", RED),
    ("shared", "east-key", "pals-key"),  # a namespace that is called as a group is
    ("shared", "pals-key", "west-key"),
    ("by-user", RED, "red-bob"),
    ("by-user", RED, BLUE),
    ("by-user", RED, "ann"),  # a key without a user, that is called as a user is
    ("by-user", "ann", RED),
    ("by-key", RED, "red-bob"),
    ("by-key", RED, "red-ann-2"),
    ("by-key", RED, BLUE),
)
TOGETHER = (
    ("shared", RED, "red-bob"),
    ("shared", "east-key", "west-key"),
    ("by-user", RED, "red-ann-2"),
    ("by-key", RED, RED),
)
# What somebody else may send along, in the hope of an answer.
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"x-tidegate-cache": "exact"},
    {"x-tidegate-cache": "refresh"},
    {"x-tidegate-cache": "ttl=31536000"},
    {"x-tidegate-cache": "only"},
    {"cache-control": "only-if-cached"},
    {"cache-control": "max-stale, stale-if-error=31536000"},
    {"cache-control": "max-age=31536000, immutable"},
    {"x-tidegate-namespace": "red"},
    {"x-tidegate-tenant": "red"},
    {"x-tidegate-user": "ann"},
    {"x-tidegate-key": RED},
    {"x-tidegate-scope": "n:red"},
    {"x-tidegate-group": "red"},
    {"x-tidegate-tag": "n:red"},
    {"x-tidegate-session": "of-red"},
    {"idempotency-key": "of-red"},
    {"x-request-id": "req_of_red"},
    {"openai-organization": "red", "openai-project": "red"},
    {"x-api-key": RED},
    {"api-key": RED},
    {"x-forwarded-for": "127.0.0.1", "x-forwarded-user": "ann"},
    {"if-none-match": "*"},
    {"range": "bytes=0-100"},
    {"cookie": "namespace=red"},
)
FIELDS: tuple[dict[str, Any], ...] = (
    {"user": "ann"},
    {"user": "red"},
    {"safety_identifier": "ann"},
    {"metadata": {"namespace": "red", "user": "ann"}},
    {"prompt_cache_key": "of-red"},
    {"service_tier": "auto"},
    {"stream": True},
    {"namespace": "red"},
)
PATHS = (CHAT + "?namespace=red", CHAT + "?api-version=1")
_OF_RED = {"x-tidegate-session": "of-red", "idempotency-key": "of-red", "x-request-id": "req_of_red"}
_THINGS = (
    "router", "phone", "laptop", "printer", "mailbox", "account", "password", "watch", "camera", "thermostat", "alarm",
    "calendar", "badge", "bicycle",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What a series of probes came to."""

    tried: int = 0
    leaks: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # a hit that should have been one


class Prober:
    """Asks as somebody, and sees whether the provider was asked."""

    def __init__(self, running: Stage) -> None:
        self._running = running
        self._number = 0

    def fresh(self) -> str:
        """A question that nobody has asked."""
        self._number += 1
        return f"question {self._number}: three short words"

    @property
    def upstream(self) -> int:
        """Calls that reached the provider."""
        return int(self._running.provider.ask("ledger?by_key=0&per_second=0")["calls"])

    def ask(
        self,
        who: str,
        strategy: str,
        text: str,
        headers: Mapping[str, str] | None = None,
        path: str = CHAT,
        **more: Any,
    ) -> Reply:
        """One call."""
        body: dict[str, Any] = {"model": strategy, "messages": [{"role": "user", "content": text}]}
        return self._running.ask(path, body | more, {"authorization": f"Bearer {secret(who)}"} | dict(headers or {}))

    def embed(self, who: str, inputs: list[str]) -> Reply:
        """An embedding of each."""
        body = {"model": _MODELS[1], "input": inputs}
        return self._running.ask("/v1/embeddings", body, {"authorization": f"Bearer {secret(who)}"})

    def fail(self) -> None:
        """From now on the provider answers nothing."""
        self._running.provider.ask("faults", {"rules": [{"fault": "500"}]})

    def made(self, asks: Callable[[], Reply]) -> tuple[Reply, int]:
        """A reply, and how many calls reached the provider for it."""
        before = self.upstream
        reply = asks()
        return reply, self.upstream - before


def secret(who: str) -> str:
    """The key of this name."""
    return f"tg-{who}-0123456789abcdef"


def given(reply: Reply, calls: int) -> bool:
    """It is an answer, and nobody made it for this client."""
    return reply.status == 200 and (not calls or reply.headers.get("x-tidegate-cache") in {"hit", "semantic", "stale"})


def probed(context: Context, row: Row) -> None:
    """All of it, on one gate."""
    row.commands.append(f"tidegate serve -c (5 namespaces, a group, scopes); {len(HEADERS)} ways to ask, and more")
    with standing(context) as running:
        one = Prober(running)
        together, apart, tricks = _together(one), _apart(one), _tricks(one)
        at_once, forbidden, inputs, meant = _at_once(one), _forbidden(one), _inputs(one), _meant(one, context)
        stale = _stale(one)
    for name, tally in {
        "asked again in the same words": apart,
        "in other ways: headers, fields, paths, dialects": tricks,
        "while it is being made for somebody else": at_once,
        "by a key that may not call the model": forbidden,
        "inputs of embeddings": inputs,
        "in other words": meant,
        "when the provider fails, and it is stale": stale,
    }.items():
        note = "; ".join([*tally.leaks, *tally.failed][:2])
        row.figures.append(
            exactly(f"{name}: somebody else's answers", len(tally.leaks), 0, f"{tally.tried} tried. {note}")
        )
    controls = (together, tricks, inputs, meant, stale)
    failed = [one for tally in controls for one in tally.failed]
    row.figures.append(
        exactly("own answers, and those of a group, that were no hit", len(failed), 0, "; ".join(failed))
    )
    row.figures.append(told("who asked whom", f"{len(APART)} pairs that are apart, {len(TOGETHER)} that share"))


@contextlib.contextmanager
def standing(context: Context) -> Iterator[Stage]:
    """The gate and its tenants."""
    models = ({"name": _MODELS[0]}, {"name": _MODELS[1], "kind": "embedding"})
    with stage(context.work / "strangers", _TIMING, models, settings) as running:
        yield running


def settings(running: Any) -> dict[str, Any]:
    """Three strategies, one for each way to share, and everybody's keys."""
    retries = {"max_retries": 0, "budget": 0}
    caching = {"enabled": True, "stale_seconds": 600, "semantic": {"mode": "on", "error_rate": 0.05}}
    scopes = {"shared": "namespace", "by-user": "user", "by-key": "key"}
    return {
        "providers": {"openai": provider(running, "openai", _MODELS)},
        "strategies": {
            name: {"primary_model": _MODELS[0], "retry_policy": retries, "caching": caching | {"scope": scope}}
            for name, scope in scopes.items()
        },
        "defaults": {"caching": caching},
        "namespaces": tenants(),
        "clients": {"keys": [{"name": LONE, "key": secret(LONE)}]},
        "cache": {"groups": {"pals": {"namespaces": ["east", "west"]}}, "semantic": {"budget_ms": 10_000}},
    }


def tenants() -> dict[str, Any]:
    """Namespaces with their keys; `ann` is a user of `red` and, without a user, a key."""

    def key(name: str, **more: str) -> dict[str, str]:
        return {"name": name, "key": secret(name), **more}

    red: list[dict[str, Any]] = [
        key(RED, user="ann"), key("red-ann-2", user="ann"), key("red-bob", user="bob"), key("ann"),
        key(_FEW) | {"models": ["by-key"]},
    ]  # fmt: skip
    others = {name: {"keys": [key(f"{name}-key")]} for name in ("blue", "east", "west", "pals")}
    return {"red": {"users": {"ann": {}, "bob": {}}, "keys": red}, **others}


def _together(one: Prober) -> Tally:
    """Those that share do."""
    tally = Tally()
    for strategy, first, then in TOGETHER:
        text = one.fresh()
        one.ask(first, strategy, text)
        tally.tried += 1
        reply, calls = one.made(lambda: one.ask(then, strategy, text))  # noqa: B023 - called at once
        if calls or reply.headers.get("x-tidegate-cache") != "hit":
            tally.failed.append(f"{strategy}: {first}, then {then}: no hit")
    return tally


def _apart(one: Prober) -> Tally:
    """Those that do not, do not, streamed or whole."""
    tally = Tally()
    for strategy, first, then in APART:
        for stream in (False, True):
            text = one.fresh()
            one.ask(first, strategy, text, stream=stream)
            tally.tried += 1
            reply, calls = one.made(lambda: one.ask(then, strategy, text, stream=stream))  # noqa: B023 - called at once
            if given(reply, calls):
                tally.leaks.append(f"{strategy}: {first}, then {then}: {reply.headers.get('x-tidegate-cache')}")
    return tally


def _tricks(one: Prober) -> Tally:
    """Blue asks for what red has asked, in every way."""
    ways: list[tuple[dict[str, str], dict[str, Any], str]] = [(headers, {}, CHAT) for headers in HEADERS]
    ways += [({}, fields, CHAT) for fields in FIELDS] + [({}, {}, path) for path in PATHS] + [({}, {}, MESSAGES)]
    tally = Tally()
    for headers, fields, path in ways:
        text, plain = one.fresh(), {name: value for name, value in fields.items() if name == "namespace"}
        first = one.ask(RED, "shared", text, _OF_RED | {"idempotency-key": text}, path, **plain)
        again, calls = one.made(lambda: one.ask(RED, "shared", text, None, path, **plain))  # noqa: B023 - called at once
        if first.status == 200 and (calls or again.headers.get("x-tidegate-cache") != "hit"):
            tally.failed.append(f"red's own, {path}: {again.status} {again.headers.get('x-tidegate-cache')}")
        shown = headers if "idempotency-key" not in headers else {"idempotency-key": text}
        tally.tried += 1
        reply, calls = one.made(lambda: one.ask(BLUE, "shared", text, shown, path, **fields))  # noqa: B023 - as above
        if given(reply, calls):
            tally.leaks.append(f"{headers or fields or path}: {reply.headers.get('x-tidegate-cache')}")
    return tally


def _at_once(one: Prober) -> Tally:
    """Nobody hears along what is made for another tenant."""
    tally = Tally()
    with ThreadPoolExecutor(2) as threads:
        for strategy, first, then in APART:
            text, before = one.fresh(), one.upstream
            asked = [threads.submit(one.ask, who, strategy, text) for who in (first, then)]
            replies = [each.result() for each in asked]
            tally.tried += 1
            if one.upstream - before < 2 or len({_id(reply) for reply in replies}) < 2:
                tally.leaks.append(f"{strategy}: {first} beside {then}")
    return tally


def _forbidden(one: Prober) -> Tally:
    """What its own namespace knows is not known to a key that might not have asked for it."""
    tally, text = Tally(), one.fresh()
    one.ask(RED, "shared", text)
    ways: list[dict[str, str]] = [{}, {"x-tidegate-cache": "only"}, {"cache-control": "only-if-cached"}]
    for headers in ways:
        tally.tried += 1
        reply = one.ask(_FEW, "shared", text, headers)
        if reply.status == 200 or b"NOT_CACHED" in reply.body.upper():
            tally.leaks.append(f"{headers}: {reply.status}")
    return tally


def _id(reply: Reply) -> str:
    return str(json.loads(reply.body)["id"])


def _inputs(one: Prober) -> Tally:
    """Vectors are kept for each input, and for each tenant."""
    tally = Tally()
    for first, then in ((RED, BLUE), (BLUE, LONE), ("east-key", RED)):
        texts = [one.fresh(), one.fresh()]
        one.embed(first, texts)
        _, calls = one.made(lambda: one.embed(first, texts[1:]))  # noqa: B023 - called at once
        if calls:
            tally.failed.append(f"{first}'s own input: no hit")
        tally.tried += 1
        reply, calls = one.made(lambda: one.embed(then, texts[1:]))  # noqa: B023 - called at once
        if given(reply, calls):
            tally.leaks.append(f"embeddings: {first}, then {then}")
    return tally


def _meant(one: Prober, context: Context) -> Tally:
    """A question that means the same, of somebody else, is no neighbour."""
    tally = Tally()
    pairs = APART[:4] if context.quick else APART
    for (strategy, first, then), thing in zip(pairs, _THINGS, strict=False):
        asked, same = f"How do I reset my {thing}?", f"How can I reset my {thing}?"
        own = _id(one.ask(first, strategy, asked))
        if not _learnt(one, first, strategy, same):
            tally.failed.append(f"{first}, {strategy}: no semantic hit of its own")
        for text in (same, asked):  # to the second the other's own answer to the first is one that means the same
            tally.tried += 1
            reply = one.ask(then, strategy, text)
            if _id(reply) == own:
                tally.leaks.append(f"{strategy}: {first}, then {then}: {reply.headers.get('x-tidegate-cache')}")
    return tally


def _learnt(one: Prober, who: str, strategy: str, text: str) -> bool:
    """Until the question is known by another that means the same: which asks for no call."""
    limit = time.monotonic() + _PATIENCE_S
    while time.monotonic() < limit:
        reply = one.ask(who, strategy, text, {"x-tidegate-cache": "only"})
        if reply.headers.get("x-tidegate-cache") == "semantic":
            return True
        time.sleep(0.05)
    return False


def _stale(one: Prober) -> Tally:
    """An answer whose time is over stands in for a provider that fails, for who asked for it."""
    tally, text = Tally(), one.fresh()
    one.ask(RED, "shared", text, {"x-tidegate-cache": f"ttl={_FRESH_S}"})
    time.sleep(_FRESH_S + 0.2)
    one.fail()
    own, other = one.ask(RED, "shared", text), one.ask(BLUE, "shared", text)
    if own.headers.get("x-tidegate-cache") != "stale":
        tally.failed.append(f"red's own stale answer: {own.status} {own.headers.get('x-tidegate-cache')}")
    tally.tried += 1
    if other.status == 200:
        tally.leaks.append(f"blue, while the provider fails: {other.headers.get('x-tidegate-cache')}")
    return tally
