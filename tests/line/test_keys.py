"""The credentials of a scope, in turn."""

import pytest

from tidegate.line.keys import PAUSE_US, KeyRing, Retired, fingerprint, is_dead
from tidegate.model.outcome import Reason
from tidegate.model.reply import Answer, Failure


def test_round_robin() -> None:
    """Every key the same number of times."""
    ring = KeyRing(("a", "b", "c"))
    turns = [ring.next(0) for _ in range(9)]
    assert {key: turns.count(key) for key in turns} == {b"a": 3, b"b": 3, b"c": 3}
    assert turns[:3] == turns[3:6] == turns[6:]


def test_one_key_is_always_its_turn() -> None:
    """And it cannot be retired: the last one never leaves."""
    ring = KeyRing(("a",))
    assert [ring.next(0) for _ in range(3)] == [b"a"] * 3
    assert ring.retire(b"a", 0) is None
    assert (len(ring), ring.retired) == (1, 0)


def test_a_refused_key_leaves() -> None:
    """A stranger cannot be retired, nor can the last."""
    ring = KeyRing(("a", "b", "c"))
    assert ring.retire(b"b", 5) == Retired(fingerprint(b"b"), 2, PAUSE_US + 5, news=True)
    assert ring.retire(b"x", 0) is None
    assert {ring.next(0) for _ in range(6)} == {b"a", b"c"}
    assert ring.retire(b"a", 0)
    assert ring.retire(b"c", 0) is None
    assert ring.next(0) == b"c"
    assert (len(ring), ring.retired) == (1, 2)


def test_what_was_in_flight_with_it_is_not_the_scopes_fault() -> None:
    """Ten calls meet the same dead key: it leaves once, and nobody else is blamed for the other nine."""
    ring = KeyRing(("a", "b"))
    events = [ring.retire(b"a", 0) for _ in range(10)]
    assert [event.news for event in events if event] == [True] + [False] * 9
    assert len(ring) == 1


def test_it_comes_back_by_a_probe() -> None:
    """One call after the pause; refused again, it stays out; answered, it is back."""
    ring = KeyRing(("a", "b"))
    ring.retire(b"a", 0)
    assert ring.next(PAUSE_US - 1) == b"b"
    assert [ring.next(PAUSE_US) for _ in range(4)] == [b"a", b"b", b"b", b"b"]
    event = ring.retire(b"a", PAUSE_US + 5)
    assert event is not None
    assert (event.news, event.again_at) == (False, 2 * PAUSE_US)
    assert not ring.restore(b"a")
    assert [ring.next(2 * PAUSE_US) for _ in range(2)] == [b"a", b"b"]
    assert ring.restore(b"a")
    assert not ring.restore(b"a")
    assert {ring.next(0) for _ in range(2)} == {b"a", b"b"}
    assert ring.retired == 0


def test_an_answer_from_before_restores_nothing() -> None:
    """A call that was sent before the key was refused may still be answered."""
    ring = KeyRing(("a", "b"))
    ring.retire(b"a", 0)
    assert not ring.restore(b"a")
    assert not ring.restore(b"b")
    assert len(ring) == 1


def test_a_probe_without_a_verdict_is_repeated() -> None:
    """Its client left, say: the next one is sent after another pause."""
    ring = KeyRing(("a", "b"))
    ring.retire(b"a", 0)
    assert [ring.next(PAUSE_US) for _ in range(2)] == [b"a", b"b"]
    assert [ring.next(2 * PAUSE_US) for _ in range(2)] == [b"a", b"b"]


def test_the_event_shows_no_key() -> None:
    """Eight digits of its digest, whatever the key."""
    ring = KeyRing(("sk-secret", "b"))
    event = ring.retire(b"sk-secret", 0)
    assert "secret" not in repr(event)
    assert event is not None
    assert len(event.digest) == 8


@pytest.mark.parametrize(
    ("reason", "status", "body", "dead"),
    [
        (Reason.AUTH, 401, b"", True),
        (Reason.AUTH, 403, b'{"error": {"message": "You may not use this model"}}', False),
        (Reason.AUTH, 403, b'{"error": {"message": "This API key was REVOKED"}}', True),
        (Reason.AUTH, 403, b'{"error": {"code": "invalid_api_key"}}', True),
        (Reason.BILLING, 429, b'{"error": {"code": "insufficient_quota"}}', False),
        (Reason.BILLING, 402, b'{"error": {"message": "Key limit exceeded"}}', True),
        (Reason.RATE, 429, b"the key limit of your key", False),
        (Reason.FATAL, 400, b"revoked", False),
    ],
)
def test_whose_fault(reason: Reason, status: int, body: bytes, dead: bool) -> None:
    """A 401 is the key's; a 403 or a lack of money only when the provider says so."""
    assert is_dead(Failure(reason, "", Answer(status, (), body))) == dead


