"""What the shared state must be, looked at before a worker serves by it: each fault with its remedy."""

import contextlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from tidegate.cluster.client import StoreClient
from tidegate.cluster.connection import Reply
from tidegate.cluster.failure import BAD, DENIED, READONLY, Failure
from tidegate.cluster.slots import slot_of
from tidegate.cluster.url import CLUSTER, FIELD, SENTINEL

LEAST: Final = (7, 0)
PATIENCE_US: Final = 3_000_000  # of each question
KEEPS: Final = "noeviction"
_RIGHTS: Final = "allow it EVAL, EVALSHA, TIME, GET, SET, DEL, PEXPIRE, HGET, HSET, HDEL, INFO and its keys (~PREFIX:*)"
_PROBE: Final = b"""
if not cmsgpack then return 'cmsgpack' end
local time = redis.call('TIME')
redis.call('SET', KEYS[1], cmsgpack.pack({tonumber(time[1])}), 'PX', 1000)
redis.call('SET', KEYS[2], '', 'PX', 1000)
return redis.call('GET', KEYS[1]) and 'fine' or 'lost'
"""


class UnusableStore(ValueError):
    """The shared state cannot be used as it is; the message names the field, what is wrong and what helps."""

    def __init__(self, problem: str, remedy: str, field: str = FIELD) -> None:
        super().__init__(f"{field}: {problem}; {remedy}")


class Unreached(UnusableStore):
    """It could not even be asked: it may be away for a while."""


class Found(NamedTuple):
    """What it is."""

    server: str  # redis | valkey
    version: str


async def check(client: StoreClient, prefix: str) -> Found:
    """Look at every server of `client`. Raises `UnusableStore`; `Unreached` when none answers."""
    place = client.place
    shown = place.shown
    try:
        reply = await client.do("PING", within_us=PATIENCE_US)
        answers = await client.everywhere("INFO", within_us=PATIENCE_US)
    except Failure as failure:
        raise _unasked(failure, shown, prefix) from None
    if reply != b"PONG":
        raise UnusableStore(f"{shown} does not answer as Redis does", "name a Redis or Valkey server, 7.0 or newer")
    found = Found("", "")
    for answer in answers:
        found = _judge(_lines(answer), place.kind, shown)
    if place.kind == CLUSTER:
        await _check_slots(client, shown, prefix)
    await _check_rights(client, prefix, shown)
    return found


def _unasked(failure: Failure, shown: str, prefix: str) -> UnusableStore:
    what = str(failure).partition(": ")[2] or str(failure)
    if failure.kind == DENIED:
        if "may not" in what:
            return UnusableStore(f"{shown}: {what}", _RIGHTS.replace("PREFIX", prefix))
        return UnusableStore(f"{shown}: {what}", "name its user and password in the URL: redis://USER:PASSWORD@HOST")
    if failure.kind == BAD:
        remedy = (
            "write redis://HOST:PORT" if "no Redis Cluster" in what else "name a Redis or Valkey server, 7.0 or newer"
        )
        return UnusableStore(f"{shown}: {what}", remedy)
    remedy = "start it, and see to it that this machine may reach it"
    if "no sentinel knows" in str(failure):
        remedy = "the last part of the URL is the name in `sentinel monitor NAME`"
    return Unreached(f"{shown}: {what}", remedy)


def _lines(answer: Reply) -> Mapping[str, str]:
    """INFO's lines."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else ""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))


def _judge(info: Mapping[str, str], kind: str, shown: str) -> Found:
    server = "valkey" if "valkey_version" in info else "redis"
    version = info.get("valkey_version") or info.get("redis_version", "")
    if _number(version) < LEAST:
        known = f"{server} {version}" if version else "a server that does not tell its version"
        raise UnusableStore(f"{shown} is {known}", "Redis or Valkey 7.0 or newer is needed")
    clustered = info.get("cluster_enabled") == "1"
    if clustered and kind != CLUSTER:
        raise UnusableStore(f"{shown} is a node of a Redis Cluster", "write redis+cluster://HOST:PORT,…")
    if not clustered and kind == CLUSTER:
        raise UnusableStore(f"{shown} is no Redis Cluster (cluster-enabled no)", "write redis://HOST:PORT")
    if info.get("role") in {"slave", "replica"} and kind != CLUSTER:
        remedy = "name its primary, or its sentinels: redis+sentinel://HOST:PORT,…/NAME"
        raise UnusableStore(f"{shown} is a replica", remedy if kind != SENTINEL else "see why the sentinels name it")
    policy = info.get("maxmemory_policy", KEEPS)
    if info.get("maxmemory", "0") != "0" and policy != KEEPS:
        raise UnusableStore(
            f"{shown} drops keys when its memory is full (maxmemory-policy {policy})",
            "set maxmemory-policy noeviction, or give the limits a server of their own",
        )
    return Found(server, version)


def _number(version: str) -> tuple[int, ...]:
    with contextlib.suppress(ValueError):
        return tuple(int(part) for part in version.split(".")[:2])
    return (0,)


async def _check_slots(client: StoreClient, shown: str, prefix: str) -> None:
    key = "{tide}:gate"
    try:
        slot = await client.do("CLUSTER", "KEYSLOT", key, within_us=PATIENCE_US)
        state = await client.do("CLUSTER", "INFO", within_us=PATIENCE_US)
    except Failure as failure:
        raise _unasked(failure, shown, prefix) from None
    if slot != slot_of(key.encode()):
        raise _untagged(shown)
    if isinstance(state, bytes) and b"cluster_state:ok" not in state:
        raise Unreached(f"{shown}: its cluster is down", "see `CLUSTER INFO`: every slot needs a primary")


def _untagged(shown: str) -> UnusableStore:
    return UnusableStore(
        f"{shown} does not keep keys with the same {{tag}} together",
        "use a server or proxy that knows the hash tags of Redis Cluster, or name the servers themselves",
    )


async def _check_rights(client: StoreClient, prefix: str, shown: str) -> None:
    keys = [f"{prefix}:{{members}}:probe:{one}" for one in "ab"]
    try:
        said = await client.do("EVAL", _PROBE, 2, *keys, within_us=PATIENCE_US)
    except Failure as failure:
        if "CROSSSLOT" in str(failure):
            raise _untagged(shown) from None
        if failure.kind == READONLY:
            raise UnusableStore(f"{shown} takes no writes", "name its primary, or its sentinels") from None
        raise _unasked(failure, shown, prefix) from None
    if said != b"fine":
        lacks = "no cmsgpack" if said == b"cmsgpack" else "no scripts that keep what they write"
        raise UnusableStore(
            f"{shown} has {lacks} in its scripts", "use Redis or Valkey as they are published, 7.0 or newer"
        )
