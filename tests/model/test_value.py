"""What is equal by what it says."""

from tidegate.model.tenant import PAID, Tenant
from tidegate.model.value import Value


class _Pair(Value):
    def __init__(self, one: str, other: object) -> None:
        self.one = one
        self.other = other

    def said(self) -> tuple[object, ...]:
        return self.one, self.other


class _Other(_Pair):
    """The same fields, and another thing."""


def test_who_says_the_same_is_the_same() -> None:
    """Of one class, in every field; and a dictionary finds it."""
    assert _Pair("a", 1) == _Pair("a", 1)
    assert len({_Pair("a", 1), _Pair("a", 1), _Pair("a", 2), _Pair("b", 1), _Other("a", 1)}) == 4
    assert _Pair("a", 1) != ("a", 1)
    assert _Pair("a", _Pair("b", 2)) == _Pair("a", _Pair("b", 2))


def test_it_shows_what_it_says() -> None:
    """In tests and logs."""
    assert repr(Tenant("acme", PAID)) == "Tenant('acme', Tier('paid', 2, 4000, True, True), 1000, 'acme')"
