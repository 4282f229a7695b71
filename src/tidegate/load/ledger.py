"""The provider's own ledger, read over HTTP before and after a run, and how much of the quota the run used.

**Utilisation.** The claim to judge is: in every 60 s whose queue never emptied, the charged tokens reach so many
percent of the quota. Whose queue? That of an ideal gate, so that no gate chooses the windows it is judged by: the
arrivals are played against the published quota (a bucket of one minute's depth, full at the start, refilled
continuously), and whatever it cannot admit yet waits. A second is full when more than `SLACK_SECONDS` of the quota
wait at its start and at its end; a window is 60 full seconds in a row, and every one counts (they overlap).

A call's charge is estimated by the larger of its prompt and `max_tokens`; the estimates are scaled so that their sum
over the answered calls is what the ledger charged. What is uncertain makes the queue shorter, never longer: calls that
were not answered count as never offered, and a call counts from the end of the first second that must hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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


class Window(msgspec.Struct, frozen=True):
    """60 s whose queue never emptied: when they began (seconds after the first charge), and the share of the quota."""

    start: int
    share: float


class Utilisation(msgspec.Struct, frozen=True):
    """What was charged of the quota in every window; `minimum` and `mean` are 0 where there is none."""

    quota_tpm: int
    full_seconds: int = 0
    windows: list[Window] = []
    minimum: float = 0.0
    mean: float = 0.0


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
    charged_per_second: list[int]  # from the first charge on


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
    charged = from_first(account.per_second)
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
        utilisation=utilisation(charged, offers, after.quota(model)),
        charged_per_second=charged,
    )


def utilisation(charged: Sequence[int], offers: Sequence[Offer], quota_tpm: int) -> Utilisation:
    """Shares of `quota_tpm` in the windows of the module's rule. `charged` is per second. O(seconds + offers)."""
    weight = sum(offer.weight for offer in offers)
    if not (weight and quota_tpm):
        return Utilisation(quota_tpm)
    scale = sum(charged) / weight
    queue = ideal_queue([tokens * scale for tokens in offered(offers, len(charged))], quota_tpm)
    slack = quota_tpm / 60 * SLACK_SECONDS
    full = [before > slack and after > slack for before, after in pairwise([0.0, *queue])]
    windows = [Window(at, sum(charged[at : at + WINDOW_SECONDS]) / quota_tpm) for at in window_starts(full)]
    if not windows:
        return Utilisation(quota_tpm, sum(full))
    shares = [window.share for window in windows]
    return Utilisation(quota_tpm, sum(full), windows, min(shares), sum(shares) / len(shares))


def from_first(charged: Sequence[int]) -> list[int]:
    """Without the seconds before the first charge: they belong to whatever came before the run."""
    first = next((second for second, tokens in enumerate(charged) if tokens), len(charged))
    return list(charged[first:])


def offered(offers: Sequence[Offer], seconds: int) -> list[int]:
    """Weight that is surely offered in each second of the ledger.

    The first call falls somewhere within second 0; only calls sent at most `n` seconds after it are surely there by
    the end of second `n`.
    """
    row = [0] * seconds
    for offer in offers:
        second = -(-offer.sent_us // 1_000_000)
        if second < seconds:
            row[second] += offer.weight
    return row


def ideal_queue(arriving: Sequence[float], quota_tpm: int) -> list[float]:
    """Tokens waiting at the end of each second if all that the published quota allows is admitted at once."""
    level, waiting, queue = float(quota_tpm), 0.0, []
    for tokens in arriving:
        available = level + quota_tpm / 60
        admitted = min(available, waiting + tokens)
        waiting += tokens - admitted
        level = min(quota_tpm, available - admitted)
        queue.append(waiting)
    return queue


def window_starts(full: Sequence[bool]) -> list[int]:
    """Where `WINDOW_SECONDS` true values in a row begin."""
    starts: list[int] = []
    run = 0
    for second, is_full in enumerate(full):
        run = run + 1 if is_full else 0
        if run >= WINDOW_SECONDS:
            starts.append(second - WINDOW_SECONDS + 1)
    return starts
