"""What a key that is known may."""

import pytest

from tidegate.edge.access.entitled import Models
from tidegate.edge.access.principals import Principal
from tidegate.edge.access.rights import not_allowed, objection
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import ClientKey
from tidegate.model.tenant import NOBODY
from tidegate.policy.access.addresses import parse_address

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
HERE = parse_address("192.0.2.7")


def client(**more: object) -> Principal:
    return Principal("web", NOBODY, ClientKey("web", b"", **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, ""),
        ({"not_before_us": NOW, "expires_us": NOW + 1}, ""),
        ({"not_before_us": NOW + 1}, "not valid before 2023-11-14 22:13:20 UTC"),
        ({"expires_us": NOW}, "expired at 2023-11-14 22:13:20 UTC. Ask for a new one"),
        ({"expires_us": 1}, "expired at 1970-01-01"),
    ],
)
def test_when(more: dict[str, int], told: str) -> None:
    """From its first moment to just before its last."""
    problem = objection(client(**more), HERE, NOW)
    assert (problem is None) == (told == "")
    if problem is not None:
        assert problem.kind is ProblemKind.UNAUTHENTICATED
        assert told in problem.message


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        (("192.0.2.0/24",), "192.0.2.7", True),
        (("198.51.100.0/24", "192.0.2.7/32"), "192.0.2.7", True),
        (("198.51.100.0/24",), "192.0.2.7", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "192.0.2.7", False),
        (("192.0.2.0/24",), "", False),
        (("0.0.0.0/0", "::/0"), "2001:db8::1", True),
    ],
)
def test_from_where(networks: tuple[str, ...], address: str, *, allowed: bool) -> None:
    """From its networks only; a peer without an address is in none."""
    problem = objection(client(addresses=networks), parse_address(address), NOW)
    assert (problem is None) == allowed
    if problem is not None:
        assert problem.kind is ProblemKind.ADDRESS_NOT_ALLOWED
        assert problem.message == f"This key may not be used from {address or 'unknown'}."


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (("a", "b*"), "It may use: a, b1."),
        (("z",), "It may use: none that is served here."),
        (("m*",), "It may use: " + ", ".join(f"m{number}" for number in range(20)) + " and 5 more."),
    ],
)
def test_which_models(allowed: tuple[str, ...], told: str) -> None:
    """The names that it may use stand there, as far as there is room."""
    served = ("a", "b1", "c", *(f"m{number}" for number in range(25)))
    problem = not_allowed(Models([allowed]), "x" * 1_000, served)
    assert problem.kind is ProblemKind.MODEL_NOT_ALLOWED
    assert problem.message == f"This key may not use the model '{'x' * 128}'. {told}"
    assert problem.param == "model"
