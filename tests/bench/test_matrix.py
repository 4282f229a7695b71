"""The matrix has every cell that the issue names, and is not easily pleased."""

import pytest

from bench.proofs.faults.cells import TOKENS, Cell, cells
from bench.proofs.faults.clients import Got
from bench.proofs.faults.faults import FAULTS, End, Fault
from bench.proofs.faults.run import Outcome, _judged, figures

ALL = " ".join(f"t{number}" for number in range(1, TOKENS + 1))
HALF = "t1 t2 t3"
FALLBACK, TOLD, PRIMARY = (
    Fault(name, unary=end, stream=end)
    for name, end in (("early", End.FALLBACK), ("late", End.TOLD), ("none", End.PRIMARY))
)
LATE, TOOL = Fault("end", stream=End.TOLD, late=True), Fault("tool", stream=End.TOLD, tools=True)
SECOND = {"second-0": {"first_byte_us": 5_000_000}}


def cell(fault: Fault, *, stream: bool = True) -> Cell:
    return Cell(0, fault, stream, "openai", "anthropic")


def wrong(fault: Fault, got: Got, *, fell_back: bool = False) -> str:
    return _judged(cell(fault), got, SECOND if fell_back else {}).wrong


def test_every_fault_is_met_in_every_form_by_every_client_and_fallback() -> None:
    """Two forms, two clients, two fallbacks, less the forms that a fault does not have."""
    made = cells()
    forms = sum((fault.unary is not None) + (fault.stream is not None) for fault in FAULTS)
    assert len(made) == 4 * forms == 228
    assert [one.number for one in made] == list(range(len(made)))
    assert len({(one.fault.name, one.stream, one.client, one.fallback) for one in made}) == len(made)


def test_what_must_be_told_is_asked_of_streams_only() -> None:
    """A unary answer has not begun before it is complete: it can always be had elsewhere."""
    assert {fault.unary for fault in FAULTS} <= {End.FALLBACK, None}
    assert {one.wanted for one in cells() if one.stream} == set(End)


@pytest.mark.parametrize(
    ("fault", "got", "fell_back"),
    [
        (FALLBACK, Got(ALL, finished=True), True),
        (PRIMARY, Got(ALL, finished=True), False),
        (TOLD, Got(HALF, error="APIError", opened=200), False),
        (LATE, Got(ALL, error="APIError", opened=200), False),
        (LATE, Got(ALL, finished=True, error="APIStatusError", status=200, opened=200), False),
        (TOOL, Got(arguments='{"city":', error="APIError", opened=200), False),
        (Fault("tool", tools=True), Got(arguments='{"city":"t1"}', finished=True), True),
    ],
)
def test_the_documented_ending_is_right(fault: Fault, got: Got, fell_back: bool) -> None:
    """A whole answer of whom it should be from, or a prefix and an error."""
    assert wrong(fault, got, fell_back=fell_back) == ""


@pytest.mark.parametrize(
    ("fault", "got", "fell_back", "words"),
    [
        (FALLBACK, Got(ALL, finished=True), False, "wrong provider"),
        (PRIMARY, Got(ALL, finished=True), True, "wrong provider"),
        (FALLBACK, Got(HALF, finished=True), True, "not a whole answer"),
        (FALLBACK, Got(ALL), True, "not a whole answer"),
        (FALLBACK, Got(ALL, finished=True, error="APIError"), True, "not a whole answer"),
        (FALLBACK, Got(ALL.replace("t5 ", ""), finished=True), True, "out of order"),
        (FALLBACK, Got("t1 t2 t2", finished=True), True, "out of order"),
        (TOLD, Got(HALF, opened=200), False, "not told"),
        (TOLD, Got(HALF, error="unwrapped JSONDecodeError", opened=200), False, "not told"),
        (TOLD, Got(HALF, error="APIConnectionError", opened=200), False, "not told"),
        (TOLD, Got(HALF, error="APITimeoutError", opened=200), False, "not told"),
        (TOLD, Got(HALF, error="APIError", opened=200), True, "wrong provider"),
        (TOLD, Got(error="APIStatusError", status=502), False, "did not begin: 502"),
        (TOLD, Got(HALF, error="APIStatusError", status=502), False, "did not begin: 502"),
        (TOLD, Got(HALF, error="APIError", opened=502), False, "did not begin: 502"),
        (TOLD, Got(error="APIError", opened=200), False, "nothing came"),
        (TOLD, Got("words without a number", error="APIError", opened=200), False, "nothing came"),
        (TOLD, Got("t1 t3", error="APIError", opened=200), False, "out of order"),
        (TOLD, Got("t2 t3", error="APIError", opened=200), False, "out of order"),
        (TOLD, Got("t1 t1", error="APIError", opened=200), False, "out of order"),
        (TOLD, Got(ALL, error="APIError", opened=200), False, "not the part"),
        (TOLD, Got(HALF, finished=True, error="APIError", opened=200), False, "says it is whole"),
        (LATE, Got(HALF, error="APIError", opened=200), False, "not the part"),
        (LATE, Got(f"{ALL} t21", error="APIError", opened=200), False, "not the part"),
        (LATE, Got(ALL, finished=True, opened=200), False, "not told"),
        (TOOL, Got(error="APIError", opened=200), False, "nothing came"),
        (TOOL, Got(arguments='{"city":"t1"}', finished=True, error="APIError", opened=200), False, "says it is whole"),
        (Fault("tool", tools=True), Got(arguments='{"city":"t', finished=True), True, "not a whole answer"),
    ],
)
def test_any_other_is_wrong(fault: Fault, got: Got, fell_back: bool, words: str) -> None:
    """Truncated, doubled, with a gap, from somebody else; refused where a part was due; no typed error after it."""
    assert words in wrong(fault, got, fell_back=fell_back)


def test_only_cuts_behind_the_last_word_are_late() -> None:
    """There all of the words are due; everywhere else fewer."""
    assert [fault.name for fault in FAULTS if fault.late and fault.stream] == [
        "cut before the reason to stop",
        "cut before the last event",
    ]


def test_a_unary_answer_is_cut_in_every_class_of_its_bytes() -> None:
    """Before, in and after its head, at both ends of its body and within it; and its chunks are spoiled."""
    struck = [fault.rule for fault in FAULTS if fault.unary is End.FALLBACK]
    cuts = [rule["at"] for rule in struck if rule.get("fault") == "cut"]
    assert cuts == ["before_head", "head", "after_head", "first_event", "content", "end"]
    assert [rule["at"] for rule in struck if rule.get("fault") == "malformed_chunk"] == ["role", "content"]


def test_the_fallbacks_first_token_is_timed_by_the_provider() -> None:
    """From the provider's first byte to the client's first content, of streams alone."""
    got = Got(ALL, finished=True, first_at=5.03)
    assert _judged(cell(FALLBACK), got, SECOND).late_ms == pytest.approx(30)
    assert _judged(cell(FALLBACK, stream=False), got, SECOND).late_ms is None


def test_a_silent_truncation_and_a_token_twice_are_counted() -> None:
    """Each has a figure of its own, which is not met, and the cell is named."""
    outcomes = [
        Outcome(cell(TOLD), Got(HALF, finished=True), "not told of the cut"),
        Outcome(cell(FALLBACK), Got("t1 t1", finished=True), "tokens out of order"),
    ]
    found = {figure.name: figure for figure in figures(outcomes)}
    assert [found[name].met for name in ("silent truncations", "answers with tokens twice")] == [False, False]
    assert found["cells that ended as documented"].met is False
    assert found["early, stream, O→A"].shown == "tokens out of order"
