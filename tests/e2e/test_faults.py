"""Every fault of the twin, unary and streamed: what the client gets, and what the provider had to bear for it.

The rows of a test run at the same time, each on models of its own, and are judged together: the table that fails shows
every wrong row.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import anthropic
import openai
import pytest

from harness.twin import Twin
from harness.wait import until
from tests.e2e.conftest import Place, sdk
from tests.e2e.stand import USER, Gate, spoken, tries
from tests.twin.http import Answer

Rule = dict[str, Any]

ALL = list(range(1, 21))  # the words of a complete answer
PATIENCE = {"x-tidegate-deadline-ms": "10000"}  # a time that is read wrongly must not be waited for

# What strikes before the first content, and how the gate's headers call it.
BEFORE: dict[str, tuple[Rule, str]] = {
    "429": ({"fault": "429", "retry_after_ms": 20}, "429 rate"),
    "500": ({"fault": "500"}, "500 transient"),
    "502": ({"fault": "502"}, "502 transient"),
    "503": ({"fault": "503", "retry_after_ms": 20}, "503 overload"),
    "503 slow down": ({"fault": "slow_down", "retry_after_ms": 20}, "503 ramp"),
    "529": ({"fault": "529", "retry_after_ms": 20}, "529 overload"),
    "closed": ({"fault": "close"}, "failed transient"),
    "reset": ({"fault": "reset"}, "failed transient"),
    "cut at once": ({"fault": "cut", "after_bytes": 0}, "failed transient"),
    "cut": ({"fault": "cut", "after_bytes": 100}, "failed transient"),
    "reset on the way": ({"fault": "reset", "after_bytes": 100}, "failed transient"),
    "malformed chunk": ({"fault": "malformed_chunk", "after_bytes": 100}, "failed transient"),
    "malformed JSON": ({"fault": "malformed_json", "after_bytes": 100}, "failed transient"),
}
AFTER: dict[str, Rule] = {
    "cut": {"fault": "cut", "after_bytes": 1_500},
    "reset": {"fault": "reset", "after_bytes": 1_500},
    "cut by a reset": {"fault": "cut", "rst": True, "after_bytes": 1_500},
    "malformed chunk": {"fault": "malformed_chunk", "after_bytes": 1_500},
    "malformed JSON": {"fault": "malformed_json", "after_bytes": 1_500},
    "error event": {"fault": "error_event", "after_bytes": 1_500, "message": "the provider's own words"},
}


def named(answer: Answer, place: Place) -> list[str]:
    """The attempts, with the place's models called `first` and `second`."""
    words = [word.replace(f"{place.first} ", "first ").replace(f"{place.second} ", "second ") for word in tries(answer)]
    return [word.replace(f"{place.alone} ", "alone ").replace(f"{place.hasty} ", "hasty ") for word in words]


