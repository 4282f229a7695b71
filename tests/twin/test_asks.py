"""Which tools are called, and where an answer goes on."""

import pytest

from tidegate.twin.asks import Ask, Function, continued, offer
from tidegate.twin.settings import MODELS

TOOLS = [Function("get_weather"), Function("searchFlights"), Function("add")]


def offered(words, *, forced=False, parallel=True, asked=True, tools=TOOLS):
    ask = Ask(MODELS[0], [], 0, hint=words)
    offer(ask, list(tools), forced=forced, parallel=parallel, asked=asked)
    return [tool.name for tool in ask.tools], ask.tool_forced


@pytest.mark.parametrize(
    ("words", "names", "forced"),
    [
        ("hello", ["get_weather"], False),
        ("[tool] please", ["get_weather"], True),
        ("[tools] please", ["get_weather", "searchFlights", "add"], True),
        ("what is the weather like?", ["get_weather"], True),
        ("Flights to Oslo", ["searchFlights"], True),
        ("the weather and flights", ["get_weather", "searchFlights"], True),
        ("call get_weather", ["get_weather"], True),
        ("Use the tool.", ["get_weather"], True),
    ],
)
def test_what_the_user_asks_for(words, names, forced):
    """By mark, by name, or by a word of the name."""
    assert offered(words) == (names, forced)


def test_what_the_request_demands():
    """Holds when the words ask for nothing, and when the last turn is no user's."""
    assert offered("hello", forced=True) == (["get_weather"], True)
    assert offered("weather", forced=True, asked=False) == (["get_weather"], True)
    assert offered("weather", asked=False) == (["get_weather"], False)


def test_one_at_a_time():
    """The first of those that are named."""
    assert offered("flights, weather", parallel=False) == (["get_weather"], True)
    assert offered("x", tools=[]) == ([], False)


@pytest.mark.parametrize(
    ("prefix", "number"), [("", 0), (" t1 t2", 2), ("so: t41\n", 41), ("t7 and", 0), ("cat12", 0), (" t1 t2 t", 0)]
)
def test_where_a_prefix_stopped(prefix, number):
    """At its last numbered token, if it ends with one."""
    assert continued(prefix) == number
