"""A dry run of policy B over what policy A's ledger holds, against the same arrivals through real gates with B.

Who queues under overload is chance: two real runs of the same arrivals differ, and so do two plays. So the mean of many
plays is held against the mean of several runs, and the standard error of that difference is told beside it. Gates run
side by side, each before a provider of its own: they are far from busy.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import hypot, sqrt
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from bench import gate
from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.fleet import MODEL, Fleet, Policy, Quota, fleet
from bench.proofs.steps import Context, Row, run
from bench.proofs.traffic import Show, outcome, play, punctual
from tidegate.dryrun.tally import QUEUED_US
from tidegate.load.crowd import Member
from tidegate.model.arrivals import Arrival, ArrivalsFile

_TPM: Final = 1_200_000
_TOKENS: Final = 1_500
_OFFERED: Final = 3.0
_TENANTS: Final = 10
_VIPS: Final = 2
_BOUND: Final = "team-9"
_MINI: Final = "gpt-4o-mini"
_LEDGER_S: Final = 20.0
_ALLOWED: Final = 2.0  # per cent that dry run and truth may differ by
_ERROR: Final = 1.0  # per cent that chance may make of it, where that is to be shown
_MANY: Final = 200_000
_MEMORY_MB: Final = 200
_TIDEGATE: Final = str(Path(sys.executable).with_name("tidegate"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a ledger holds of a run, and what the clients saw."""

    calls: int
    refused: int
    queued: int
    told: int  # refusals that clients saw
    file: Path


def crowd() -> list[Member]:
    """Ten tenants of the same rate, together three times the quota; two of them are vips."""
    rate = _OFFERED * _TPM / 60 / _TOKENS / _TENANTS
    return [
        Member(f"team-{n}", f"tg-team-{n:04d}", rate, _TOKENS, spread=0.1, tier="vip" if n < _VIPS else "")
        for n in range(_TENANTS)
    ]


QUOTA: Final = Quota(accounts=1, tpm=_TPM, ttft_ms=200.0)
A: Final = Policy(extra={"defaults": {"deadline_seconds": 8}})
B: Final = Policy(
    told_tpm=_TPM * 8 // 10,
    extra={
        "namespaces": {one.name: {"keys": [one.key], "tier": one.tier or "paid"} for one in crowd()}
        | {_BOUND: {"keys": ["tg-team-0009"], "limits": {"rpm": 60}}},
        "defaults": {"deadline_seconds": 4},
        "tiers": {"slow": {"rank": 5}},
        "strategies": {"unused": {"primary_model": _MINI}},
    },
)


@dataclass(frozen=True, slots=True)
class Draws:
    """A count in several runs or plays: its mean, and how far one lies from another (standard deviation)."""

    mean: float
    by: float
    of: int

    @property
    def error(self) -> float:
        """Of the mean."""
        return self.by / sqrt(self.of)

    def __str__(self) -> str:
        return f"{self.mean:,.0f} ± {self.by:,.0f} ({self.of})"


def drawn(values: Sequence[int]) -> Draws:
    """Of what was seen."""
    return Draws(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))


def played(found: dict[str, Any], name: str) -> Draws:
    """Of a figure of a dry run's report."""
    whole = found["groups"][0]
    return Draws(whole["after"][name], whole["after_spread"].get(name, 0.0), found["plays"])


def _over(several: Sequence[dict[str, Any]], name: str) -> Draws:
    """Over the ledgers of several runs: of arrivals that are theirs, however busy the machine was when A was played."""
    return drawn([one["groups"][0]["after"][name] for one in several])


