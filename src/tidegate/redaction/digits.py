"""Numbers that carry a check digit: what fails the check is another number, and stays.

Digits are those of all scripts, so also the wide ones of Chinese and Japanese text.
"""

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[ \u00a0-]")
_SHORTEST_CARD: Final = 13
_LONGEST_CARD: Final = 19
_SHORTEST_GROUP: Final = 2  # nobody writes a card digit by digit, and such columns of numbers are long
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_MONTHS: Final = range(1, 13)
_DAYS: Final = range(1, 32)


def luhn(digits: str) -> bool:
    """Is the last digit the check digit of the others? ISO/IEC 7812-1, annex B. O(digits)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def cards(run: str) -> list[tuple[int, int]]:
    """Where payment cards stand in digits with single separators: from where to where. ISO/IEC 7812: 13 to 19 digits.

    A card begins and ends where a group of digits does. The longest that passes counts. O(groups × digits of a card).
    """
    starts = [0, *(found.end() for found in _SEPARATORS.finditer(run))]
    ends = [*(found.start() for found in _SEPARATORS.finditer(run)), len(run)]
    found: list[tuple[int, int]] = []
    behind = 0
    for first, start in enumerate(starts):
        if start < behind:
            continue
        best = 0
        digits = ""
        for group in range(first, len(starts)):
            digits += run[starts[group] : ends[group]]
            if len(digits) > _LONGEST_CARD or ends[group] - starts[group] < _SHORTEST_GROUP:
                break
            if len(digits) >= _SHORTEST_CARD and luhn(digits):
                best = ends[group]
        if best:
            found.append((start, best))
            behind = best
    return found


def identity_card(number: str) -> bool:
    """A number of a resident of China: 18 digits by GB 11643-1999 (ISO 7064 MOD 11-2), or 15 of the older form."""
    if len(number) == len(_WEIGHTS) + 1:
        total = sum(weight * int(sign) for weight, sign in zip(_WEIGHTS, number, strict=False))
        return _date(number[10:14]) and _CHECKS[total % 11] == _plain(number[-1])
    return len(number) == 15 and _date(number[8:12])


def _date(digits: str) -> bool:
    return int(digits[:2]) in _MONTHS and int(digits[2:]) in _DAYS


def _plain(sign: str) -> str:
    return str(int(sign)) if sign.isdecimal() else sign.upper()
