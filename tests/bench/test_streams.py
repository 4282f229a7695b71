"""What the rows about streams read out of bytes."""

import subprocess
from pathlib import Path

import pytest

from bench.figures import Figure, at_most
from bench.proofs.stage import events, failed, finished, question, spoken, usages
from bench.proofs.steps import Context, Row
from bench.proofs.streams.price import CHUNKS, ROUNDS, _tap, same_dialect, stream_of
from bench.proofs.streams.seams import unsewn
from bench.proofs.wire import benches
from tidegate.model.call import Kind

CHAT = b"".join(stream_of(Kind.CHAT, 3))
MESSAGES = b"".join(stream_of(Kind.MESSAGES, 3))
CHAT_ERROR = b'data: {"error":{"message":"cut","code":"upstream_cut"}}\n\n'
MESSAGES_ERROR = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"cut"}}\n\n'


@pytest.mark.parametrize("stream", [CHAT, MESSAGES])
def test_a_whole_stream(stream: bytes) -> None:
    """Its tokens, its one usage, its end, in either dialect."""
    told = events(stream)
    assert spoken(told) == [1, 2, 3]
    assert finished(told)
    assert not failed(told)
    assert [completion for _, completion in usages(told)] == [3]


@pytest.mark.parametrize(
    ("stream", "error"),
    [(CHAT[: CHAT.index(b" t3")], CHAT_ERROR), (MESSAGES[: MESSAGES.index(b" t3")], MESSAGES_ERROR)],
)
def test_a_cut_stream(stream: bytes, error: bytes) -> None:
    """What came, no end, and the error as its last event."""
    whole = stream[: stream.rindex(b"\n\n") + 2]
    assert not failed(events(whole))
    told = events(whole + error)
    assert spoken(told) == [1, 2]
    assert failed(told)
    assert not finished(told)


def test_comments_and_other_lines_are_no_events() -> None:
    """A seam's comment, pings of no data, the end mark."""
    assert events(b": continued\n\nevent: ping\n\ndata: [DONE]\n\n") == []
    assert not failed([])


def test_a_question_is_one_in_both_dialects() -> None:
    """The fields that both makers require."""
    asked = question("m", 7, stream=False, extra=1)
    assert (asked["model"], asked["max_tokens"], asked["stream"], asked["extra"]) == ("m", 7, False, 1)


@pytest.mark.parametrize("spoken_kind", [Kind.CHAT, Kind.MESSAGES])
@pytest.mark.parametrize("asked", [Kind.CHAT, Kind.MESSAGES, Kind.RESPONSES])
def test_what_is_priced_is_a_stream(asked: Kind, spoken_kind: Kind) -> None:
    """Every pair gets every token through, so that no price is that of a failure."""
    tap = _tap(asked, spoken_kind)
    out = b"".join(map(tap.feed, stream_of(spoken_kind, 5)))
    assert tap.finished
    assert not tap.failure
    assert b" t5" in out
    assert CHUNKS * ROUNDS > 10_000


# ── an answer begun by one maker and continued by another ───────────────────────────────────────────────────────────

SUMMED = {
    Kind.CHAT: CHAT.replace(b'"prompt_tokens": 9', b'"prompt_tokens": 29'),
    Kind.MESSAGES: MESSAGES.replace(b'{"output_tokens": 3}', b'{"input_tokens": 29, "output_tokens": 3}'),
}
_END = {
    Kind.CHAT: b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    Kind.MESSAGES: b'data: {"type":"message_stop"}\n\n',
}
TRIES, BILLS = [(13, 1), (16, 2)], [(16, 2)]


@pytest.mark.parametrize("kind", SUMMED)
def test_one_answer_of_two_makers(kind: Kind) -> None:
    """Every token once, an end, and one usage: what the first is booked by estimate, what the next one billed."""
    assert unsewn(events(SUMMED[kind]), TRIES, BILLS, 3) == ""


@pytest.mark.parametrize("kind", SUMMED)
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b" t2", b" t3", "tokens"),
        (b" t2", b" t1", "tokens"),
        (b" t1", b"", "tokens"),
        (b" t3", b" t3 t4", "tokens"),
        (b": 29", b": 16", "usage"),
        (b'_tokens": 3', b'_tokens": 2', "usage"),
        (b'"finish_reason": "stop"', b'"finish_reason": null', "end"),
    ],
)
def test_a_bad_seam_is_seen(kind: Kind, old: bytes, new: bytes, words: str) -> None:
    """A token that is missing, doubled or out of order; a usage of one attempt alone; no end."""
    told = SUMMED[kind].replace(old, new)
    if kind is Kind.MESSAGES:
        told = told.replace(b"message_stop", b"ping") if words == "end" else told
    assert words in unsewn(events(told), TRIES, BILLS, 3)