def foretold(context: Context, row: Row) -> None:
    """Less quota, a shorter deadline, a tenant's limit: who is refused and who queues, by the dry run and in truth."""
    seconds, rounds, beside, plays = (75, 1, 3, 12) if context.quick else (300, 2, 4, 24)
    row.commands.append(
        f"policy A: {_OFFERED} × the quota, deadline 8 s; policy B: 80 % of it, deadline 4 s, {_BOUND} 60 a minute; "
        f"{rounds * beside} real runs of B, {beside} side by side"
    )
    [first], late = _really(context.work, ["a"], A, seconds)
    reals, delays = list[Seen](), [late]
    for number in range(rounds):
        found, late = _really(context.work, [f"b{number}{one}" for one in range(beside)], B, seconds)
        reals += found
        delays.append(late)
    policy = reals[0].file.with_suffix(".yaml")
    dry = _dry(context.work, row, first.file, policy, plays)
    own = [_dry(context.work, row, one.file, policy, plays // len(reals)) for one in reals]
    refused, queued = drawn([one.told for one in reals]), drawn([one.queued for one in reals])
    row.figures += [
        exactly("the ledger has every call", first.calls, dry["groups"][0]["before"]["calls"]),
        exactly("refused calls are in the ledger", first.refused, first.told),
        *compared("refused calls", played(dry, "refused"), refused, quick=context.quick),
        _bound(dry),
        *compared("queued calls", played(dry, "queued"), queued, quick=context.quick),
        *compared("B's own calls, refused", _over(own, "refused"), refused, quick=context.quick),
        *compared("B's own calls, queued", _over(own, "queued"), queued, quick=context.quick),
        _named(dry),
        *delays,
    ]


def compared(what: str, dry: Draws, real: Draws, *, quick: bool) -> list[Figure]:
    """By how much the means differ, and what of that chance makes.

    A quick run is too short for its error to be small: so it is judged with twice that error allowed, and says so.
    """
    error = 100 * hypot(dry.error, real.error) / max(1.0, real.mean)
    apart = 100 * abs(dry.mean - real.mean) / max(1.0, real.mean)
    note = f"plays {dry}, real runs {real}; standard error {error:.2f} %"
    if quick:
        allowed = round(_ALLOWED + 2 * error, 2)
        return [at_most(f"{what}: dry run and truth differ by", apart, allowed, "%", f"{note}, twice that is allowed")]
    return [
        at_most(f"{what}: dry run and truth differ by", apart, _ALLOWED, "%", note),
        at_most(f"{what}: what chance may make of that (standard error)", error, _ERROR, "%"),
    ]


def _named(found: dict[str, Any]) -> Figure:
    dead = {f"{one['kind']} {one['name']}" for one in found["unmatched"]}
    wanted = {"tier slow", "strategy unused"}
    return exactly("rules that match nothing and are named", len(wanted & dead), len(wanted), ", ".join(sorted(dead)))


def _bound(found: dict[str, Any]) -> Figure:
    rule = f"limit of requests a minute of namespace '{_BOUND}'"
    return exactly("whose limit refuses is named", sum(one["rule"] == rule for one in found["findings"]), 1, rule)


def _really(work: Path, names: Sequence[str], policy: Policy, seconds: float) -> tuple[list[Seen], Figure]:
    """Play the crowd through as many gates with this policy, side by side, and export their ledgers."""
    members = crowd()
    with contextlib.ExitStack() as stack:
        several = [stack.enter_context(fleet(work, QUOTA, policy, members, f"dryrun-{name}")) for name in names]
        for one in several:
            if one.gate.refused:
                raise ValueError(one.gate.refused)
            one.empty_books()
        visits = play([Show(one.gate.url, members, seconds, seed=7) for one in several])
        found = []
        for name, one, made in zip(names, several, visits, strict=True):
            clients, file = outcome(made), work / f"{name}.ndjson"
            arrivals = _exported(one, file, clients.calls)
            file.with_suffix(".yaml").write_text((one.gate.home / "tidegate.yaml").read_text())
            refused = sum(1 for arrival in arrivals if not arrival.provider and arrival.status >= 400)
            queued = sum(1 for arrival in arrivals if arrival.queued_us >= QUEUED_US)
            found.append(Seen(len(arrivals), refused, queued, clients.refused, file))
    return found, punctual(f"policy {names[0][0].upper()}", chain.from_iterable(visits))


def _exported(one: Fleet, file: Path, calls: int) -> list[Arrival]:
    """All calls, as soon as they are in the ledger."""
    token = one.gate.home / "token"
    admin = [gate.program(), "admin", "token", "--state-dir", str(one.gate.home / "state"), "--out", str(token)]
    subprocess.run(admin, check=True, capture_output=True)
    url = f"http://127.0.0.1:{one.gate.admin}"
    until = time.monotonic() + _LEDGER_S
    while True:
        file.unlink(missing_ok=True)
        command = [_TIDEGATE, "policy", "export", str(file), "--admin-url", url, "--token-file", str(token)]
        done = subprocess.run([*command, "--since", "1h"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stderr[-300:])
        found = [msgspec.json.decode(line, type=Arrival) for line in file.read_bytes().splitlines()[1:]]
        if len(found) >= calls or time.monotonic() > until:
            return found
        time.sleep(0.5)


def _dry(work: Path, row: Row, arrivals: Path, policy: Path, plays: int) -> dict[str, Any]:
    command = [_TIDEGATE, "policy", "test", str(policy), "--arrivals", str(arrivals), "--plays", str(plays), "--json"]
    done = run(row, command)
    if done.returncode:
        raise ValueError(done.stderr[-300:])
    (work / f"dryrun-{arrivals.stem}.json").write_text(done.stdout)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def speed(context: Context, row: Row) -> None:
    """A day's arrivals through a policy under overload: calls a second of CPU, and memory."""
    count = _MANY // 4 if context.quick else _MANY
    file, policy = context.work / "many.ndjson", context.work / "many.yaml"
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as out:
        out.write(encode(ArrivalsFile(0)) + b"\n")
        out.writelines(encode(arrival) + b"\n" for arrival in _many(count))
    policy.write_text(json.dumps(_policy()))
    script = (
        "import resource, sys; from tidegate.cli.main import main; status = main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr); sys.exit(status)"
    )
    words = ["policy", "test", str(policy), "--arrivals", str(file), "--json"]
    done = run(row, [sys.executable, "-c", script, *words])
    if done.returncode:
        raise ValueError(done.stderr[-300:])
    *_, played, memory = done.stderr.strip().splitlines()
    found = json.loads(done.stdout)["groups"][0]["after"]
    rate = float(played.rpartition(" CPU, ")[2].partition(" ")[0].replace(",", ""))
    note = f"{count:,} calls, {found['refused']:,} refused, {found['queued']:,} queued"
    row.figures += [
        at_least("calls played a second of CPU", rate, 2_000, note=note),
        at_most("memory", float(memory), _MEMORY_MB, "MB"),
        told("what is kept on disk meanwhile", f"{file.stat().st_size / count:.0f} bytes a call as JSON"),
    ]


def _policy() -> dict[str, Any]:
    limits = {MODEL: {"rpm": 100_000, "tpm": _TPM}}
    scopes = [{"name": "main", "keys": ["sk-many"], "limits": limits}]
    provider = {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "scopes": scopes}
    spaces: dict[str, dict[str, Sequence[str]]] = {one.name: {"keys": [one.key]} for one in crowd()}
    return {"providers": {"openai": provider}, "namespaces": spaces, "defaults": {"deadline_seconds": 8}}


def _many(count: int) -> Iterator[Arrival]:
    """Half as much again as the quota, half of it streamed."""
    random, at_us = Random(1), 1_790_000_000_000_000
    for _ in range(count):
        at_us += int(random.expovariate(_OFFERED * _TPM / 60 / _TOKENS) * 1e6)
        name = f"team-{random.randrange(_TENANTS)}"
        prompt, completion = random.randint(200, 2 * _TOKENS - 400), random.randint(10, 200)
        yield Arrival(
            at_us, name, key=f"{name}-1", tier="paid", plan=MODEL, model=MODEL, provider="openai", scope="main",
            served=MODEL, status=200, streamed=random.random() < 0.5, attempts=1, first_byte_us=300_000,
            duration_us=300_000 + completion * 10_000, prompt_tokens=prompt, completion_tokens=completion,
            charged_tokens=prompt,
        )  # fmt: skip
