"""The lexical gate: whether two questions that lie close together differ in what no embedding keeps apart.

"Turn it on" and "turn it off" are nearer to each other than most paraphrases, so no threshold parts them. Here two
questions pass when they say the same words in the same order, but for what says nothing (articles, politeness), for
forms of a word, and for a short list of words that mean the same. Everything else is refused, known or not: the gate
fails closed. What it cannot judge (long texts, other scripts, one text in English and one in Chinese) does not pass
either, except a text and itself.

Symmetric. Linear in the texts but for the comparison of what is left of them, whose words are few.
"""

from collections import Counter
from typing import Final

from tidegate.policy.caching import words_en as en
from tidegate.policy.caching import words_zh as zh
from tidegate.policy.caching.reading import NEGATION, Reading, as_read, read

MORE: Final = "more"

_OPPOSITES: Final = frozenset(
    frozenset(map(as_read, pair.split()))
    for table in (en.OPPOSITES, zh.OPPOSITES)
    for line in table.strip().split("\n")
    for pair in line.split("|")
)
_TURNING: Final = frozenset(word for pair in _OPPOSITES for word in pair) | frozenset(
    map(as_read, en.QUALIFIERS.split())
)
_UNITS: Final = frozenset(map(as_read, en.UNITS.split()))
_FIXING: Final = frozenset(map(as_read, en.FIXING.split()))
_CODE: Final = frozenset("_.:/@#+-=<>*$%|\\")


def differs(a: str, b: str) -> str:
    """Empty where nothing that must agree differs; else a short word for what does.

    `long`, `script`, `empty`: cannot be judged. `negation`, `number`, `question`, `time` (also can, must, should),
    `unit`, `code`, `polarity` (an opposite), `name`, `order`, `word`: what differs. `more`: nothing does, but one of
    them says an ordinary word more; who asks for a higher similarity may let these pass (`calibration`).
    """
    return "" if a == b else compared(read(a), read(b))


def compared(a: Reading, b: Reading) -> str:
    """As `differs`, of texts that were read before."""
    if a.why or b.why:
        return a.why or b.why
    if a.chinese != b.chinese:
        return "script"
    if a.words.count(NEGATION) != b.words.count(NEGATION):
        return "negation"
    more = ""
    if a.words != b.words:
        left, right = Counter(a.words), Counter(b.words)
        if left != right:
            over, under = left - right, right - left
            longer, shorter, extra = (b, a, under) if len(a.words) < len(b.words) else (a, b, over)
            if (over and under) or not _harmless(longer, shorter, extra):
                return _named(a, b, {*over, *under})
            more = MORE
        elif not _turned(a, b.words):
            return "order"
    if a.marks != b.marks:
        return "question" if any(mark[0] == "?" for mark in a.marks ^ b.marks) else "time"
    return more


def _harmless(longer: Reading, shorter: Reading, extra: Counter[str]) -> bool:
    """Whether one says what the other says, and a word more that is not known to turn a question.

    In English in the same order, and one word; in Chinese up to two characters, which may be one word.
    """
    if longer.chinese:
        size, most, least = sum(map(len, extra.elements())), 2, 2
    else:
        size, most, least = extra.total(), 1, 3
    if size > most or len(shorter.words) < least or any(_turns(longer, word) for word in extra):
        return False
    rest = longer.words.copy()
    for word in extra.elements():
        rest.reverse()  # the last one: what is said twice was added later
        rest.remove(word)
        rest.reverse()
    return rest == shorter.words or (longer.chinese and _turned(shorter, rest))


def _turns(reading: Reading, word: str) -> bool:
    if _fixes(reading, word) or word in _TURNING or not word.isalpha():
        return True
    if reading.chinese:
        return word in zh.UNITS or not zh.QUALIFIERS.isdisjoint(word)
    return word in _UNITS


def _named(a: Reading, b: Reading, differing: set[str]) -> str:
    """What kind of words differ."""
    if any(word[0] == "#" and word != "#" for word in differing):
        return "number"
    if any(frozenset((one, other)) in _OPPOSITES for one in differing for other in differing if one < other):
        return "polarity"
    if any(word in _UNITS or (a.chinese and word in zh.UNITS) for word in differing):
        return "unit"
    if any(not _CODE.isdisjoint(word) for word in differing):
        return "code"
    if any(word in a.names or word in b.names for word in differing):
        return "name"
    return "word"


def _turned(a: Reading, other: list[str]) -> bool:
    """Whether one block of words stands elsewhere (ABC, BCA), and nothing in them depends on the order.

    In Chinese also within the sentence (ABCD, ACBD), where what is asked about may stand before or after the verb. Who
    does it to whom changes two places, so it is no such thing, but in a sentence of two words.
    """
    words = a.words
    if a.directed or any(_fixes(a, word) for word in words):
        return False
    if a.chinese:
        first, last = 0, len(words)
        while words[first] == other[first]:
            first += 1
        while words[last - 1] == other[last - 1]:
            last -= 1
        words, other = words[first:last], other[first:last]
    elif len(words) < 3:
        return False
    return any(words[at] == other[0] and words[at:] + words[:at] == other for at in range(1, len(words)))


def _fixes(reading: Reading, word: str) -> bool:
    if word[0] == "#" or word in reading.names:
        return True
    return word in zh.FIXING if reading.chinese else word in _FIXING
