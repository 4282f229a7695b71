"""The scripts decide, and keep, what the twins do: over random traces, on Redis 7.0 and on Valkey."""

import hashlib
from random import Random
from typing import Any

import msgspec
import pytest
import redis

from harness.servers.redis import Server
from tests.cluster.oracle.central import exchange
from tests.cluster.oracle.fund import Fund
from tests.cluster.oracle.members import Roll, beat
from tests.cluster.plain import stored_fund, stored_roll, twin_fund, twin_roll
from tidegate.cluster import scripts
from tidegate.model.cluster import (
    BUCKET,
    FREE,
    LOG,
    LOST,
    OK,
    SLOTS,
    SUM,
    Beat,
    Demand,
    Dim,
    ExchangeReply,
    ExchangeRequest,
    RecoveryState,
    Stand,
)

STEPS = 120


class Known:
    """What one member of a trace was told."""

    def __init__(self) -> None:
        self.incarnation = self.seq = self.epoch = 0
        self.lost = False

    def restart(self) -> None:
        self.incarnation += 1
        self.seq = self.epoch = 0
        self.lost = False


class Trace:
    """Asks of three members, some of them nonsense, with everything that can happen between."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = Random(seed)
        self.kinds = [chance.choice([BUCKET, LOG, SLOTS, SUM]) for _ in range(chance.randint(1, 4))]
        self.windows = [chance.choice([1_000, 50_000, 1_000_000, 60_000_000]) for _ in self.kinds]
        self.limits = [self._limit() for _ in self.kinds]
        self.members = {name: Known() for name in ("a/0", "a/1", "b/0")}
        self.state = 1

    def _limit(self) -> int:
        return self.chance.choice([0, 1, 7, 100, 60_000, 5_000_000, 900_000_000])

    def _pairs(self, most_age: int, least: int, most: int, counts: list[int]) -> list[tuple[int, int]]:
        chance = self.chance
        return [(chance.randrange(most_age), chance.randrange(least, most)) for _ in range(chance.choice(counts))]

    def _dim(self, kind: int, limit: int, window_us: int, now: int) -> Dim:
        chance, age = self.chance, self.chance.choice([3_000, 3_000_000])
        corrections = self._pairs(age, -50, 50, [0, 0, 1, 3])
        shown, noise = chance.choice([-1, -1, 0, 50, 10_000]), chance.choice([0, 5, 50])
        spent, returned, target = (
            chance.choice([0, 0, 1, 5, 1000]),
            chance.choice([0, 0, 1, 5, 100]),
            chance.choice([0, 5]),
        )
        drained, period = chance.random() < 0.03, chance.choice([5, 10, now + chance.randrange(FREE)])
        return Dim(
            kind, limit, window_us, window_us // 20, spent, returned, corrections, target, shown, chance.randrange(age),
            noise, drained, period,
        )  # fmt: skip

    def _demand(self) -> Demand:
        chance = self.chance
        units = [chance.choice([0, 1, 3, 200, 9_000]) for _ in self.kinds]
        weight, calls = chance.choice([1000, 500, 3000, 0]), chance.choice([1, 1, 2, 30])
        return Demand(chance.randint(-1, 2), chance.randint(1, 5), weight, units, calls, chance.choice([0, 0, 4, 300]))

    def _memory(self, kind: int, period: int) -> RecoveryState:
        level = self.chance.randrange(-5_000, 5_000)
        slots, own = self._pairs(100_000, 0, 50, [0, 3, 80]), self._pairs(100_000, 0, 50, [0, 3])
        return RecoveryState(
            abs(level) % 9 if kind == SLOTS else level, slots, own, self.chance.choice([period] * 9 + [0]),
            [(self.chance.choice([5, 40]), self.chance.choice([3, -2])) for _ in range(self.chance.randrange(3))],
            self.chance.choice([0, 900] * 8 + [-1]), self.chance.choice([7, 20] * 8 + [-1]),
        )  # fmt: skip

    def ask(self, now: int) -> ExchangeRequest:
        chance = self.chance
        name = chance.choice(list(self.members))
        known = self.members[name]
        if not known.incarnation or chance.random() < 0.03:
            known.restart()
        if chance.random() < 0.02:
            self.limits[chance.randrange(len(self.limits))] = self._limit()
        if chance.random() < 0.01:
            self.state += 1
        seq = known.seq + (0 if known.seq and chance.random() < 0.05 else 1) + 2 * (chance.random() < 0.01)
        rows = zip(self.kinds, self.limits, self.windows, strict=True)
        dims = [self._dim(*row, now) for row in rows]
        restoring = known.lost or chance.random() < 0.02
        return ExchangeRequest(
            name, known.incarnation, seq, known.epoch, 0 if chance.random() < 0.95 else 5,
            chance.choice([300_000, 300_000, 2_000]), chance.choice([FREE, FREE, 500_000, 333_333, 0]), self.state,
            dims, [self._demand() for _ in range(chance.choice([0, 0, 1, 2, 5]))],
            chance.random() < 0.1, [self._memory(dim.kind, dim.period) for dim in dims] if restoring else None,
            chance.random() < 0.02,
        )  # fmt: skip

    def told(self, ask: ExchangeRequest, told: ExchangeReply) -> None:
        known = self.members[ask.member]
        if told.status == OK:
            known.seq = max(known.seq, ask.seq) if told.epoch else 0
            known.epoch, known.lost = told.epoch, False
            if ask.leaving:
                known.restart()
        known.lost = known.lost or told.status == LOST


def connection(server: Server) -> "redis.Redis[Any]":
    return redis.Redis(host=server.host, port=server.port)


def done_at(told: ExchangeReply, ask: ExchangeRequest, kept: list[Any] | None) -> int:
    """By the server's clock: a repeated answer says when it was given first."""
    heard = [row[3] for row in (kept[2] if kept is not None else ()) if row[0] == ask.member]
    return max([told.now, *heard]) if told.status == OK else told.now