def after(seconds: float) -> str:
    """RFC 3339, to the microsecond."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


# ── when to come again ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_form_of_retry_after_is_waited_for(gate: Gate, twin: Twin, places: Iterator[Place]) -> None:
    """The second try comes when the provider said, and not before."""
    forms: dict[str, tuple[Rule, float]] = {  # milliseconds at least
        "seconds": ({"retry_after": 1}, 1_000),
        "a fraction": ({"retry_after": "0.25"}, 250),
        "milliseconds": ({"retry_after_ms": 150}, 150),
        "a fraction of milliseconds": ({"retry_after_ms": "150.5"}, 150.5),
        "both: the finer one": ({"retry_after": 9, "retry_after_ms": 150}, 150),
        "a date": ({"retry_after_date": 1}, 1),  # rounded up to a second, so nobody knows how far it is
        "a duration": ({"retry_after": "1.2s"}, 1_200),
        "a short duration": ({"retry_after": "170ms"}, 170),
        "RFC 3339": ({"retry_after": after(1)}, 1),
        "epoch milliseconds": ({"retry_after": str(int(time.time() * 1_000) + 1_000)}, 1),
    }
    rows = {name: next(places) for name in forms}
    twin.fault(*({"fault": "429", "count": 1, "match": {"model": rows[n].alone}} | forms[n][0] for n in forms))
    answers = await asyncio.gather(*(gate.chat(rows[name].alone, headers=PATIENCE) for name in forms))
    got = {name: (answer.status, named(answer, rows[name])) for name, answer in zip(forms, answers, strict=True)}
    assert got == dict.fromkeys(forms, (200, ["alone 429 rate", "alone 200"]))
    early = {}
    for name, (_, least_ms) in forms.items():
        refused, served = twin.calls(rows[name].alone)
        if (waited_ms := (served["arrived_us"] - refused["ended_us"]) / 1_000) < least_ms:
            early[name] = waited_ms
    assert early == {}
    assert all(int(answer.headers["x-tidegate-wait-ms"]) >= 1 for answer in answers)


async def test_a_useless_retry_after_is_no_hint(gate: Gate, twin: Twin, places: Iterator[Place]) -> None:
    """Nonsense, zero and what lies in the past are not "at once": the gate's own back-off holds."""
    forms = ("", "0", "-1", "NaN", "soon", "1e3", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 80)
    rows = {form: next(places) for form in forms}
    twin.fault(
        *({"fault": "429", "count": 1, "match": {"model": rows[f].alone}, "retry_after": f} for f in forms),
    )
    answers = await asyncio.gather(*(gate.chat(rows[form].alone, headers=PATIENCE) for form in forms))
    got = {form: (answer.status, named(answer, rows[form])) for form, answer in zip(forms, answers, strict=True)}
    assert got == dict.fromkeys(forms, (200, ["alone 429 rate", "alone 200"]))
    for form in forms:
        refused, served = twin.calls(rows[form].alone)
        assert served["arrived_us"] - refused["ended_us"] >= 20_000, form  # `base_seconds`


async def test_a_time_that_is_too_far_is_not_slept_through(gate: Gate, twin: Twin, places: Iterator[Place]) -> None:
    """The next model answers after one refusal; who comes later does not ask the first one again."""
    forms: dict[str, Rule] = {
        "seconds": {"retry_after": 3_600},
        "a duration": {"retry_after": "6m0s"},
        "a date": {"retry_after_date": 3_600},
        "milliseconds": {"retry_after_ms": 3_600_000},
        "RFC 3339": {"retry_after": after(3_600)},
    }
    rows = {name: next(places) for name in forms}
    twin.fault(*({"fault": "429", "match": {"model": rows[n].first}} | forms[n] for n in forms))
    answers = await asyncio.gather(*(gate.chat(rows[name].strategy) for name in forms))
    got = {name: (a.status, named(a, rows[name])) for name, a in zip(forms, answers, strict=True)}
    assert got == dict.fromkeys(forms, (200, ["first 429 rate", "second 200"]))
    later = await asyncio.gather(*(gate.chat(rows[name].strategy) for name in forms))
    assert [named(a, rows[name]) for name, a in zip(forms, later, strict=True)] == [["second 200"]] * len(forms)
    assert all(len(twin.calls(rows[name].first)) == 1 for name in forms)


async def test_a_refusal_tells_when_to_come_again(gate: Gate, twin: Twin, place: Place) -> None:
    """Without another model the client gets the provider's time; while it lasts the provider is left alone."""
    twin.fault({"fault": "429", "match": {"model": place.alone}, "retry_after": 3_600})
    answers = [await gate.chat(place.alone) for _ in range(3)]
    assert [answer.status for answer in answers] == [429] * 3
    for answer in answers:
        assert answer.json["error"]["code"] == "rate_limit_exceeded"
        assert 3_590 <= int(answer.headers["retry-after"]) <= 3_600
        assert answer.headers["x-should-retry"] == "true"
    assert len(twin.calls(place.alone)) == 1


