"""Texts of three kinds, cut to size: English, Chinese, and code with a question in front of it.

A `Texts` builds one seeded corpus per kind, already escaped for JSON, and cuts pieces out of it: a piece begins where
a sentence begins and ends between two words, so cutting costs two binary searches and one copy, whatever its size.
Sizes come from an average of bytes per token and kind. They are meant to be wrong by some percent from text to text,
as real prompts are: nobody who reads the bytes can know the provider's count.
"""

import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from enum import Enum
from random import Random

from tidegate.load import words

CORPUS_BYTES = 163_840
_BREAK = re.compile(rb" |\\n")
_CHARACTER = re.compile(rb"\\.|[^\\\x80-\xbf]")


class TextKind(Enum):
    """What a text is made of."""

    ENGLISH = "english"
    CHINESE = "chinese"
    CODE = "code"


BYTES_PER_TOKEN = {TextKind.ENGLISH: 5.2, TextKind.CHINESE: 4.0, TextKind.CODE: 3.7}
_QUESTION_TOKENS = 40


class Corpus:
    """A long text of one kind, JSON-escaped, with the places where a piece may begin and end."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, sentences: list[str], breaks: re.Pattern[bytes]) -> None:
        self._starts = array("I")
        pieces: list[bytes] = []
        length = 0
        for sentence in sentences:
            self._starts.append(length)
            pieces.append(escape(sentence))
            length += len(pieces[-1])
        self.text = b"".join(pieces)
        self._ends = array("I", (match.start() for match in breaks.finditer(self.text) if match.start()))
        self._ends.append(length)

    def cut(self, size: int, where: float) -> bytes:
        """About `size` bytes, beginning at a place chosen by `where` in [0, 1). O(log corpus + size)."""
        whole = len(self.text)
        if size >= whole:
            return self.text + self.cut(size - whole, where) if size > whole else self.text
        fitting = bisect_right(self._starts, whole - size)
        start = self._starts[int(where * fitting)]
        first = bisect_right(self._ends, start)
        end = bisect_left(self._ends, start + size, first)
        return self.text[start : self._ends[min(end, len(self._ends) - 1)]]


class Texts:
    """Corpora of every kind from one seed; the same seed gives the same texts."""

    __slots__ = ("_corpora", "_questions")

    def __init__(self, seed: int, corpus_bytes: int = CORPUS_BYTES) -> None:
        random = Random(seed)
        self._corpora = {
            TextKind.ENGLISH: Corpus(_write(random, english_sentence, corpus_bytes), _BREAK),
            TextKind.CHINESE: Corpus(_write(random, chinese_sentence, corpus_bytes), _CHARACTER),
            TextKind.CODE: Corpus(_write(random, code_block, corpus_bytes), _BREAK),
        }
        self._questions = tuple(escape(question + "\n\n") for question in words.CODE_QUESTIONS)

    def cut(self, kind: TextKind, tokens: int, random: Random) -> bytes:
        """A text of about `tokens` tokens, escaped for use between the quotes of a JSON string, never empty."""
        size = max(1, int(tokens * BYTES_PER_TOKEN[kind]))
        lead = b""
        if kind is TextKind.CODE and tokens >= _QUESTION_TOKENS:
            lead = self._questions[int(random.random() * len(self._questions))]
        return lead + self._corpora[kind].cut(max(1, size - len(lead)), random.random())


def escape(text: str) -> bytes:
    """The inside of a JSON string: UTF-8, quotes and line ends escaped."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def english_sentence(random: Random) -> str:
    """One or two English clauses, or a request, with a space at the end."""
    if random.random() < 0.15:
        return _fill(random.choice(words.ENGLISH_REQUESTS), random) + random.choice((" ", " ", "\n\n"))
    parts = (words.ENGLISH_SUBJECTS, words.ENGLISH_VERBS, words.ENGLISH_OBJECTS, words.ENGLISH_TAILS)
    clause = _fill(" ".join(random.choice(part) for part in parts[: 4 if random.random() < 0.7 else 3]), random)
    return clause[0].upper() + clause[1:] + random.choice((". ", ". ", ". ", "; ", "? ", ".\n"))


def chinese_sentence(random: Random) -> str:
    """One Chinese sentence."""
    if random.random() < 0.15:
        return _fill(random.choice(words.CHINESE_REQUESTS), random)
    parts = (words.CHINESE_SUBJECTS, words.CHINESE_VERBS, words.CHINESE_OBJECTS, words.CHINESE_TAILS)
    clause = _fill("".join(random.choice(part) for part in parts), random)
    return clause + random.choice(("。", "。", "。", "！", "。\n"))


def code_block(random: Random) -> str:
    """A few lines of Python, JavaScript or SQL, with an empty line at the end."""
    block = random.choice(words.PYTHON_BLOCKS + words.SCRIPT_BLOCKS)
    a, b, c = random.sample(words.CODE_NAMES, 3)
    function, other = random.sample(words.CODE_FUNCTIONS, 2)
    pascal = function.title().replace("_", "")
    names = {
        "a": a,
        "b": b,
        "c": c,
        "fn": function,
        "fn2": other,
        "Type": pascal,
        "type": random.choice(words.CODE_TYPES),
    }
    return _fill(block, random, camel=function[0] + pascal[1:], **names) + "\n"


def _fill(pattern: str, random: Random, **names: str) -> str:
    return pattern.format(
        small=random.randint(2, 29),
        number=random.randint(30, 4999),
        digit=random.randint(1, 9),
        hour=random.randint(7, 19),
        year=random.randint(1987, 2026),
        money=f"{random.randint(3, 9999)}.{random.randint(0, 99):02}",
        **names,
    )


def _write(random: Random, sentence: Callable[[Random], str], size: int) -> list[str]:
    sentences: list[str] = []
    length = 0
    while length < size:
        sentences.append(sentence(random))
        length += len(escape(sentences[-1]))
    return sentences
