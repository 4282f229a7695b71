"""Numbers with a check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.redaction.digits import cards, identity_card, luhn

# The issuers' own published test numbers.
CARDS = (
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "6200000000000005",
)


@pytest.mark.parametrize("number", CARDS)
def test_cards_pass(number: str) -> None:
    """And none does with one digit changed: that is what the check is for."""
    assert luhn(number)
    for place, sign in enumerate(number):
        assert not luhn(f"{number[:place]}{(int(sign) + 1) % 10}{number[place + 1 :]}")


@given(st.text("0123456789", min_size=12, max_size=18))
def test_every_number_has_one_check_digit(digits: str) -> None:
    """Of the ten that may follow, one passes."""
    assert sum(luhn(digits + last) for last in "0123456789") == 1


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("4111111111111111", ["4111111111111111"]),
        ("4111 1111 1111 1111 12", ["4111 1111 1111 1111"]),
        ("12-3782-822463-10005", ["3782-822463-10005"]),
        ("4111 1111 1111 1111 5555 5555 5555 4444", ["4111 1111 1111 1111", "5555 5555 5555 4444"]),
        ("4111111111111112", []),
        ("41111111111111110", []),  # in the middle of a longer number
        ("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", []),
    ],
)
def test_where_cards_stand(run: str, found: list[str]) -> None:
    """From the beginning of a group to the end of one."""
    assert [run[start:end] for start, end in cards(run)] == found


@pytest.mark.parametrize(
    ("number", "known"),
    [
        ("11010519491231002X", True),  # the example of GB 11643-1999
        ("11010519491231002x", True),
        ("440524188001010014", True),  # the same
        ("110105194912310021", False),  # check digit
        ("110105194913310026", False),  # thirteenth month
        ("440524800101001", True),  # of the older form
        ("440524801301001", False),
    ],
)
def test_residents_of_china(number: str, known: bool) -> None:
    """By date and check digit."""
    assert identity_card(number) is known
