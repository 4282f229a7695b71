"""Conversations at a provider that does not charge what it reads from its cache: affinity multiplies the quota."""

import time
from collections.abc import Sequence
from dataclasses import replace

import uvloop

from bench.figures import at_least, exactly, told
from bench.proofs.fleet import Policy, Quota, fleet, provider
from bench.proofs.steps import Context, Row
from tidegate.clock import SystemClock
from tidegate.config.profiles import load_profile, profile_names
from tidegate.load.client import connected
from tidegate.load.crowd import Member
from tidegate.load.dialogue import Dialogues, Talk, Turn
from tidegate.load.driver import Target
from tidegate.load.visits import End

_TALK = Talk(instruction=4_000, question=100, turns=12, max_tokens=20, pause_us=1_000_000, deadline_ms=20_000)
_TPM = 100_000
_TALKS = 80
_SEATS = 12  # conversations at a time where the quota never binds
_ENDLESS = 1_000_000_000
_WARM_S = 60  # the buckets begin full
_APP = Member("app", "tg-app", 0.0)
_LEAST = 3


def free_profile() -> str:
    """The first profile of the OpenAI dialect by which cached input does not count; empty when there is none."""
    known = ((name, load_profile(name)) for name in profile_names())
    return next((name for name, profile in known if profile.dialect == "openai" and profile.cached_free), "")


def _quota(profile: str) -> Quota:
    charge = load_profile(profile).charge if profile else "max"
    return Quota(tpm=_TPM, ttft_ms=50, rules={"charge": charge, "cached_reads": "free"})


def multi_turn(context: Context, row: Row) -> None:
    """The same conversations through a pool that remembers, by keys in turn, and through a pool that counts all."""
    row.commands.append("tidegate twin with cached_reads: free; 12-turn conversations on 4 × 100k TPM")
    profile, seconds = free_profile(), 60 if context.quick else 300
    quota = _quota(profile)
    note = "" if profile else "no profile of the OpenAI dialect says `cached_free`"
    with_affinity, throttled, complaint = _gated(context, quota, Policy(pick="affinity", profile=profile), seconds)
    in_turn = _most_in_turn(context, quota)
    unaware, throttled_unaware, _ = _gated(context, quota, Policy(pick="weighted", profile="openai"), seconds)
    direct, throttled_direct = _direct(context, quota, seconds)
    shown = f"{with_affinity:,.0f} beside {in_turn:,.0f} tokens a minute of a quota of {4 * _TPM:,}; {note} {complaint}"
    row.figures += [
        at_least("effective input TPM over the most of keys in turn", with_affinity / in_turn, _LEAST, "×", shown),
        exactly("affinity: 429s at the provider", throttled, 0),
        told("in turn, counting all input", f"{unaware:,.0f} tokens a minute", f"{throttled_unaware:,} 429s"),
        told("keys in turn without a gate", f"{direct:,.0f} tokens a minute", f"{throttled_direct:,} 429s"),
    ]  # fmt: skip


def _gated(context: Context, quota: Quota, policy: Policy, seconds: int) -> tuple[float, int, str]:
    with fleet(context.work, replace(quota), policy, [_APP], policy.pick) as one:
        one.empty_books()
        turns = uvloop.run(_hold([Target(one.gate.url, _APP.key, _TALK.deadline_ms)], seconds))
        return effective(turns, one.began + _WARM_S, seconds), one.ledger()["throttled"], one.gate.refused


def _most_in_turn(context: Context, quota: Quota) -> float:
    """What the quota could carry at most by keys in turn without a 429: by what they are charged with quota to spare.

    Over their quota they serve more, but with 429s: a client that is refused comes back until it meets the key that
    has its prompt cached.
    """
    with provider(context.work, replace(quota, tpm=_ENDLESS), "in-turn") as twin:
        turns = uvloop.run(_hold([Target(twin.url, key) for key in quota.keys], 0, seats=_SEATS))
        charged = twin.ask("ledger?by_key=0&per_second=0")["charged_tokens"]
    return float(quota.accounts * quota.tpm * sum(turn.prompt_tokens for turn in turns) / max(1, charged))


def _direct(context: Context, quota: Quota, seconds: int) -> tuple[float, int]:
    with provider(context.work, quota, "direct") as twin:
        began = time.monotonic()
        turns = uvloop.run(_hold([Target(twin.url, key) for key in quota.keys], seconds))
        throttled = twin.ask("ledger?by_key=0&per_second=0")["throttled"]
    return effective(turns, began + _WARM_S, seconds), throttled


async def _hold(targets: Sequence[Target], seconds: int, seats: int = _TALKS) -> list[Turn]:
    clock = SystemClock()
    with connected(Target(targets[0].url), clock) as transport:
        talks = Dialogues(transport, clock, targets, _TALK)
        return await talks.hold(seats, clock.now() + (_WARM_S + seconds) * 1_000_000)


def effective(turns: Sequence[Turn], since_s: float, seconds: float) -> float:
    """Input tokens a minute of the turns that were answered in the `seconds` after `since_s` (monotonic)."""
    first, last = since_s * 1e6, (since_s + seconds) * 1e6
    tokens = sum(
        turn.prompt_tokens
        for turn in turns
        if turn.tries[-1].end is End.ANSWERED and first <= turn.tries[-1].done_us < last
    )
    return tokens * 60 / seconds
