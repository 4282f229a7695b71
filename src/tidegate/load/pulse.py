"""What the demo shows once a second, gathered from the provider's ledger, the gate's metrics and the calls' ends."""

import re
from collections import deque
from dataclasses import dataclass, field

from tidegate.load.ledger import Account
from tidegate.load.outcome import CallResult, Ending
from tidegate.load.report import NO_TIMES, Percentiles, percentiles

MINUTE = 60
RECENT = 10  # seconds


@dataclass(frozen=True, slots=True)
class GateGauges:
    """How the gate stands, by its own metrics."""

    waiting: int = 0
    used_tokens: int = 0  # of the bucket: its depth less what it holds
    limit_tokens: int = 0
    used_requests: int = 0
    limit_requests: int = 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """One second's view. Times and the tokens charged a second are of the last 10 s."""

    second: int = 0
    tokens_a_second: int = 0
    gate: GateGauges = GateGauges()
    waited: Percentiles = NO_TIMES
    latency: Percentiles = NO_TIMES
    throttled: int = 0
    avoidable: int = 0
    sent: int = 0
    open: int = 0
    endings: dict[Ending, int] = field(default_factory=dict)
    charged: tuple[int, ...] = ()  # by second, the last minute
    queue: tuple[int, ...] = ()  # at each second, the last minute


class Gathering:
    """Collects what a `Pulse` is made of. O(calls of the last 10 s) a second."""

    def __init__(self) -> None:
        self._recent: deque[CallResult] = deque()
        self._endings = dict.fromkeys(Ending, 0)
        self._queue: deque[int] = deque(maxlen=MINUTE)

    def add(self, result: CallResult) -> None:
        """One call ended."""
        self._endings[result.ending] += 1
        if result.ending is Ending.ANSWERED:
            self._recent.append(result)

    def pulse(self, now_us: int, sent: int, waiting_for_answer: int, account: Account, gate: GateGauges) -> Pulse:
        """The view at `now_us` after the start; called once a second."""
        while self._recent and _ended(self._recent[0]) < now_us - RECENT * 1_000_000:
            self._recent.popleft()
        self._queue.append(gate.waiting)
        charged = account.per_second[-MINUTE - 1 : -1]  # the last one is not over yet
        return Pulse(
            second=now_us // 1_000_000,
            tokens_a_second=sum(charged[-RECENT:]) // max(1, len(charged[-RECENT:])),
            gate=gate,
            waited=percentiles(result.waited_us for result in self._recent if result.waited_us >= 0),
            latency=percentiles(result.done_us for result in self._recent),
            throttled=account.throttled,
            avoidable=account.avoidable,
            sent=sent,
            open=waiting_for_answer,
            endings=dict(self._endings),
            charged=tuple(charged),
            queue=tuple(self._queue),
        )


def _ended(result: CallResult) -> int:
    return result.due_us + result.done_us


def read_gauges(metrics: str, model: str) -> GateGauges:
    """The gauges of one model from the text of `/metrics`; what is not there is 0."""
    of_model = f'model="{model}"'
    tokens, requests = (
        (
            _sum(metrics, "tidegate_quota_left", of_model, f'unit="{unit}"'),
            _sum(metrics, "tidegate_quota_limit", of_model, f'unit="{unit}"'),
        )
        for unit in ("tokens", "requests")
    )
    return GateGauges(
        waiting=_sum(metrics, "tidegate_queue_calls", of_model),
        used_tokens=tokens[1] - tokens[0],
        limit_tokens=tokens[1],
        used_requests=requests[1] - requests[0],
        limit_requests=requests[1],
    )


def _sum(metrics: str, name: str, *labels: str) -> int:
    lines = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", metrics, re.MULTILINE)
    return int(sum(float(value) for found, value in lines if all(label in found for label in labels)))
