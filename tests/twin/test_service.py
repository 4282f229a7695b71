"""An admitted call is booked once, and shows the limits it was admitted under."""

import pytest

from tidegate.twin.calls import Calls
from tidegate.twin.config import convert
from tidegate.twin.directory import Directory
from tidegate.twin.service import Service


@pytest.fixture
def directory():
    return Directory(convert({"rules": {"settles": True}}, "t"), 0)


@pytest.fixture
def service(directory):
    seat = directory.seat("k", directory.organisation("k"), "gpt-4o", 0)
    call = Calls(0).begin("POST", "/", 0)
    call.key, call.prompt_tokens, call.charged_tokens = "k", 10, 100
    assert seat.meter.admit("k", 100, 0) is None
    return Service(call, seat, 0)


def test_the_end_counts_once(directory, service):
    """Whatever is reported after the first end changes nothing."""
    service.finish("cut", 5, 1)
    service.finish("aborted", 50, 2)
    totals = directory.ledger.totals()
    assert (totals["billed_tokens"], totals["charged_tokens"]) == (15, 15)
    assert (service.call.end, service.call.ended_at) == ("cut", 1)


def test_a_reply_shows_the_limits_it_was_admitted_under(directory, service):
    """A change while it was under way stays unseen: its headers were made before."""
    meter = directory.seat("k", directory.organisation("k"), "gpt-4o", 0).meter
    directory.relimit(None, "gpt-4o", (None, 50, None), 0)
    service.begun(1)
    assert meter.admit("k", 51, 1).label == "unseen limit"


def test_a_later_reply_ends_the_excuse(directory, service):
    """It was admitted under the new limits and shows them."""
    seat = directory.seat("k", directory.organisation("k"), "gpt-4o", 0)
    directory.relimit(None, "gpt-4o", (None, 50, None), 0)
    Service(service.call, seat, 1).begun(2)
    assert seat.meter.admit("k", 51, 2).label == "avoidable"
