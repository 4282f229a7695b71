"""What a name stands for."""

import pytest

from tests.jobs.hooks.stand import Book
from tidegate.jobs.hooks.names import SystemNames
from tidegate.jobs.hooks.post import NotSent, addresses_of
from tidegate.policy.access.addresses import parse_address
from tidegate.policy.jobs.addresses import Allowed
from tidegate.policy.jobs.webhooks import Target

TARGET = Target(True, "hooks.example", 443, "/")


async def test_the_system_knows_names_and_addresses() -> None:
    """Its own machine by name; an address is asked of nobody."""
    names = SystemNames()
    assert parse_address("127.0.0.1") in await names.addresses("localhost")
    assert await names.addresses("8.8.8.8") == (parse_address("8.8.8.8"),)
    assert await names.addresses("::1") == (parse_address("::1"),)


async def test_what_can_be_no_name_is_none() -> None:
    """It is told like any other that there is not."""
    with pytest.raises(OSError, match="no host"):
        await SystemNames().addresses("a" * 64 + ".example")


@pytest.mark.parametrize(
    "answers", [[], ["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "::1"], ["8.8.8.8"] * 9 + ["0.0.0.0"]]
)
async def test_all_of_it_must_be_public(answers: list[str]) -> None:
    """One address that is not, wherever it stands, is enough."""
    book = Book()
    book.named = {"hooks.example": [answers]}
    with pytest.raises(NotSent):
        await addresses_of(TARGET, book, Allowed(()))


async def test_few_are_tried() -> None:
    """Each once."""
    book = Book()
    book.named = {"hooks.example": [["8.8.8.8", "8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9"]]}
    found = await addresses_of(TARGET, book, Allowed(()))
    assert found == [parse_address(text) for text in ("8.8.8.8", "8.8.4.4", "1.1.1.1")]
