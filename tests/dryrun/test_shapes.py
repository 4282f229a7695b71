"""How large calls were, and how long they take elsewhere."""

from random import Random

from msgspec.structs import replace

from tests.dryrun.days import PROFILE, SECOND, call, refused
from tidegate.dryrun.shapes import Shapes, shape_of
from tidegate.model.arrivals import Asked

LUCK = Random(1)


def shapes(profile: object = PROFILE) -> Shapes:
    return Shapes({"openai": profile}, Random(1))  # type: ignore[dict-item]


def test_an_answer_took_what_is_left_without_waits() -> None:
    """Queue, back-off and earlier attempts are none of it."""
    shape = shape_of(call(0, queued_us=SECOND // 4, waited_us=SECOND // 8), PROFILE)
    assert shape is not None
    assert (shape.first_us, shape.total_us) == (SECOND // 8, SECOND * 5 // 8)
    twice = call(
        0, tries=(Asked("x", "main", "m", 0, 1, 500, "transient"), Asked("openai", "main", "m", 400_000, 1, 200))
    )
    shape = shape_of(twice, PROFILE)
    assert shape is not None
    assert (shape.first_us, shape.total_us) == (100_000, 600_000)


def test_the_limit_of_tokens_is_read_from_the_charge() -> None:
    """Where the provider's rule tells it, and nowhere else."""
    asked = call(0, charged_tokens=900)
    for rule, settles, most in (("max", False, 900), ("sum", False, 800), ("prompt", False, 0), ("max", True, 0)):
        shape = shape_of(asked, replace(PROFILE, charge=rule, settles=settles))
        assert shape is not None
        assert shape.most == most
    known = shape_of(call(0, most_tokens=7), PROFILE)
    assert known is not None
    assert known.most == 7


def test_who_was_refused_is_like_who_was_answered() -> None:
    """Of the same key and model first; with a prompt as long as its own request."""
    known = shapes()
    known.learn(call(0, key="small", prompt_tokens=10, request_bytes=100))
    known.learn(call(0, key="large", prompt_tokens=9_000, request_bytes=40_000))
    known.learn(refused(1, key="small"))
    assert known.of(refused(1, key="small"), LUCK).prompt == 10
    assert known.of(refused(1, key="large"), LUCK).prompt == 9_000
    assert known.of(refused(1, key="large", request_bytes=20_000), LUCK).prompt == 4_500
    assert known.of(refused(1, key="new", model="new"), LUCK).prompt in {10, 9_000}
    assert known.guessed == 1


def test_who_was_refused_asked_for_what_it_asked_for() -> None:
    """`max_tokens` is in the ledger: it is not another call's, and no answer is longer; unstated, it is the other's."""
    known = shapes()
    known.learn(call(0, most_tokens=700, completion_tokens=50))
    small, large = (known.of(refused(1, most_tokens=most), LUCK) for most in (20, 4_000))
    assert (small.most, small.completion) == (20, 20)
    assert (large.most, large.completion) == (4_000, 50)
    assert known.of(refused(1), LUCK).most == 700


def test_another_model_takes_its_own_time() -> None:
    """By the recorded calls of both; one that answered none is as fast as who did."""
    known = shapes()
    for tokens in (10, 100, 1_000):
        known.learn(call(0, completion_tokens=tokens, duration_us=tokens * 10_000, first_byte_us=tokens * 1_000))
        slow = {"served": "slow", "duration_us": tokens * 30_000, "first_byte_us": tokens * 1_000}
        known.learn(call(0, completion_tokens=tokens, **slow))
    shape = known.of(call(0, completion_tokens=100, duration_us=SECOND, first_byte_us=SECOND // 10), LUCK)
    assert known.times(shape, "openai", "gpt-4o", 100) == (100_000, SECOND)
    first, total = known.times(shape, "openai", "slow", 100)
    assert abs(total - 3 * SECOND) < SECOND // 10
    assert abs(first - 300_000) < 10_000
    assert known.times(shape, "openai", "slow", 100)[1] > known.times(shape, "openai", "slow", 50)[1]
    assert known.times(shape, "other", "strange", 100) == (100_000, SECOND)
    assert known.strange == {("other", "strange")}


def test_memory_is_bounded() -> None:
    """A key that nobody saw before is of the kinds that are known."""
    known = shapes()
    for number in range(6_000):
        known.learn(call(0, key=f"key-{number}"))
    assert len(known._seen) <= 5_002
    assert max(map(len, known._donors.values())) == 64
