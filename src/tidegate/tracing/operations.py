"""Durations and tokens of calls and attempts as the conventions' histograms, counted from records. Pure.

The gate is a client of providers: `gen_ai.client.*` has a value for each attempt, as its span. And it is the server of
its clients: `gen_ai.server.*` has one for each call. Nothing is counted for them while calls are served. Attributes
and bounds of buckets are those that the conventions ask for:
https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-metrics.md
"""

from bisect import bisect_left
from typing import Final

from tidegate.model.facts import CallRecord, Hit, Try, tries_of
from tidegate.tracing import makers as known
from tidegate.tracing import names, spans
from tidegate.tracing.makers import Makers
from tidegate.tracing.meters import Labels, Meter

MAX_SERIES: Final = 1_000  # of each histogram: clients choose names of models; the rest is one series
OVERFLOW: Final[Labels] = ((names.OVERFLOW, True),)

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
EACH: Final = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS: Final = tuple(float(4**power) for power in range(14))  # 1 to 67,108,864

_OK: Final = range(200, 300)


class Series:
    """One histogram: for each set of labels the counts of its buckets, and the sum."""

    __slots__ = ("_bounds", "_name", "_rows", "_text", "_unit")

    def __init__(self, name: str, unit: str, text: str, bounds: tuple[float, ...]) -> None:
        self._name = name
        self._unit = unit
        self._text = text
        self._bounds = bounds
        self._rows: dict[Labels, tuple[list[int], list[float]]] = {}

    def put(self, labels: Labels, value: float) -> None:
        """Count one value. O(log buckets)."""
        row = self._rows.get(labels)
        if row is None:
            if len(self._rows) >= MAX_SERIES:
                labels = OVERFLOW
            row = self._rows.setdefault(labels, ([0] * (len(self._bounds) + 1), [0.0]))
        counts, total = row
        counts[bisect_left(self._bounds, value)] += 1
        total[0] += value

    def meter(self) -> Meter:
        """As it stands."""
        rows = {labels: (list(counts), total[0]) for labels, (counts, total) in self._rows.items()}
        return Meter(self._name, "histogram", self._unit, self._text, histograms=rows, bounds=self._bounds)


class Operations:
    """Of the records that it was given, each once. Memory: `MAX_SERIES` of each histogram."""

    __slots__ = ("_asked", "_chunk", "_each", "_served", "_token", "_tokens")

    def __init__(self) -> None:
        self._asked = Series(names.DURATION, "s", "Attempts of calls, each from its request to its end", SECONDS)
        self._chunk = Series(names.TTFC, "s", "Until the first chunk of an attempt's stream", SECONDS)
        self._tokens = Series(names.TOKEN_USAGE, "{token}", "Tokens that providers counted", TOKENS)
        self._served = Series(names.SERVED, "s", "Whole calls, with their waits", SECONDS)
        self._token = Series(names.TTFT, "s", "Until the first token of a streamed answer", FIRST)
        self._each = Series(names.TPOT, "s", "Each token of a streamed answer after the first", EACH)

    def add(self, record: CallRecord, makers: Makers) -> None:
        """One call and its attempts. O(attempts).

        A call that went with its process is none: nobody saw how long it took, nor what it used.
        """
        if not record.status and not record.duration_us:
            return
        served = record.target.split("/", 2)[-1]
        labels = _labels(
            (names.OPERATION, spans.operation(record)),
            (names.PROVIDER, spans.answered_by(record, makers)),
            (names.REQUEST_MODEL, record.model),
            (names.RESPONSE_MODEL, served),
            (names.PLAN, record.plan),
        )
        self._served.put(_failed(labels, spans.error_of(record)), record.duration_us / 1e6)
        if record.streamed and record.first_token_us and record.status in _OK:
            self._token.put(labels, record.first_token_us / 1e6)
            if record.completion_tokens > 1 and record.attempts == 1 and not record.estimated:
                rest = record.duration_us - record.first_token_us
                self._each.put(labels, rest / 1e6 / (record.completion_tokens - 1))
        tries = tries_of(record)
        for one in tries:
            self._attempt(one, record, makers, last=one is tries[-1])

    def add_hit(self, hit: Hit) -> None:
        """A call that the cache answered; none of its tokens were anybody's. O(1)."""
        labels = _labels(
            (names.OPERATION, names.OPERATIONS.get(hit.kind, names.UNKNOWN)),
            (names.PROVIDER, names.GATE),
            (names.REQUEST_MODEL, hit.asked),
            (names.RESPONSE_MODEL, hit.model.partition("/")[2]),
            (names.PLAN, hit.plan),
        )
        self._served.put(labels, hit.duration_us / 1e6)

    def meters(self) -> list[Meter]:
        """All of them as they stand. O(label sets)."""
        return [one.meter() for one in (self._asked, self._chunk, self._tokens, self._served, self._token, self._each)]

    def _attempt(self, one: Try, record: CallRecord, makers: Makers, *, last: bool) -> None:
        provider, _, rest = one.target.partition("/")
        scope, _, model = rest.partition("/")
        maker = known.of(makers, provider)
        labels = _labels(
            (names.OPERATION, spans.operation(record)),
            (names.PROVIDER, maker.name),
            (names.REQUEST_MODEL, model),
            (names.SERVER, maker.address),
            (names.PORT, maker.port),
            (names.UPSTREAM, provider),
            (names.SCOPE, scope),
        )
        self._asked.put(_failed(labels, spans.failure_of(one)), one.duration_us / 1e6)
        first = spans.first_chunk_us(one, record, last=last)
        if first:
            self._chunk.put(labels, first / 1e6)
        if one.estimated:  # "MUST NOT report": the provider did not count
            return
        for kind, tokens in ((names.INPUT, one.prompt_tokens), (names.OUTPUT, one.completion_tokens)):
            if tokens:
                self._tokens.put((*labels, (names.TOKEN_TYPE, kind)), tokens)


def _labels(*every: tuple[str, str | int]) -> Labels:
    return tuple(one for one in every if one[1])


def _failed(labels: Labels, why: str) -> Labels:
    return (*labels, (names.ERROR_TYPE, why)) if why else labels