def test_a_model_that_is_out_is_no_keys_fault() -> None:
    """Whatever the words."""
    assert not is_dead(Failure(Reason.AUTH, "", Answer(401, (), b""), out="model"))


@pytest.mark.parametrize(
    ("reason", "dead"), [(Reason.AUTH, True), (Reason.BILLING, True), (Reason.RATE, False), (Reason.CAPACITY, False)]
)
def test_a_profile_may_say_that_it_is_the_key(reason: Reason, dead: bool) -> None:
    """Whatever the status: Google says it with 400. A key that is over its quota is good later."""
    assert is_dead(Failure(reason, "", Answer(400, (), b"API key not valid"), out="key")) is dead


def test_without_an_answer_nobody_knows() -> None:
    """An error inside a stream names no key."""
    assert not is_dead(Failure(Reason.AUTH, ""))


@pytest.mark.parametrize("keys", [1, 10_000])
def test_the_turn_costs_the_same_for_any_number_of_keys(keys: int) -> None:
    """A rotation by one."""
    ring = KeyRing(tuple(f"k{number}" for number in range(keys)))
    assert len({ring.next(0) for _ in range(keys)}) == keys


def names(ring: KeyRing, turns: int = 6) -> set[bytes]:
    return {ring.next(0) for _ in range(turns)}


def marks(*keys: bytes) -> set[str]:
    return {fingerprint(key) for key in keys}


def test_a_drained_key_is_not_used() -> None:
    """Until it is restored; a refusal of a call that was in flight with it retires nothing."""
    ring = KeyRing(("a", "b", "c"))
    ring.drain(marks(b"b"))
    assert names(ring) == {b"a", b"c"}
    assert ring.retire(b"b", 0) is None
    assert [state for _, state, _ in ring.states()] == ["good", "drained", "good"]
    ring.drain(marks(b"a"))
    assert names(ring) == {b"b", b"c"}
    ring.drain(set())
    assert names(ring) == {b"a", b"b", b"c"}


def test_the_last_key_in_service_is_used_though_it_was_refused() -> None:
    """What it is told is the scope's: the scope's breaker closes, and tells when."""
    ring = KeyRing(("a", "b"))
    assert ring.retire(b"b", 0) is not None
    assert [(state, at) for _, state, at in ring.states()] == [("good", 0), ("dead", PAUSE_US)]
    ring.drain(marks(b"a"))
    assert names(ring) == {b"b"}
    assert not ring.out_of_service
    ring.drain(set())
    assert names(ring) == {b"a", b"b"}


def test_all_keys_drained_is_the_scope_drained() -> None:
    """Who has its turn already is served by what there is; restored one by one, they serve one by one."""
    ring = KeyRing(("a", "b"))
    ring.drain(marks(b"a", b"b"))
    assert ring.out_of_service
    assert names(ring) <= {b"a", b"b"}
    ring.drain(marks(b"a"))
    assert not ring.out_of_service
    assert names(ring) == {b"b"}


def test_a_key_on_trial_that_is_drained() -> None:
    """It is tried no more, and begins anew when it is restored."""
    ring = KeyRing(("a", "b"))
    assert ring.retire(b"b", 0) is not None
    assert ring.next(PAUSE_US) == b"b"
    assert [state for _, state, _ in ring.states()] == ["good", "cooling"]
    ring.drain(marks(b"b"))
    assert not ring.restore(b"b")
    assert {ring.next(3 * PAUSE_US) for _ in range(3)} == {b"a"}
    ring.drain(set())
    assert [state for _, state, _ in ring.states()] == ["good", "good"]


def test_a_key_is_found_by_its_fingerprint() -> None:
    """Also one that is out of the ring; a stranger's is none."""
    ring = KeyRing(("a", "b"))
    ring.retire(b"a", 0)
    assert [ring.of(fingerprint(key)) for key in (b"a", b"b", b"c")] == [b"a", b"b", None]