@pytest.mark.parametrize("kind", SUMMED)
def test_a_seam_that_ends_in_an_error_or_says_two_usages_is_seen(kind: Kind) -> None:
    """As is one without a usage."""
    whole = events(SUMMED[kind])
    error = events(CHAT_ERROR if kind is Kind.CHAT else MESSAGES_ERROR)
    usage = [event for event in whole if event.get("usage")]
    assert "end" in unsewn(whole + error, TRIES, BILLS, 3)
    assert "usage" in unsewn(whole + usage, TRIES, BILLS, 3)
    assert "usage" in unsewn([event for event in whole if not event.get("usage")] + events(_END[kind]), TRIES, BILLS, 3)


@pytest.mark.parametrize(
    ("tries", "bills"),
    [
        ([(29, 3)], []),  # nobody went on
        ([(29, 3)], BILLS),  # one attempt stands for both
        (TRIES, []),
        (TRIES, [(16, 2), (16, 2)]),  # it was asked twice
        (TRIES, [(16, 3)]),  # another count than the provider's
        ([(13, 0), (16, 3)], [(16, 3)]),  # nothing was cut
        ([(13, 2), (16, 2)], BILLS),  # more is booked than was said
    ],
)
def test_what_is_booked_for_a_seam_is_what_was_said(tries: list[tuple[int, int]], bills: list[tuple[int, int]]) -> None:
    """Two attempts, the second as its provider bills it, and together the tokens that came."""
    assert "booked" in unsewn(events(SUMMED[Kind.CHAT]), tries, bills, 3)


def test_an_answer_of_two_seams() -> None:
    """Three attempts, of which the last one is as its provider bills it; one that is missing or empty is seen."""
    whole = events(SUMMED[Kind.CHAT])
    tries, bills = [(9, 1), (10, 1), (10, 1)], [(10, 7), (10, 1)]  # who is cut may have made more than was read
    assert unsewn(whole, tries, bills, 3, times=2) == ""
    assert "booked" in unsewn(whole, tries, bills, 3, times=1)
    assert "booked" in unsewn(whole, TRIES, BILLS, 3, times=2)
    assert "booked" in unsewn(whole, [(9, 2), (10, 0), (10, 1)], bills, 3, times=2)
    assert "usage" in unsewn(whole, [(9, 1), (9, 1), (10, 1)], bills, 3, times=2)


# ── calls and streams that are not translated ───────────────────────────────────────────────────────────────────────

UNARY, STREAM = "governed unary, worker ÷ nginx", "51-chunk stream, worker ÷ nginx"


def _same_dialect(monkeypatch: pytest.MonkeyPatch, code: int, figures: list[Figure]) -> tuple[list[str], Row]:
    """The step over a bench that ends so; what it ran."""
    ran: list[str] = []

    def run(row: Row, command: list[str], environment: object) -> subprocess.CompletedProcess[str]:
        ran.extend(command)
        return subprocess.CompletedProcess(command, code, "", "why")

    monkeypatch.setattr(benches, "run_bench", run)
    monkeypatch.setattr(benches, "written", {"wire": figures}.__getitem__)
    row = Row("cost")
    same_dialect(Context(Path(), Path(), quick=False, peers=False), row)
    return ran, row


def test_calls_and_streams_are_both_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sections, in more rounds than the bench makes by itself; each figure counts."""
    figures = [at_most(UNARY, 3.0, 3.5, "×"), at_most(STREAM, 1.5, 1.6, "×")]
    ran, row = _same_dialect(monkeypatch, 0, figures)
    assert ran[-4:] == ["--only", "unary,stream", "--rounds", "13"]
    assert (row.figures, row.met) == (figures, True)
    assert _same_dialect(monkeypatch, 0, [figures[0], at_most(STREAM, 1.7, 1.6, "×")])[1].met is False


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_price_that_was_not_measured_is_missing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Also when an earlier run's file lies there: the figures of a bench that broke are not read."""
    row = _same_dialect(monkeypatch, code, [at_most(UNARY, 3.0, 3.5, "×")])[1]
    assert row.met is None
    open_ones = [figure.name for figure in row.figures if figure.met is None]
    assert open_ones == ([STREAM] if code == 0 else [UNARY, STREAM])