# ── before the first content ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_a_fault_that_passes_is_retried(gate: Gate, twin: Twin, places: Iterator[Place], stream: bool) -> None:
    """Two failures, then a complete answer by the same model, every word once."""
    rows = {name: next(places) for name in BEFORE}
    twin.fault(*({"count": 2, "match": {"model": rows[name].first}} | BEFORE[name][0] for name in BEFORE))
    answers = await asyncio.gather(*(gate.chat(rows[name].strategy, stream=stream) for name in BEFORE))
    got = {
        name: (answer.status, named(answer, rows[name]), spoken(answer), answer.ended)
        for name, answer in zip(BEFORE, answers, strict=True)
    }
    ended = "chunks" if stream else "length"
    wanted = {name: (200, [f"first {word}"] * 2 + ["first 200"], ALL, ended) for name, (_, word) in BEFORE.items()}
    assert got == wanted
    assert {name: len(twin.calls(rows[name].first)) for name in BEFORE} == dict.fromkeys(BEFORE, 3)


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_a_fault_that_stays_falls_back(gate: Gate, twin: Twin, places: Iterator[Place], stream: bool) -> None:
    """Three failures on the first model, then the second one answers, every word once."""
    rows = {name: next(places) for name in BEFORE}
    twin.fault(*({"match": {"model": rows[name].first}} | BEFORE[name][0] for name in BEFORE))
    answers = await asyncio.gather(*(gate.chat(rows[name].strategy, stream=stream) for name in BEFORE))
    got = {
        name: (answer.status, named(answer, rows[name]), spoken(answer))
        for name, answer in zip(BEFORE, answers, strict=True)
    }
    wanted = {name: (200, [f"first {word}"] * 3 + ["second 200"], ALL) for name, (_, word) in BEFORE.items()}
    assert got == wanted
    counts = {name: (len(twin.calls(rows[name].first)), len(twin.calls(rows[name].second))) for name in BEFORE}
    assert counts == dict.fromkeys(BEFORE, (3, 1))


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_silence_is_a_fault_too(gate: Gate, twin: Twin, places: Iterator[Place], stream: bool) -> None:
    """A reply that never begins, or stops within its head or first event: retried after the provider's time-out."""
    stalls: dict[str, Rule] = {"no reply": {}, "no body": {"after_bytes": 0}, "half a body": {"after_bytes": 100}}
    rows = {name: next(places).hasty for name in stalls}
    twin.fault(*({"fault": "stall", "count": 1, "match": {"model": rows[n]}} | stalls[n] for n in stalls))
    answers = await asyncio.gather(*(gate.chat(rows[name], stream=stream) for name in stalls))
    got = {name: (a.status, len(tries(a)), spoken(a)) for name, a in zip(stalls, answers, strict=True)}
    assert got == dict.fromkeys(stalls, (200, 2, ALL))
    await until(
        lambda: all(twin.calls(model)[0]["end"] == "aborted" for model in rows.values()), "the provider to be let go"
    )


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_money_is_never_retried(gate_apart: Gate, twin: Twin, place: Place, stream: bool) -> None:
    """`insufficient_quota` costs one call; the next model serves, also those who come later."""
    twin.fault({"fault": "insufficient_quota", "match": {"model": place.first}})
    answers = [await gate_apart.chat(place.strategy, stream=stream) for _ in range(3)]
    assert [named(answer, place) for answer in answers] == [
        ["first 429 billing", "second 200"],
        ["second 200"],
        ["second 200"],
    ]
    assert [spoken(answer) for answer in answers] == [ALL] * 3
    assert len(twin.calls(place.first)) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_wrong_request_is_not_tried_elsewhere(gate: Gate, twin: Twin, place: Place, status: int) -> None:
    """The same would happen everywhere: one call, and the provider's own words."""
    twin.fault({"fault": "status", "status": status, "match": {"model": place.first}, "body": {"error": {"code": "x"}}})
    answer = await gate.chat(place.strategy)
    assert (answer.status, answer.json) == (status, {"error": {"code": "x"}})
    assert named(answer, place) == [f"first {status} fatal"]
    assert (len(twin.calls(place.first)), len(twin.calls(place.second))) == (1, 0)


@pytest.mark.parametrize(
    ("event", "word", "calls"),
    [
        ({"code": "insufficient_quota", "type": "insufficient_quota"}, "429 billing", 1),
        ({"code": "rate_limit_exceeded", "type": "tokens"}, "429 rate", 3),
        ({"type": "overloaded_error"}, "503 overload", 3),
        ({"type": "server_error"}, "500 transient", 3),
        ({"type": "invalid_request_error"}, "400 fatal", 1),
    ],
)
async def test_an_error_as_the_first_event_is_classed_like_a_status(
    gate_apart: Gate, twin: Twin, place: Place, event: dict[str, str], word: str, calls: int
) -> None:
    """A provider that answers 200 and then refuses has refused."""
    twin.fault({"fault": "error_event", "after_bytes": 0, "match": {"model": place.first}, "message": "no"} | event)
    answer = await gate_apart.chat(place.strategy, stream=True)
    assert named(answer, place)[0] == f"first {word}"
    assert len(twin.calls(place.first)) == calls
    if word != "400 fatal":
        assert (answer.status, spoken(answer)) == (200, ALL)
        return
    assert (answer.status, answer.json["error"]["message"]) == (400, "no")
    assert twin.calls(place.second) == []


