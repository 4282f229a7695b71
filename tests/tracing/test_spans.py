"""A call's record as spans: names, ids, times, and what failed."""

from tidegate.model import trace
from tidegate.model.facts import CallRecord, Try
from tidegate.model.story import QUEUED, Step
from tidegate.tracing import names
from tidegate.tracing.makers import maker
from tidegate.tracing.spans import spans_of

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AT = 1_700_000_000_000_000
MAKERS = {"openai": maker("azure", "https://llm.example/v1")}


def record(status: int = 200, **fields: object) -> CallRecord:
    base = {
        "call_id": 7, "at_us": AT, "client": "k", "plan": "p", "model": "gpt-4o", "target": "openai/main/gpt-4o",
        "status": status, "attempts": 1, "streamed": False, "queued_us": 300, "waited_us": 0, "first_byte_us": 900,
        "duration_us": 2_000, "prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 0, "charged_tokens": 40,
        "estimated": False, "tenant": "acme", "cost_nano": 2_000_000_000, "kind": "chat",
    }  # fmt: skip
    return CallRecord(**{**base, **fields})


def attempt(status: int, reason: str, at_us: int, **fields: object) -> Try:
    return Try("openai/main/gpt-4o", at_us, 500, status, reason, 0, 0, 0, 0, 40, False, 0, **fields)


def test_a_call_and_its_attempt() -> None:
    """Two spans of one trace; the inner one is the outer one's child, and lasts as long as the attempt did."""
    call, tried = spans_of(record(), "j", MAKERS)
    assert (call.name, call.server, call.parent_id, call.failed) == ("chat gpt-4o", True, "", "")
    assert (call.begin_us, call.end_us) == (AT - 2_000, AT)
    assert (tried.parent_id, tried.trace_id, tried.server) == (call.span_id, call.trace_id, False)
    assert (tried.begin_us, tried.end_us) == (AT - 1_700, AT)
    told = call.attributes
    assert (told[names.PROVIDER], told[names.UPSTREAM]) == ("azure.ai.openai", "openai"), "the profile's, and ours"
    assert (told[names.RESPONSE_MODEL], told[names.SCOPE]) == ("gpt-4o", "main")
    asked = tried.attributes
    assert (asked[names.PROVIDER], asked[names.SERVER], asked[names.PORT]) == ("azure.ai.openai", "llm.example", 443)
    assert (told[names.INPUT_TOKENS], told[names.OUTPUT_TOKENS], told[names.COST]) == (10, 5, 2.0)
    assert names.TAG not in told, "what there is nothing of is not told"


def test_who_named_a_trace_finds_the_call_in_it() -> None:
    """Its client's span is the parent, and an attempt has the id that its provider was told."""
    call, tried = spans_of(record(trace=PARENT), "j", MAKERS)
    assert (call.trace_id, call.parent_id) == (PARENT[3:35], PARENT[36:52])
    assert tried.span_id == trace.span(7, 1)


def test_the_same_record_has_the_same_ids() -> None:
    """So that what is sent twice is known; another journal's call of the same number is another one."""
    one, again, other = (
        spans_of(record(), "j", MAKERS),
        spans_of(record(), "j", MAKERS),
        spans_of(record(), "other", MAKERS),
    )
    assert [span.span_id for span in one] == [span.span_id for span in again]
    assert one[0].trace_id == again[0].trace_id != other[0].trace_id
    assert len(one[0].trace_id) == 32


def test_what_failed_says_why() -> None:
    """A refusal on its attempt, with the headers that mattered; a fault of the client is no failure of the gate."""
    headers = (("retry-after", "15"),)
    tries = (attempt(429, "rate", AT - 1_900, headers=headers), attempt(200, "", AT - 600))
    call, first, second = spans_of(record(tries=tries, attempts=2), "j", MAKERS)
    assert (call.failed, first.failed, second.failed) == ("", "rate", "")
    assert first.attributes["http.response.header.retry-after"] == "15"
    assert second.attributes[names.RESEND_COUNT] == 1
    assert [spans_of(record(status, target=""), "j", MAKERS)[0].failed for status in (400, 429, 499, 503, 0)] == [
        "", "", "", "503", "lost",
    ]  # fmt: skip


def test_its_story_is_events() -> None:
    """Each with its moment, and what was found."""
    story = (Step(QUEUED, 100, 300, "openai/main/gpt-4o", "quota", (("ahead", 3),)),)
    (event,) = spans_of(record(story=story), "j", MAKERS)[0].events
    assert (event.name, event.at_us) == ("queued", AT - 1_900)
    assert event.attributes == {
        "tidegate.lasted": 0.0003,
        "tidegate.target": "openai/main/gpt-4o",
        "tidegate.why": "quota",
        "tidegate.ahead": 3,
    }


def test_what_the_conventions_require_is_always_there() -> None:
    """Operation and provider: of what is forwarded, of a call that nobody was asked for, of one that was lost."""
    for made, operation, provider in (
        (record(kind="pass"), "forward", "azure.ai.openai"),
        (record(kind="embedding"), "embeddings", "azure.ai.openai"),
        (record(429, target="", attempts=0), "chat", "tidegate"),
        (record(503, target="", tries=(attempt(500, "transient", AT - 900),)), "chat", "azure.ai.openai"),
        (record(0, kind="", target="gone/main/m"), "unknown", "gone"),
    ):
        for span in spans_of(made, "j", MAKERS):
            assert span.attributes[names.OPERATION] == operation
        assert spans_of(made, "j", MAKERS)[0].attributes[names.PROVIDER] == provider


def test_only_a_stream_has_a_first_chunk() -> None:
    """Told with `gen_ai.request.stream`; of an attempt without the waits before it, and never of a refusal."""
    for span in spans_of(record(first_token_us=0), "j", MAKERS):
        assert span.attributes.keys() & {names.FIRST_CHUNK, names.REQUEST_STREAM} == set()
    tries = (attempt(429, "rate", AT - 1_900, first_byte_us=80), attempt(200, "", AT - 600, first_byte_us=50))
    stream = record(streamed=True, first_token_us=1_500, tries=tries, attempts=2, most_tokens=64)
    call, first, second = (span.attributes for span in spans_of(stream, "j", MAKERS))
    assert (call[names.FIRST_CHUNK], first.get(names.FIRST_CHUNK), second[names.FIRST_CHUNK]) == (0.0015, None, 0.0001)
    assert (call[names.REQUEST_STREAM], call[names.MAX_TOKENS]) == (True, 64)


def test_an_error_of_the_client_has_its_type() -> None:
    """Though the gate's span has not failed: what ended in an error says which."""
    told = [
        spans_of(record(status, target=""), "j", MAKERS)[0].attributes.get(names.ERROR_TYPE)
        for status in (200, 404, 499)
    ]
    assert told == [None, "404", "cancelled"]
