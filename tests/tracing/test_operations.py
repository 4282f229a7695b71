"""Records as the conventions' histograms: what they must tell, and what they must not."""

import msgspec

from tests.journal.hits import hit
from tests.tracing.test_spans import AT, MAKERS, attempt, record
from tidegate.model.facts import CallRecord
from tidegate.tracing import names, operations
from tidegate.tracing.meters import Labels, Meter
from tidegate.tracing.operations import FIRST, OVERFLOW, SECONDS, TOKENS, Operations

PROVIDER = {names.OPERATION: "chat", names.PROVIDER: "azure.ai.openai", names.REQUEST_MODEL: "gpt-4o"}
ASKED = {
    **PROVIDER, names.SERVER: "llm.example", names.PORT: 443, names.UPSTREAM: "openai", names.SCOPE: "main",
}  # fmt: skip
SERVED = {**PROVIDER, names.RESPONSE_MODEL: "gpt-4o", names.PLAN: "p"}


def counted(*records: CallRecord) -> dict[str, Meter]:
    made = Operations()
    for one in records:
        made.add(one, MAKERS)
    return {meter.name: meter for meter in made.meters()}


def rows(meter: Meter) -> list[tuple[dict[str, str | int], int, float]]:
    return [(dict(labels), sum(counts), total) for labels, (counts, total) in meter.histograms.items()]


def test_what_must_be_told_is_told() -> None:
    """Operation, maker by profile, models and server on each; the type of token on their usage."""
    found = counted(record())
    assert rows(found[names.DURATION]) == [(ASKED, 1, 0.0017)]
    assert rows(found[names.SERVED]) == [(SERVED, 1, 0.002)]
    assert rows(found[names.TOKEN_USAGE]) == [
        ({**ASKED, names.TOKEN_TYPE: "input"}, 1, 10.0),
        ({**ASKED, names.TOKEN_TYPE: "output"}, 1, 5.0),
    ]


def test_buckets_are_the_conventions() -> None:
    """Their bounds, each value in the first that it does not exceed, and the rest above the last."""
    found = counted(record(duration_us=20_000), record(duration_us=90_000_000))
    assert [found[name].bounds for name in (names.DURATION, names.TTFC, names.SERVED)] == [SECONDS] * 3
    assert (found[names.TOKEN_USAGE].bounds, found[names.TTFT].bounds) == (TOKENS, FIRST)
    assert (SECONDS[0], SECONDS[-1], TOKENS[1], TOKENS[-1]) == (0.01, 81.92, 4, 67_108_864)
    ((counts, _),) = found[names.SERVED].histograms.values()
    assert [place for place, count in enumerate(counts) if count] == [1, len(SECONDS)]


def test_what_failed_says_why() -> None:
    """On durations: an attempt its reason, a call its status. Where nobody was asked, the gate answered."""
    tries = (attempt(429, "rate", AT - 1_900), attempt(200, "", AT - 600))
    asked = rows(counted(record(tries=tries, attempts=2))[names.DURATION])
    assert [labels.get(names.ERROR_TYPE) for labels, _, _ in asked] == ["rate", None]
    for status, why in ((429, "429"), (503, "503"), (499, "cancelled")):
        found = counted(record(status, target="", attempts=0))
        ((labels, _, _),) = rows(found[names.SERVED])
        assert (labels[names.ERROR_TYPE], labels[names.PROVIDER]) == (why, "tidegate")
        assert not found[names.DURATION].histograms, "nobody was asked"


def test_what_the_cache_answered_was_served() -> None:
    """By the gate, and nobody's tokens were used."""
    made = Operations()
    made.add_hit(msgspec.structs.replace(hit(1), asked="gpt", kind="chat", duration_us=500))
    found = {meter.name: meter for meter in made.meters()}
    labels = {
        names.OPERATION: "chat", names.PROVIDER: "tidegate", names.REQUEST_MODEL: "gpt",
        names.RESPONSE_MODEL: "gpt/4o", names.PLAN: "chat",
    }  # fmt: skip
    assert rows(found[names.SERVED]) == [(labels, 1, 0.0005)]
    assert not found[names.DURATION].histograms
    assert not found[names.TOKEN_USAGE].histograms


def test_first_tokens_are_those_of_streams() -> None:
    """An answer that came whole has none; a stream has one for its client and one for its attempt, without waits."""
    whole = counted(record())
    assert not whole[names.TTFC].histograms
    assert not whole[names.TTFT].histograms
    stream = counted(record(streamed=True, first_token_us=900))
    assert rows(stream[names.TTFC]) == [(ASKED, 1, 0.0006)]
    assert rows(stream[names.TTFT]) == [(SERVED, 1, 0.0009)]
    assert rows(stream[names.TPOT]) == [(SERVED, 1, 0.000275)], "the four tokens after the first"
    assert not counted(record(streamed=True, first_token_us=900, estimated=True))[names.TPOT].histograms
    assert not counted(record(502, streamed=True, first_token_us=900))[names.TTFT].histograms, "of answers that succeed"


def test_what_nobody_counted_is_not_told() -> None:
    """Usage that is the gate's estimate; a call that went with its process, whose time nobody took."""
    assert not counted(record(estimated=True))[names.TOKEN_USAGE].histograms
    lost = counted(record(0, duration_us=0, estimated=True))
    assert not any(meter.histograms for meter in lost.values())


def test_labels_are_bounded() -> None:
    """Beyond so many models all the rest is one series, under the name that OpenTelemetry has for it."""
    models = range(operations.MAX_SERIES + 2)
    found = counted(*(record(model=f"m{number}") for number in models))[names.SERVED].histograms
    overflow: Labels = OVERFLOW
    assert (len(found), sum(found[overflow][0])) == (operations.MAX_SERIES + 1, 2)