# ── after the first content ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_that_breaks_ends_in_an_error(gate: Gate, twin: Twin, places: Iterator[Place]) -> None:
    """What was said stays said, once; then a typed error, and neither `[DONE]` nor another model's words."""
    rows = {name: next(places) for name in AFTER}
    twin.fault(*({"match": {"model": rows[name].first}} | AFTER[name] for name in AFTER))
    answers = await asyncio.gather(*(gate.chat(rows[name].strategy, stream=True) for name in AFTER))
    for name, answer in zip(AFTER, answers, strict=True):
        words = spoken(answer)
        assert words == list(range(1, len(words) + 1)), name
        assert 1 <= len(words) < len(ALL), name
        assert b"[DONE]" not in answer.body, name
        assert answer.ended == "chunks", name  # the gate's own framing is whole
        error = answer.events[-1]["error"]
        own = name == "error event"
        assert (error["type"], error["code"]) == (("server_error", None) if own else ("upstream_error", "stream_cut"))
        assert not own or error["message"] == "the provider's own words"
        assert (len(twin.calls(rows[name].first)), len(twin.calls(rows[name].second))) == (1, 0), name
    statuses = {record.plan: record.status for record in gate.records()}
    assert {statuses[rows[name].strategy] for name in AFTER} == {502}


async def test_a_stream_that_falls_silent_ends_in_an_error(gate: Gate, twin: Twin, place: Place) -> None:
    """After the provider's time between two pieces."""
    twin.fault({"fault": "stall", "after_bytes": 1_500, "match": {"model": place.hasty}})
    answer = await gate.chat(place.hasty, stream=True)
    assert answer.events[-1]["error"]["code"] == "stream_cut"
    assert b"[DONE]" not in answer.body
    await until(lambda: twin.calls(place.hasty)[0]["end"] == "aborted", "the provider to be let go")


@pytest.mark.parametrize("name", AFTER)
def test_the_sdk_raises_when_a_stream_breaks(client: openai.OpenAI, twin: Twin, place: Place, name: str) -> None:
    """No application takes half an answer for a whole one."""
    twin.fault(AFTER[name])
    stream = client.chat.completions.create(model=place.alone, messages=USER, max_tokens=20, stream=True)
    assert next(stream).choices
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] in {"server_error", "upstream_error"}