@pytest.mark.parametrize("seed", range(8))
def test_a_fund_and_its_twin(server: Server, seed: int) -> None:
    """The same answers and the same state, step by step, whatever members say, repeat or lose."""
    trace, fund, key = Trace(seed), None, "{fund}"
    with connection(server) as client:
        sha = client.script_load(scripts.exchange().text)
        now = 10**15
        for _ in range(STEPS):
            if trace.chance.random() < 0.01:
                client.delete(key)
                fund = None
            ask = trace.ask(now)
            told = msgspec.msgpack.decode(client.evalsha(sha, 1, key, msgspec.msgpack.encode(ask)), type=ExchangeReply)
            data = client.get(key)
            kept = stored_fund(data) if data is not None else None
            now = done_at(told, ask, kept)
            fund, answer = exchange(fund, ask, now)
            assert told == answer
            assert kept == (twin_fund(fund) if isinstance(fund, Fund) else None)
            trace.told(ask, told)


def test_a_membership_and_its_twin(server: Server) -> None:
    """The same shares and the same state, whoever beats, leaves, starts anew or comes from a membership before."""
    chance, roll, key = Random(3), None, "{members}"
    with connection(server) as client:
        sha = client.script_load(scripts.members().text)
        for _ in range(2 * STEPS):
            if chance.random() < 0.02:
                client.delete(key)
                roll = None
            told = [chance.choice([0, 0, 250_000, FREE]), chance.choice([FREE, 750_000]), chance.randint(0, 4)]
            said = Beat(
                f"n/{chance.randrange(4)}", 1 + (chance.random() < 0.05), chance.choice([0] * 20 + [5]),
                chance.choice([600_000_000, 2_000]), chance.random() < 0.2, chance.random() < 0.02, *told,
            )  # fmt: skip
            data = msgspec.msgpack.encode(said)
            stand = msgspec.msgpack.decode(client.evalsha(sha, 1, key, data), type=Stand)
            roll, answer = beat(roll if stand.status == OK or roll else Roll(stand.now), said, stand.now)
            assert stand == answer
            if stand.status == OK:
                assert stored_roll(client.get(key)) == twin_roll(roll)
            elif client.get(key) is None:
                roll = None


def test_the_names_that_servers_give() -> None:
    """A script is known by the SHA-1 of its text."""
    for script in (scripts.exchange(), scripts.members()):
        assert script.sha == hashlib.sha1(script.text).hexdigest().encode()
        assert b"KEYS[1]" in script.text
        assert b"KEYS[2]" not in script.text
