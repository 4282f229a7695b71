"""An answer of the cache as a span."""

import msgspec

from tests.journal.hits import AT_US, hit
from tests.tracing.test_spans import PARENT
from tidegate.model import trace
from tidegate.model.facts import Hit
from tidegate.tracing import names
from tidegate.tracing.hit_spans import span_of


def known(call: int = 7, **more: object) -> Hit:
    """As the edge writes it now."""
    made = {"asked": "gpt", "tier": "vip", "duration_us": 250, "trace": PARENT, "kind": "messages"}
    return msgspec.structs.replace(hit(call, source=3), **made | more)


def test_it_stands_in_its_clients_trace() -> None:
    """A server's span of its own, as long as the answer took; the gate is who answered."""
    span = span_of(known(), "j")
    assert (span.name, span.server, span.failed) == ("chat gpt", True, "")
    assert (span.trace_id, span.parent_id) == (trace.trace_id(PARENT), trace.parent(PARENT))
    assert span.span_id == trace.span(7, 0)
    assert (span.begin_us, span.end_us) == (AT_US - 250, AT_US)
    told = span.attributes
    assert (told[names.OPERATION], told[names.PROVIDER]) == ("chat", "tidegate")
    assert (told[names.REQUEST_MODEL], told[names.RESPONSE_MODEL]) == ("gpt", "gpt/4o")
    assert (told[names.STATUS_CODE], told[names.CALL]) == (200, "7")


def test_it_says_whose_answer_it_was() -> None:
    """Layer, call, age in seconds and likeness; no tokens, for nobody made any."""
    told = span_of(known(), "j").attributes
    assert (told[names.CACHE], told[names.CACHE_SOURCE], told[names.CACHE_AGE]) == ("exact", "3", 9.0)
    assert told[names.CACHE_ALIKE] == 1
    assert not {names.INPUT_TOKENS, names.OUTPUT_TOKENS, names.COST} & set(told)


def test_of_an_older_record_it_says_what_it_knows() -> None:
    """One that was written before it had a kind and a trace: always the same trace for the same record."""
    one, other = (span_of(hit(7), journal) for journal in ("j", "k"))
    assert (one.name, one.parent_id, one.attributes[names.OPERATION]) == ("unknown", "", "unknown")
    assert one.trace_id == span_of(hit(7), "j").trace_id != other.trace_id