async def test_the_sdks_hear_what_a_broken_stream_used(gate: Gate, twin: Twin, places: Iterator[Place]) -> None:
    """Who asks for usage is told with the error, in its own words, what the record of the call says."""
    chat, silent, response, message = (next(places).alone for _ in range(4))
    twin.fault(*({"fault": "cut", "at": "content", "match": {"model": m}} for m in (chat, silent, response, message)))
    told: dict[str, tuple[Any, Any]] = {}
    with sdk(gate.url) as ours:
        for model, options in ((chat, {"stream_options": {"include_usage": True}}), (silent, {})):
            with pytest.raises(openai.APIError) as caught:
                list(ours.chat.completions.create(model=model, messages=USER, stream=True, **options))
            usage = caught.value.body.get("usage", {})
            told[model] = usage.get("prompt_tokens"), usage.get("completion_tokens")
        with pytest.raises(openai.APIError) as caught:
            list(ours.responses.create(model=response, input="three short words", stream=True))
        usage = caught.value.body["usage"]
        told[response] = usage["input_tokens"], usage["output_tokens"]
    http, base = anthropic.DefaultHttpxClient(verify=False), gate.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="any", max_retries=0, http_client=http) as theirs:
        with pytest.raises(anthropic.APIError) as failed:
            list(theirs.messages.create(model=message, messages=USER, max_tokens=20, stream=True))
        usage = failed.value.body["error"]["usage"]
        told[message] = usage["input_tokens"], usage["output_tokens"]
    records = {record.plan: record for record in gate.records() if record.plan in told}
    booked = {model: (record.prompt_tokens, record.completion_tokens) for model, record in records.items()}
    assert all(record.estimated and record.status == 502 for record in records.values())
    assert min(min(used) for used in booked.values()) >= 1
    assert told == booked | {silent: (None, None)}


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_a_slow_first_byte_against_the_deadline(
    gate: Gate, twin: Twin, places: Iterator[Place], stream: bool
) -> None:
    """In time it is an answer; too late it is 504, at once, with the provider let go and nobody else asked."""
    late, early = next(places), next(places)
    twin.fault(
        {"fault": "slow", "ms": 60_000, "match": {"model": late.first}},
        {"fault": "slow", "ms": 150, "match": {"model": early.first}},
    )
    too_late, in_time = await asyncio.gather(
        gate.chat(late.strategy, stream=stream, headers={"x-tidegate-deadline-ms": "400"}),
        gate.chat(early.strategy, stream=stream, headers=PATIENCE),
    )
    assert (in_time.status, spoken(in_time), named(in_time, early)) == (200, ALL, ["first 200"])
    assert (too_late.status, too_late.json["error"]["code"]) == (504, "deadline_exceeded")
    assert too_late.headers["x-should-retry"] == "false"
    await until(lambda: twin.calls(late.first)[0]["end"] == "aborted", "the provider to be let go")
    assert twin.calls(late.second) == []


async def test_a_refused_connection_is_tried_again(gate: Gate, twin: Twin) -> None:
    """While nobody listens nothing is spent; as soon as somebody does, the call is answered."""
    twin.fault({"fault": "refuse", "ms": 300})
    answer = await gate.chat("persistent")
    assert (answer.status, spoken(answer)) == (200, ALL)
    assert tries(answer)[-1] == "persistent 200"
    assert twin.ledger("sk-main", "persistent")["calls"] == 1
    # A try that the closing port still took in, and then reset, may have been sent: what it reserved stays charged.
    assert gate.records("insistent")[-1].charged_tokens in {20, 40}


# ── many callers, one refusal ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_refused_hour_is_not_multiplied(
    gate: Gate, twin: Twin, place: Place, record_property: Callable[[str, object], None]
) -> None:
    """Thirty callers while the provider refuses: one probe for each `Retry-After`; then all are answered, none lost."""
    twin.fault({"fault": "429", "match": {"model": place.alone}, "retry_after_ms": 300, "count": 2})
    first = asyncio.get_running_loop().create_task(gate.chat(place.alone))
    await until(lambda: twin.calls(place.alone), "the first refusal")
    answers = await asyncio.gather(first, *(gate.chat(place.alone) for _ in range(29)))
    assert [answer.status for answer in answers] == [200] * 30
    calls = twin.calls(place.alone)
    refused = [call for call in calls if call["status"] == 429]
    record_property("amplification", len(calls) / 30)
    assert len(refused) == 2
    assert len(calls) == 32
    last = min(call["arrived_us"] for call in calls if call["status"] == 200)
    tried = [call["arrived_us"] for call in refused] + [last]
    assert min(later - earlier for earlier, later in pairwise(tried)) >= 300_000


async def test_a_burst_into_a_refusal_is_bounded(gate: Gate, twin: Twin, place: Place) -> None:
    """Thirty at once cannot know; after their refusals it is one probe at a time, and the retries keep the time."""
    twin.fault({"fault": "429", "match": {"model": place.first}, "retry_after_ms": 400})
    began = time.monotonic()
    answers = await asyncio.gather(*(gate.chat(place.strategy, headers=PATIENCE) for _ in range(30)))
    lasted = time.monotonic() - began
    assert [spoken(answer) for answer in answers] == [ALL] * 30
    assert len(twin.calls(place.first)) <= 30 + 1 + lasted / 0.4
    assert len(twin.calls(place.second)) == 30
    # Three refusals are enough to know: 0 s, 0.4 s, 0.8 s. Nobody stands in that queue until his deadline.
    assert max(int(answer.headers["x-tidegate-wait-ms"]) for answer in answers) < 5_000
