"""The provider's own ledger, read over HTTP before and after a run, and how much of the quota the run used.

**Utilisation.** The claim to judge is: in every 60 s whose queue never emptied, the charged tokens reach so many
percent of the quota. Neither side alone sees the queue, but together they do:

    backlog(t) = charge of the calls that were sent by t − tokens the ledger had charged by t

counts what has been offered and not yet admitted. What a call will be charged is estimated by the larger of its prompt
and `max_tokens`, and the estimates are scaled so that their sum over the answered calls is what the ledger charged.
Calls that were not answered count as never offered, and moments are rounded so that the backlog is never too large.
A second belongs to a queue that never emptied when the backlog at its start and at its end exceeds `SLACK_SECONDS` of
the quota; a window is 60 such seconds in a row, and every one of them counts (they overlap, one begins each second).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from tidegate.load.outcome import CallResult, Ending
from tidegate.load.report import Report

WINDOW_SECONDS = 60
SLACK_SECONDS = 1.0


class Account(msgspec.Struct, frozen=True):
    """What the ledger holds of one model, over all organisations or for one."""

    calls: int = 0
    served: int = 0
    throttled: int = 0
    avoidable: int = 0
    charged_tokens: int = 0
    billed_tokens: int = 0
    limit_rpm: int = 0
    limit_tpm: int = 0
    per_second: list[int] = []

    def since(self, before: "Account") -> "Account":
        """What was added after `before`; all of it when the ledger was reset in between."""
        if len(self.per_second) < len(before.per_second):
            return self
        padding = [0] * (len(self.per_second) - len(before.per_second))
        return msgspec.structs.replace(
            self,
            calls=self.calls - before.calls,
            served=self.served - before.served,
            throttled=self.throttled - before.throttled,
            avoidable=self.avoidable - before.avoidable,
            charged_tokens=self.charged_tokens - before.charged_tokens,
            billed_tokens=self.billed_tokens - before.billed_tokens,
            per_second=[now - then for now, then in zip(self.per_second, before.per_second + padding, strict=True)],
        )


class Ledger(msgspec.Struct, frozen=True):
    """The answer of `GET /twin/ledger`, as far as it is read here."""

    by_model: dict[str, Account] = {}
    by_key: dict[str, dict[str, Account]] = {}

    def quota(self, model: str) -> int:
        """Tokens per 60 s of all organisations that were charged for the model; 0 = unknown."""
        own = self.by_model.get(model, Account()).limit_tpm
        users = [models[model] for models in self.by_key.values() if model in models]
        return sum(account.limit_tpm or own for account in users if account.charged_tokens) or own


class Utilisation(msgspec.Struct, frozen=True):
    """Shares of the quota charged in each 60 s whose queue never emptied; no windows, no shares (0)."""

    windows: int
    minimum: float
    mean: float
    backlogged_seconds: int
    quota_tpm: int


class LedgerReport(msgspec.Struct, frozen=True):
    """What the provider booked during one run for one model."""

    model: str
    calls: int
    served: int
    throttled: int
    avoidable: int
    charged_tokens: int
    billed_tokens: int
    utilisation: Utilisation


class FullReport(msgspec.Struct, frozen=True):
    """Both sides of one run; `ledger` only where the provider's was asked for."""

    replay: Report
    ledger: LedgerReport | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One answered call as seen by the ledger: when it was sent (after the start) and what it weighs."""

    sent_us: int
    weight: int


def audit(before: Ledger, after: Ledger, model: str, results: Sequence[CallResult]) -> LedgerReport:
    """What the ledger booked between two readings for `model`, beside what the results say was offered."""
    account = after.by_model.get(model, Account()).since(before.by_model.get(model, Account()))
    offers = [
        Offer(result.due_us + result.late_us, max(result.context_tokens, result.max_tokens))
        for result in results
        if result.ending is Ending.ANSWERED and (not result.target or result.target.endswith("/" + model))
    ]
    return LedgerReport(
        model=model,
        calls=account.calls,
        served=account.served,
        throttled=account.throttled,
        avoidable=account.avoidable,
        charged_tokens=account.charged_tokens,
        billed_tokens=account.billed_tokens,
        utilisation=utilisation(account.per_second, offers, after.quota(model)),
    )


def utilisation(charged: Sequence[int], offers: Sequence[Offer], quota_tpm: int) -> Utilisation:
    """Shares of `quota_tpm` in the windows of the module's rule. `charged` is per second. O(seconds + offers)."""
    first = next((second for second, tokens in enumerate(charged) if tokens), len(charged))
    charged = charged[first:]
    weight = sum(offer.weight for offer in offers)
    if not (weight and quota_tpm):
        return Utilisation(0, 0.0, 0.0, 0, quota_tpm)
    scale = sum(charged) / weight
    levels = backlog(charged, [Offer(offer.sent_us, int(offer.weight * scale)) for offer in offers])
    limit = quota_tpm / 60 * SLACK_SECONDS
    full = [start > limit and end > limit for start, end in zip([0, *levels], levels, strict=False)]
    shares = [sum(charged[at : at + WINDOW_SECONDS]) / quota_tpm for at in windows(full)]
    if not shares:
        return Utilisation(0, 0.0, 0.0, sum(full), quota_tpm)
    return Utilisation(len(shares), min(shares), sum(shares) / len(shares), sum(full), quota_tpm)


def backlog(charged: Sequence[int], offers: Sequence[Offer]) -> list[int]:
    """Tokens offered and not yet charged at the end of each second.

    The first call falls somewhere within second 0; only calls sent `n` seconds after it are surely offered by the end
    of second `n`.
    """
    offered = [0] * len(charged)
    for offer in offers:
        second = -(-offer.sent_us // 1_000_000)
        if second < len(offered):
            offered[second] += offer.weight
    return [due - done for due, done in zip(accumulate(offered), accumulate(charged), strict=True)]


def windows(full: Sequence[bool]) -> list[int]:
    """Where `WINDOW_SECONDS` true values in a row begin."""
    starts: list[int] = []
    run = 0
    for second, is_full in enumerate(full):
        run = run + 1 if is_full else 0
        if run >= WINDOW_SECONDS:
            starts.append(second - WINDOW_SECONDS + 1)
    return starts
