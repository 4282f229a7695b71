"""Trends: what the gate's minutes say against the provider's own ledger; and when a quota will be exhausted.

The judge of the minutes is the twin, which notes each call when it came, by its own clock and its own count of tokens.
Clients pause around the turn of each minute, so that a call is in the same minute for both.
"""

import contextlib
import itertools
import json
import math
import os
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from bench import gate
from bench.figures import at_least, at_most, exactly, median, told
from bench.proofs.steps import Context, Row
from bench.twin import twin
from harness.plain import exchange
from harness.twin import Twin
from tidegate.store.outlook import FULL, LaneHistory, outlook
from tidegate.store.season import dispersion, pattern
from tidegate.store.utilisation import QuotaKey
from tidegate.units import HOUR_US, MINUTE_US

_CLIENTS: Final = 4
_PACE_S: Final = 0.35
_EDGE_S: Final = (1.0, 57.5)  # of a minute, in which calls are begun
_SETTLED_S: Final = 60.0
_WIDE: Final = {"rpm": 1_000_000, "tpm": 1_000_000_000}
_NARROW: Final = {"rpm": 40, "tpm": 1_000_000_000}
_TIMING: Final = {"ttft_ms": 20, "tpot_ms": 1, "tokens": 40}
_NAMES: Final = ("attempts", "throttled", "prompt_tokens", "completion_tokens")


