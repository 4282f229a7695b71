"""Events are numbered, the last ones are kept."""

from tidegate.twin.events import Event, Events


def noted(count: int, most: int) -> Events:
    events = Events(most)
    for number in range(count):
        events.note(Event(number, "key", "model", "user", 1, ""))
    return events


def test_pages_go_on_where_the_last_one_ended():
    """Number and limit."""
    events = noted(5, 10)
    assert [event.at_us for event in events.after(0, 2)] == [0, 1]
    assert [event.at_us for event in events.after(2, 9)] == [2, 3, 4]


def test_only_the_last_are_kept_and_numbers_stay():
    """The first three of eight are gone."""
    events = noted(8, 5)
    assert events.noted == 8
    assert [event.at_us for event in events.after(0, 2)] == [3, 4]
    assert [event.at_us for event in events.after(6, 9)] == [6, 7]


def test_forgetting_begins_again():
    """With number 0."""
    events = noted(3, 5)
    events.forget()
    assert not list(events.after(0, 9))
    assert events.noted == 0
