"""What went wrong at providers goes wrong again."""

from random import Random

from tests.dryrun.days import MORNING, SECOND, call
from tidegate.dryrun.troubles import Failed, Troubles, fault_of
from tidegate.model.arrivals import Arrival, Asked


def failed(second: float, reason: str = "overload", status: int = 503) -> Arrival:
    one = Asked("openai", "main", "gpt-4o", 0, 1, status, reason)
    return call(second, provider="", served="", status=503, tries=(one,))


def troubles(*arrivals: Arrival) -> Troubles:
    found = Troubles()
    for arrival in arrivals:
        found.learn(arrival)
    found.close()
    return found


def at(found: Troubles, second: float, model: str = "gpt-4o") -> Failed | None:
    return found.at("openai", "main", model, MORNING + int(second * SECOND), Random(1))


def test_a_spell_is_from_the_first_failure_to_the_last() -> None:
    """Whoever asks that target meanwhile fails in the same way, and nobody else does."""
    found = troubles(call(0), failed(10), failed(20), failed(40), call(50))
    assert found.spells == 1
    assert at(found, 30) == Failed(503, "overload")
    assert at(found, 9) is None
    assert at(found, 41) is None
    assert at(found, 30, model="other") is None


def test_single_failures_come_as_often_as_they_came() -> None:
    """One call in ten failed: about one in ten does."""
    calls = [failed(n) if n % 10 == 5 else call(n) for n in range(1_000)]
    found, luck = troubles(*calls), Random(1)
    assert found.spells == 0
    again = sum(found.at("openai", "main", "gpt-4o", MORNING + n, luck) is not None for n in range(1_000))
    assert 70 <= again <= 130


def test_quota_and_faults_of_requests_are_no_trouble() -> None:
    """The new policy's own limits say who is over them; a bad request is bad wherever it goes."""
    found = troubles(failed(1, "rate", 429), failed(2, "fatal", 400), failed(3, "stopped", 0))
    assert at(found, 2) is None
    assert fault_of(failed(2, "fatal", 400)) == Failed(400, "fatal")
    assert fault_of(failed(2)) is None
