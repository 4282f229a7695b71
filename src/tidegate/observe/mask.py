"""A provider's words without what may be secret: for the log, which others read.

A refusal may repeat the key, name the account, or quote what was asked. Rather a word too few: whatever stands in
quotes or in brackets goes, and every word with a digit, of the form of a key, or too long to be one. Pure; O(length).
"""

import re
from typing import Final

MASK: Final = "*"
LONGEST_MESSAGE: Final = 200  # characters
_LONGEST_NAME: Final = 64
_READ: Final = 4_096  # characters of a message that are looked at

_PAIRS: Final = (
    r'"[^"]*(?:"|$)|`[^`]*(?:`|$)|“[^”]*(?:”|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|《[^》]*(?:》|$)'
)
# An apostrophe within a word opens nothing, and what is opened without an end lasts to the end.
_SINGLE: Final = r"(?<!\w)['‘](?:[^'’]|['’](?=\w))*(?:['’]|$)"
_QUOTED: Final = re.compile(rf"{_PAIRS}|{_SINGLE}")
_DATA: Final = re.compile(r"[{\[<].*", re.DOTALL)  # an echo of JSON or a page: it nests, so all that follows
_SCHEME: Final = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)
_WORD: Final = re.compile(r"[!-~]+")
_SECRET: Final = re.compile(r"[0-9@]|://|[\w-]{25}|\b(?:sk|pk|ak|org|proj|user|acct|req)[-_]", re.IGNORECASE | re.ASCII)
_OTHER_DIGITS: Final = re.compile(r"\d+")
_NAME: Final = re.compile(r"[0-9]{1,6}|[A-Za-z][A-Za-z_./ -]*(?:[0-9]{1,3}[A-Za-z_./ -]*)?")
_KEY: Final = re.compile(r"(?:sk|pk|org|proj|user|acct|req)[-_]", re.IGNORECASE)
_WHITE: Final = re.compile(r"\s+")


def masked(message: str) -> str:
    """The first `LONGEST_MESSAGE` characters of what is left of a message."""
    text = _DATA.sub(MASK, _QUOTED.sub(MASK, message[:_READ]))
    text = _OTHER_DIGITS.sub(MASK, _WORD.sub(_unless_plain, _SCHEME.sub(MASK, text)))
    return _WHITE.sub(" ", text).strip()[:LONGEST_MESSAGE]


def _unless_plain(word: re.Match[str]) -> str:
    return MASK if _SECRET.search(word[0]) else word[0]


def name(word: str) -> str:
    """An error's code or type, where it looks like one."""
    if not word:
        return ""
    plain = len(word) <= _LONGEST_NAME and _NAME.fullmatch(word) is not None
    return word if plain and _KEY.match(word) is None else MASK
