"""Bursts and lasting overload: who is answered, who is told so and how soon, and what the provider saw of it."""

from collections.abc import Sequence

import uvloop

from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.fleet import MODEL, Fleet, Policy, Quota, fleet, provider
from bench.proofs.quota import bare, peers
from bench.proofs.quota.used import tenants
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, outcome, play, punctual
from tidegate.judge.served import admissions, matched
from tidegate.load.client import allow_many_connections
from tidegate.load.crowd import Member, arrivals
from tidegate.load.report import percentiles
from tidegate.load.visits import End, Visit

_ON_S, _OFF_S = 10.0, 20.0
_MEAN = 0.9
_DEADLINE_S = 30.0
_VIP_SHARE = 0.1


def _bursty(quota: Quota) -> list[Member]:
    offered = _MEAN * (_ON_S + _OFF_S) / _ON_S
    return tenants(quota, offered, on_s=_ON_S, off_s=_OFF_S, deadline_ms=int(_DEADLINE_S * 1_000))


def bursts(context: Context, row: Row) -> None:
    """On and off, with one second of burst at the provider: a queue of the mean's depth serves them all."""
    row.commands.append("tidegate twin --window quantised, 10 s on, 20 s off, mean 0.9 × the quota")
    quota, seconds = Quota(window="quantised"), 90 if context.quick else 600
    crowd = _bursty(quota)
    with fleet(context.work, quota, Policy(jitter_ms=5), crowd, "bursts") as one:
        one.empty_books()
        visits = play([Show(one.gate.url, crowd, seconds)])[0]
        seen, ledger = outcome(visits), one.ledger()
    note = f"{seen.calls:,} calls, {seen.refused:,} refused, {seen.failed:,} failed {seen.example}; {one.gate.refused}"
    row.figures += [
        at_least("bursts: answered", 100 * seen.share, 99, "%", note),
        exactly("bursts: 429s at the provider", ledger["throttled"], 0, f"{ledger['avoidable']:,} avoidable"),
        told("bursts: latency p50, p99", f"{seen.latency_p50 / 1e3:.1f} s, {seen.latency_p99 / 1e3:.1f} s"),
        punctual("bursts", visits),
    ]


def bursts_bare(context: Context, row: Row) -> None:
    """The same shape of arrivals on one account by the SDK alone."""
    quota = Quota(accounts=1, window="quantised")
    _alone(context, row, quota, _bursty(quota), "bursts")


def steady(context: Context, row: Row) -> None:
    """Three times the quota for as long as it takes, a tenth of it by vips."""
    row.commands.append("3× offered, 10 % vip, 90 % free, deadline 30 s")
    quota, seconds = Quota(), 120 if context.quick else 600
    crowd = mixed(quota)
    with fleet(context.work, quota, Policy(), crowd, "steady") as one:
        one.empty_books()
        visits = play([Show(one.gate.url, crowd, seconds)])[0]
        row.figures += _steady_figures(one, visits)


def mixed(quota: Quota) -> list[Member]:
    """Eighteen free tenants and two vips, all of the same rate: three times the quota."""
    kinds = ["vip", "vip", *["free"] * 18]
    equal = tenants(quota, 3, count=len(kinds), deadline_ms=int(_DEADLINE_S * 1_000))
    return [
        Member(f"{kind}-{index}", one.key, one.rate, one.tokens, deadline_ms=one.deadline_ms, tier=kind)
        for index, (kind, one) in enumerate(zip(kinds, equal, strict=True))
    ]


def _steady_figures(one: Fleet, visits: Sequence[Visit]) -> list[Figure]:
    ledger = one.ledger()
    matches, twice = matched(visits, admissions(one.events()))
    vips = [match for match in matches if match.visit.tenant.startswith("vip")]
    seen, seen_vip = outcome(visits), outcome(match.visit for match in vips)
    waits = percentiles(match.wait_us for match in vips if match.at_us is not None)
    wasted = sum(match.visit.tokens for match in matches if match.at_us is not None and not match.visit.answered)
    unanswered = [visit for visit in visits if not visit.answered]
    soon = sum(1 for visit in unanswered if _told_soon(visit))
    note = f"{seen.calls:,} calls, {seen.answered:,} answered, {seen.refused:,} refused, {seen.failed:,} failed "
    note += f"{seen.example}; {one.gate.refused}"
    return [
        exactly("steady 3×: 429s at the provider", ledger["throttled"], 0, f"{ledger['avoidable']:,} avoidable"),
        exactly("steady 3×: tokens spent on answers that nobody got in time", wasted, 0, note),
        at_least("steady 3×: unanswered calls told so within 50 ms", _percent(soon, len(unanswered)), 99, "%",
                 f"p99 {seen.refused_p99:.1f} ms; a refusal after a wait is not told soon"),
        at_least("steady 3×: vip calls answered", 100 * seen_vip.share, 100, "%", f"{seen_vip.calls:,} calls"),
        at_most("steady 3×: vip queue wait p99", waits.p99, 65, "ms", f"p50 {waits.p50:.1f} ms, to the provider"),
        exactly("steady 3×: calls served twice", twice, 0),
        punctual("steady 3×", visits),
    ]  # fmt: skip


def _told_soon(visit: Visit) -> bool:
    last = visit.tries[-1]
    return last.end is End.REFUSED and last.done_us - last.sent_us <= 50_000


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def steady_bare(context: Context, row: Row) -> None:
    """Three times the quota on one account by the SDK alone."""
    quota = Quota(accounts=1)
    _alone(context, row, quota, tenants(quota, 3, deadline_ms=int(_DEADLINE_S * 1_000)), "steady 3×")


def _alone(context: Context, row: Row, quota: Quota, crowd: Sequence[Member], name: str) -> None:
    seconds = 90 if context.quick else 300
    allow_many_connections()
    with provider(context.work, quota, "bare") as twin:
        seen = uvloop.run(bare.play(arrivals(crowd, seconds, 1), twin.url, quota.keys, MODEL, _DEADLINE_S))
        ledger = twin.ask("ledger?by_key=0&per_second=0")
    each = ledger["throttled"] / max(1, ledger["served"])
    row.figures += [
        told(f"{name}, bare SDK on one account: answered", f"{100 * seen.answered / max(1, seen.calls):.0f} %",
             f"{seen.calls:,} calls; a failure is known after {seen.told_late_s:.1f} s (median)"),
        told(f"{name}, bare SDK: 429s at the provider per call served", f"{each:.1f}"),
    ]  # fmt: skip


bursts_peers = peers.beside("bursts", _bursty, "quantised")
steady_peers = peers.beside("steady 3×", lambda quota: tenants(quota, 3), "continuous")
