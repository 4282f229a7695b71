"""Why a call is refused."""

import pytest

from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

WHO = ("acme", "", "", "")


def test_what_keeps_a_call_away_for_longest_is_the_worst() -> None:
    """Never, then until another day, then for a while: the longer, the worse, whatever it is called."""
    ranked = [
        Short(TOO_LARGE, WHO, "x"),
        Short(EXHAUSTED, WHO, "x", 0, 2_000),
        Short(EXHAUSTED, WHO, "x", 0, 1_000),
        Short(BUSY, WHO, "x", 30),
        Short(RATE, WHO, "x", 20),
        Short(BUSY, WHO, "x", 10),
    ]
    for number, one in enumerate(ranked):
        assert all(one.worse(other) for other in ranked[number + 1 :])
        assert not any(one.worse(other) for other in ranked[: number + 1])


@pytest.mark.parametrize(
    ("who", "whose"),
    [
        (("acme", "", "", ""), "namespace 'acme'"),
        (("acme", "ann", "", ""), "user 'ann'"),
        (("acme", "", "ci", ""), "key 'ci'"),
        (("acme", "", "", "gpt"), "namespace 'acme' for 'gpt'"),
    ],
)
def test_whose_it_is(who: tuple[str, str, str, str], whose: str) -> None:
    """As the client is told."""
    assert Short(RATE, who, "x", 1).whose == whose
