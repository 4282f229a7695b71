"""For how long something goes on, pauses, and what is remembered."""

from tidegate.observe.spans import Spans

SECOND = 1_000_000
PAUSE = 10 * SECOND
ONE = ("limited", "gpt-4o")


def test_it_goes_on_while_it_is_seen_before_a_pause_is_over() -> None:
    """Seen ten seconds later it has gone on; seen after that it begins anew."""
    spans = Spans(PAUSE)
    for at in (100, 105, 115, 125):
        spans.mark(ONE, at * SECOND)
        spans.sweep(at * SECOND)
    assert (spans.since(ONE), spans.until(ONE)) == (100 * SECOND, 125 * SECOND)
    spans.sweep(135 * SECOND)
    assert ONE in spans
    spans.sweep(135 * SECOND + 1)
    assert (ONE in spans, spans.since(ONE), spans.until(ONE)) == (False, 0, 0)
    spans.mark(ONE, 140 * SECOND)
    spans.mark(ONE, 151 * SECOND)
    assert spans.since(ONE) == 151 * SECOND


def test_what_ends_at_once() -> None:
    """Ending what is over changes nothing."""
    spans = Spans(PAUSE)
    spans.mark(ONE, SECOND)
    spans.end(ONE)
    spans.end(ONE)
    assert spans.keys() == []


def test_what_an_earlier_process_saw_goes_on() -> None:
    """Though nobody looked for longer than a pause; once it has been seen again, pauses count as ever."""
    first, second = Spans(PAUSE), Spans(PAUSE)
    first.mark(ONE, 100 * SECOND)
    second.recall(first.dump(), 130 * SECOND)
    second.sweep(130 * SECOND)
    assert (second.since(ONE), second.until(ONE)) == (100 * SECOND, 100 * SECOND)
    second.mark(ONE, 131 * SECOND)
    assert second.since(ONE) == 100 * SECOND
    second.sweep(142 * SECOND)
    assert ONE not in second


def test_what_was_seen_long_ago_is_over() -> None:
    """After a minute, or with moments that make no sense; and what is recalled is let go after a minute too."""
    old = {ONE: (10 * SECOND, 20 * SECOND), ("b",): (300 * SECOND, 200 * SECOND), ("c",): (100 * SECOND, 250 * SECOND)}
    spans = Spans(PAUSE)
    spans.recall(old, 301 * SECOND)
    assert spans.keys() == [("c",)]
    spans.sweep(311 * SECOND)
    assert spans.keys() == []


def test_how_many_there_are_is_bounded() -> None:
    """What comes beyond is not followed."""
    spans = Spans(PAUSE)
    for number in range(3_000):
        spans.mark((str(number),), SECOND)
    assert len(spans.dump()) == 2_000