@dataclass(slots=True)
class Clients:
    """What they were told, by the minute in which each answer came."""

    refused: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, port: int, until: float, seed: int) -> None:
        """One client; it takes the wide model mostly, at times the narrow one, whose quota is too small."""
        luck = Random(seed)
        while time.time() < until:
            if not _EDGE_S[0] <= time.time() % 60 <= _EDGE_S[1]:
                time.sleep(0.1)
                continue
            model = "narrow" if luck.random() < 0.2 else "wide"
            asked = [{"role": "user", "content": "three short words " * luck.randint(1, 40)}]
            body = {"model": model, "messages": asked, "max_tokens": luck.randint(5, 60)}
            reply = exchange(port, "/v1/chat/completions", json.dumps(body).encode())
            minute = int(time.time() // 60)
            with self.lock:
                self.ended[minute] += 1
                tried = reply.headers.get("x-tidegate-attempts")
                self.refused[minute] += reply.status >= 400 and not tried  # what was tried is another story
            time.sleep(_PACE_S * luck.random() * 2)


@dataclass(slots=True)
class Provider:
    """What the twin noted, by lane and minute; it remembers its last 2,000 calls, so that it is asked in between."""

    twin: Twin
    seen: dict[int, tuple[int, str, Counter[str]]] = field(default_factory=dict)

    def look(self) -> None:
        """Take over what it remembers."""
        for call in self.twin.ask("calls?limit=2000"):
            noted = Counter(attempts=1, throttled=int(call["status"] == 429))
            if call["status"] == 200:
                noted += Counter({name: call[name] for name in ("prompt_tokens", "completion_tokens")})
            self.seen[call["id"]] = call["arrived_us"] // MINUTE_US, call["model"], noted

    def minutes(self) -> dict[tuple[int, str], Counter[str]]:
        """Sums by minute and model."""
        found: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        for minute, model, noted in self.seen.values():
            found[minute, model] += noted
        return found


def minutes(context: Context, row: Row) -> None:
    """Traffic through a gate with 429s of the provider and refusals of its own: each minute as the twin has it."""
    seconds = 130 if context.quick else 900
    row.commands.append(f"tidegate serve before tidegate twin, {seconds} s; tidegate usage --by minute --json")
    home = context.work / "trends"
    home.mkdir()
    with _stage(home) as (provider, port, environment):
        clients, until = Clients(), time.time() + seconds
        threads = [threading.Thread(target=clients.run, args=(port, until, seed)) for seed in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(20.0)
            provider.look()
        for thread in threads:
            thread.join()
        provider.look()
        points = _settled(environment, sum(clients.ended.values()))
        _tell(row, points, provider.minutes(), clients)


@contextlib.contextmanager
def _stage(home: Path) -> Iterator[tuple[Provider, int, dict[str, str]]]:
    """A twin that throws 429s at times, a gate, and what its commands need to find it."""
    file = home / "twin.yaml"
    limits = {"rpm": 10_000_000, "tpm": 10_000_000_000}
    models = [{"name": "wide"}, {"name": "narrow"}]
    file.write_text(json.dumps({"limits": limits, "model_limits": {}, "timing": _TIMING, "models": models}))
    with twin(home, "-c", str(file)) as running_twin:
        fault = {"fault": "429", "probability": 0.05, "retry_after_ms": 20}
        running_twin.ask("faults", {"rules": [fault]})
        with gate.plain(home, _settings(running_twin)) as node:
            environment = dict(os.environ, TIDEGATE_ADMIN_URL=f"http://127.0.0.1:{node.admin}")
            words = [gate.program(), "admin", "token", "--state-dir", str(home / "state")]
            made = subprocess.run(words, capture_output=True, text=True, check=True)
            environment["TIDEGATE_ADMIN_TOKEN"] = made.stdout.strip()
            yield Provider(running_twin), node.port, environment


def _settings(running_twin: Twin) -> dict[str, Any]:
    scope = {"name": "main", "keys": ["sk-one"], "limits": {"wide": _WIDE, "narrow": _NARROW}}
    provider = {"dialect": "openai", "base_url": running_twin.url, "scopes": [scope]}
    retry = {"max_retries": 3, "base_seconds": 0.02, "budget": 1, "budget_floor": 100_000}
    return {"providers": {"one": provider}, "defaults": {"deadline_seconds": 1.5, "retry_policy": retry}}


def _settled(environment: Mapping[str, str], calls: int) -> list[dict[str, Any]]:
    """The series, when all calls are in it."""
    deadline = time.monotonic() + _SETTLED_S
    while True:
        command = [gate.program(), "usage", "--by", "minute", "--json"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if said.returncode:
            raise RuntimeError(said.stderr)
        points: list[dict[str, Any]] = json.loads(said.stdout)["points"]
        if sum(point["calls"] for point in points) >= calls or time.monotonic() > deadline:
            return points
        time.sleep(0.5)


def _tell(
    row: Row, points: list[dict[str, Any]], theirs: Mapping[tuple[int, str], Counter[str]], clients: Clients
) -> None:
    ours: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    refused, ended = Counter[int](), Counter[int]()
    for point in points:
        minute = _minute(point["at"])
        ended[minute] += point["calls"]
        refused[minute] += point["refused"]
        if point["provider"]:
            ours[minute, point["model"]] += Counter({name: point[name] for name in _NAMES})
    for name in _NAMES:
        wrong = sum(ours[at][name] != theirs[at][name] for at in ours.keys() | theirs.keys())
        whole = sum(noted[name] for noted in theirs.values())
        row.figures.append(exactly(f"minutes with other {name} than the twin noted", wrong, 0, f"{whole:,} in all"))
    wrong = sum(ended[at] != clients.ended[at] for at in ended | clients.ended)
    row.figures.append(exactly("minutes with other calls than clients ended", wrong, 0, f"{ended.total():,} in all"))
    wrong = sum(refused[at] != clients.refused[at] for at in refused | clients.refused)
    row.figures.append(
        exactly("minutes with other refusals than clients were told", wrong, 0, f"{refused.total():,} in all")
    )
    known = [point for point in points if point["model"] == "narrow" and point["provider"]]
    named = sum(point.get("rpm") == _NARROW["rpm"] for point in known)
    row.figures.append(exactly("minutes that name the limit in force", named, len(known)))
    fullest = max((point.get("used_of_requests", 0.0) for point in known), default=0.0)
    note = "a full bucket lets up to twice its quota through in its first minute"
    row.figures.append(told("fullest minute of the narrow quota", f"{100 * fullest:.0f} %", note))


def _minute(text: str) -> int:
    return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone) // 60


# ── the outlook ──────────────────────────────────────────────────────────────────────────────────────────────────────

_LANE: Final = QuotaKey("p", "s", "m")
_NOISE: Final = 0.15  # of an hour, and three times that of a minute
_WEEKS: Final = 4


@dataclass(frozen=True, slots=True)
class World:
    """Traffic whose law is known: a day, a week and a growth, and chance on top."""

    seed: int
    growth: float  # a week
    amplitude: float
    weekend: float
    peak_hour: int

    def mean(self, hour: float) -> float:
        """Tokens a minute that are expected, hours from now."""
        of_day = 1 + self.amplitude * math.cos(2 * math.pi * (hour - self.peak_hour) / 24)
        of_week = 1.0 if math.floor(hour / 24) % 7 < 5 else self.weekend
        return float(10_000 * of_day * of_week * self.growth ** (hour / 168))

    def history(self) -> tuple[LaneHistory, Random]:
        """Four weeks of hours and a day of minutes, with chance."""
        luck = Random(self.seed)
        hours = [self._by_chance(luck, hour) * 60 for hour in range(-_WEEKS * 168, 0)]
        minutes = [hours[at // 60 - 24] / 60 * _around_one(luck, 3 * _NOISE) for at in range(1_440)]
        for hour in range(24):
            hours[hour - 24] = sum(minutes[hour * 60 : hour * 60 + 60])
        return LaneHistory(hours, minutes), luck

    def _by_chance(self, luck: Random, hour: int) -> float:
        return self.mean(hour + 0.5) * _around_one(luck, _NOISE)

    def reaches(self, limit: float) -> float | None:
        """In how many hours the law reaches it, to the minute."""
        for minute in range(7 * 1_440):
            if self.mean(minute / 60) >= limit:
                return minute / 60
        return None

    def next_day(self, luck: Random) -> list[tuple[int, float]]:
        """The hour and what came, minute by minute."""
        by_hour = [self._by_chance(luck, hour) for hour in range(24)]
        return [(at // 60, by_hour[at // 60] * _around_one(luck, 3 * _NOISE)) for at in range(1_440)]


def _around_one(luck: Random, spread: float) -> float:
    return luck.lognormvariate(-spread * spread / 2, spread)


def _worlds(count: int) -> Iterator[World]:
    luck = Random(8)
    for seed in range(count):
        yield World(seed, luck.uniform(1.0, 1.1), luck.uniform(0.3, 0.8), luck.uniform(0.3, 1.0), luck.randrange(24))


def ahead(context: Context, row: Row) -> None:
    """Made-up worlds with chance in them: the moment that the law reaches the quota, against the one that is told."""
    count = 100 if context.quick else 1_000
    row.commands.append(f"store/outlook.py over {count} histories of 4 weeks, noise {_NOISE:.0%} an hour")
    off_hours, right, judged, beyond, minutes = [], 0, 0, 0, 0
    wall = 500_000 * HOUR_US
    for world, part in zip(_worlds(count), itertools.cycle((0.7, 0.8, 0.9)), strict=False):
        history, luck = world.history()
        top = max(world.mean(minute / 60) for minute in range(7 * 1_440))
        limit = top * part
        found = outlook(_LANE, "tokens", round(limit / FULL), "", history, wall)
        true = world.reaches(limit)
        judged += true is not None
        if true is not None and found.expected_s is not None:
            right += 1
            off_hours.append(abs(found.expected_s / 3_600 - true))
        factor = _factor(history)
        for hour, value in world.next_day(luck):
            minutes += 1
            beyond += value > world.mean(hour + 0.5) * factor
    off_hours.sort()
    row.figures += [
        at_least("of the moments that come, told", 100 * right / judged, 98, "%", f"{judged} worlds"),
        at_most("told against true, median", median(off_hours), 0.5, "h"),
        at_most("told against true, 9 of 10 within", off_hours[int(0.9 * len(off_hours))], 2.0, "h"),
        at_least("minutes above the 90 % quantile", 100 * beyond / minutes, 5, "%"),
        at_most("minutes above the 90 % quantile", 100 * beyond / minutes, 15, "%"),
    ]


def _factor(history: LaneHistory) -> float:
    """The 90 % quantile beside the mean, as the outlook has it."""
    known = pattern(history.hours)
    assert known is not None
    return dispersion(known, ((-1 - at // 60, value) for at, value in enumerate(reversed(history.minutes))))
