"""In which language a text is, by the share of its script: Chinese or English, which is what drills can expect."""

from typing import Final

ZH: Final = "zh"
EN: Final = "en"
_LEAST_ZH: Final = 0.5  # of the letters: product names and code are Latin in Chinese texts too
_MOST_HAN: Final = 0.1  # of the letters of an English text
_WEIGHT: Final = 3  # a Han character says about as much as three Latin letters
_HAN: Final = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))


def share_of_han(text: str) -> float:
    """The part of the text's letters that is Han, weighted; 0 where there is no letter. O(characters)."""
    han = sum(1 for sign in text if is_han(sign))
    others = sum(1 for sign in text if sign.isalpha() and not is_han(sign))
    return _WEIGHT * han / (_WEIGHT * han + others) if han or others else 0.0


def is_han(sign: str) -> bool:
    """Is it a Chinese character?"""
    code = ord(sign)
    return code >= _HAN[0][0] and any(low <= code <= high for low, high in _HAN)


def is_latin(sign: str) -> bool:
    """Is it a letter of English?"""
    return sign.isascii() and sign.isalpha()


def is_written_in(text: str, language: str) -> bool:
    """False too where the text has no letters at all: figures alone are in no language."""
    letters = [sign for sign in text if sign.isalpha()]
    if not letters:
        return False
    share = share_of_han(text)
    if language == ZH:
        return share >= _LEAST_ZH
    latin = sum(1 for sign in letters if is_latin(sign))
    return share <= _MOST_HAN and 2 * latin >= len(letters)


def language_of(text: str) -> str:
    """The likelier of the two, for prompts of ours."""
    return ZH if share_of_han(text) >= _MOST_HAN else EN
