"""A question as the lexical gate reads it: what of it must agree, in words of their own.

What says nothing is left out, what says the same is written the same, and everything else stays as it is: a word that
nobody thought of must agree. Linear in the text: one pass to cut it, one to look the words up, each phrase of a bounded
length.
"""

import re
import unicodedata
from typing import Final

from tidegate.policy.caching import words_en as en
from tidegate.policy.caching import words_zh as zh

NEGATION: Final = "!not"
LONGEST: Final = 400  # characters

_CUT: Final = re.compile(
    r"(?<!\S)--?[A-Za-z][\w-]*"  # a flag of a command
    r"|w/o\b"
    r"|(?:(?<![\w)])-)?[$€£¥₹]?\d[\d,]*(?:\.\d+)*(?:[%°]|[A-Za-z]+\d*)?(?![A-Za-z])"
    r"|[A-Za-z_]\w*(?:(?:\.|::|->|@)\w+)+[+#]*"  # an identifier, a domain, a file
    r"|[\u3400-\u9fff]+|\*+"
    r"|[^\W\d_\u3400-\u9fff](?:(?![\u3400-\u9fff])\w)*(?:'[^\W\d_]+)?[+#]*"
    r"|\S"
)
_NUMBER: Final = re.compile(r"(-?)([$€£¥₹]?)(\d[\d,]*(?:\.\d+)*)(.*)", re.DOTALL)
_SILENT: Final = frozenset(""".,;:!?"'()[]{}…。，、；：！？“”‘’（）【】《》「」·-–—~&/`""")
_CURRENCIES: Final = {"$": "usd", "€": "eur", "£": "gbp", "¥": "yuan", "₹": "inr"}
_ORDINALS: Final = frozenset(("st", "nd", "rd", "th"))
_BE: Final = frozenset(("be", "been", "being", "am", "is", "are", "was", "were", "get", "got"))
_JOINING: Final = frozenset(("and", "or", "vs", "versus"))
_POINTING: Final = frozenset(("this", "that", "these", "those"))
_ANYBODY: Final = frozenset(("one", "someone", "somebody", "anyone"))
_FIRST: Final = frozenset(("i", "my", "we", "our", "myself", "ourselves"))
_SECOND: Final = frozenset(("you", "your", "u", "yourself"))
_VOWELS: Final = frozenset("aeiouy")
_LONGEST_PHRASE: Final = 8
_CAUSE: Final = re.compile("(?:怎么|咋|怎麽)(?![样才办能做去弄处解操可])")
_WANTS: Final = re.compile("我要|(?<![思理梦])想(?![象念法])")
_NOT: Final = frozenset(("不", "没", "没有"))
_PARTICLES: Final = "啊呀呢哦哈"
_PERSONS: Final = frozenset(zh.PERSONS.split())
_SERVED: Final = frozenset(zh.SERVED.split())
_POLITE: Final = re.compile("|".join(sorted(zh.POLITE.split(), key=len, reverse=True)))
_ASKS: Final = re.compile(r"[吗么嘛麽嗎否]|(.)不\1|有没有|[不没]$")


def _same(table: str) -> dict[str, str]:
    """Each form with what it is read as."""
    rows = [line.split(" = ") for line in table.strip("\n").split("\n")]
    return {form: left.strip() for left, forms in rows for form in [*forms.split(), left.strip()]}


def _phrases(table: str) -> dict[tuple[str, ...], list[str]]:
    rows = [line.split("= ") for line in table.strip("\n").split("\n")]
    return {tuple(form.split()): left.split() for left, forms in rows for form in forms.split("|")}


_EN_EMPTY: Final = frozenset(en.EMPTY.split())
_EN_WHOLE: Final = frozenset(en.WHOLE.split())
_EN_UNITS: Final = frozenset(en.UNITS.split())
_EN_SAME: Final = _same(en.SAME)
_EN_PHRASES: Final = _phrases(en.PHRASES)
_EN_MERGED: Final = _phrases(en.MERGED)
_EN_STARTS: Final = frozenset(phrase[0] for phrase in _EN_PHRASES)
_EN_MERGE_STARTS: Final = frozenset(phrase[0] for phrase in _EN_MERGED)
_EN_NUMBERS: Final = dict(pair.split("=") for pair in en.NUMBERS.split())
_ZH: Final = {word: [word] for word in zh.WHOLE.split()} | {
    form: left.split()
    for left, forms in (line.split("= ") for line in zh.PHRASES.strip("\n").split("\n"))
    for form in forms.split()
}


class Reading:
    """`why` is empty, or why nobody can judge this text; then the rest means nothing."""

    __slots__ = ("chinese", "directed", "marks", "names", "why", "words")

    def __init__(self, why: str = "", *, chinese: bool = False) -> None:
        self.why = why
        self.chinese = chinese
        self.directed = False  # something goes to something: no word may change places
        self.words: list[str] = []  # in order; `#` before a number
        self.marks: set[str] = set()  # `?` questions, `~` time and modality
        self.names: set[str] = set()  # of the words, those that are written as names


def read(text: str) -> Reading:
    """How the gate reads a question. `long`, `script` and `empty` are what it does not judge."""
    if len(text) > LONGEST:
        return Reading("long")
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    chinese = False
    for letter in text:
        if letter > "\u024f":
            if "\u3400" <= letter <= "\u9fff":
                chinese = True
            elif letter.isalpha():
                return Reading("script")
    reading = Reading(chinese=chinese)
    cut = [piece for piece in _CUT.findall(text) if piece not in _SILENT]
    if chinese:
        _read_chinese(reading, cut)
    else:
        _read_english(reading, cut, shouted=text.isupper())
    _settle(reading)
    if not reading.words:
        reading.why = "empty"
    return reading


def _settle(reading: Reading) -> None:
    """How to do a thing, and how it can be done, is one question; whether it can be done is another."""
    marks = reading.marks
    if "?how" in marks or "?where" in marks:
        marks -= {"~can", "~should"}
    elif "?what" in marks and reading.words:  # what is good, and what is best
        marks.discard("~can")
        reading.words = ["best" if word == "good" else word for word in reading.words]
    elif any(mark[0] == "?" for mark in marks) and "?why" not in marks:
        marks.discard("~can")


def _put(reading: Reading, words: list[str]) -> None:
    for word in words:
        if word[0] in "?~":
            reading.marks.add(word)
        else:
            reading.words.append(word)


# ── numbers, in either language ─────────────────────────────────────────────────────────────────────────────────────


def _number(piece: str) -> list[str]:
    """A number and its unit, such as `#5 kg` of `5kg`; thousands in full."""
    found = _NUMBER.fullmatch(piece)
    if found is None:
        return [piece]
    sign, currency, digits, tail = found.groups()
    tail = tail.lower()
    digits = digits.rstrip(",").replace(",", "")
    if tail == "k" and "." not in digits:
        digits, tail = digits + "000", ""
    if tail in _ORDINALS:
        digits, tail = digits + "th", ""
    words = [f"#{sign}{digits}"]
    if currency:
        words.append(_CURRENCIES[currency])
    if tail:
        words.append("percent" if tail == "%" else _stem(tail))
    return words


# ── English, and what is written like it ────────────────────────────────────────────────────────────────────────────


def _read_english(reading: Reading, cut: list[str], *, shouted: bool) -> None:
    written = _written(reading, cut, shouted=shouted)
    written = _replaced(written, _EN_PHRASES, _EN_STARTS)
    reading.directed = "to" in written
    kept: list[str] = []
    joined = -1
    first, second = not _FIRST.isdisjoint(written), not _SECOND.isdisjoint(written)
    both = first and second
    for at, word in enumerate(written):
        if word in _BE and at + 1 < len(written) and written[at + 1][-2:] in {"ed", "en"}:
            kept.append("passive")
        if word in _JOINING and kept and kept[-1][0] not in "?!~":
            joined = len(kept)
        if word in _EN_EMPTY:
            if both and (word in _FIRST or word in _SECOND):
                kept.append(word)
            continue
        kept.append("#1" if word == "one" and _before_unit(written, at) else as_read(word))
        if joined == len(kept) - 1:  # of two things named together, the order says nothing
            kept[-2:] = sorted(kept[-2:])
    _put(reading, _replaced(kept, _EN_MERGED, _EN_MERGE_STARTS))
    if not _POINTING.isdisjoint(written):
        reading.marks.add("~this")  # what it points at is not in the text
    if (first or second or not _ANYBODY.isdisjoint(written)) and "?how" not in reading.marks:
        reading.marks.add("~us")  # how I do it and how you do it is one question, what I do and what one does is not


def _before_unit(written: list[str], at: int) -> bool:
    return at + 1 < len(written) and as_read(written[at + 1]) in _EN_UNITS


def _written(reading: Reading, cut: list[str], *, shouted: bool) -> list[str]:
    """The words in lower case, contractions in two. What only looks like a word that says nothing is marked `^`."""
    written: list[str] = []
    for at, piece in enumerate(cut):
        first = piece[0]
        if first.isdigit() or (first in "-$€£¥₹" and piece[-1].isdigit()):
            written += _number(piece)
            continue
        if first == "-":
            written.append(piece)
            continue
        word, _, tail = piece.partition("'")
        small = word.lower()
        if small != word and at and not shouted:
            reading.names.add(as_read(small))
            if (word.isupper() and word != "I") and (small in _EN_EMPTY or _EN_SAME.get(small, " ")[0] in "?!~"):
                small = "usa" if small == "us" else "^" + small
        if tail == "t" and small[-1:] == "n":
            written += [small[:-1] if small not in {"can", "won"} else "can" if small == "can" else "will", "not"]
        else:
            if small == "am" and written and written[-1][0] == "#":
                small = "^am"
            written.append("without" if small == "w/o" else small)
            if tail == "ll":
                written.append("will")
    return written


def _replaced(words: list[str], phrases: dict[tuple[str, ...], list[str]], starts: frozenset[str]) -> list[str]:
    """The longest phrase at each place, by what it stands for."""
    if starts.isdisjoint(words):
        return words
    replaced: list[str] = []
    at = 0
    while at < len(words):
        if words[at] in starts:
            for end in range(min(len(words), at + _LONGEST_PHRASE), at, -1):
                found = phrases.get(tuple(words[at:end]))
                if found is not None:
                    replaced += found
                    at = end
                    break
            else:
                replaced.append(words[at])
                at += 1
        else:
            replaced.append(words[at])
            at += 1
    return replaced


def as_read(word: str) -> str:
    """The form that all forms of a word are read as. `word` is in lower case."""
    if word[0] in "?!~#^":
        return word
    same = _EN_SAME.get(word)
    if same is not None:
        return same
    number = _EN_NUMBERS.get(word)
    if number is not None:
        return "#" + number
    stem = _stem(word)
    return _EN_SAME.get(stem, stem)


def _stem(word: str) -> str:
    """Without the endings of number, of `-ing` and of `-ed`, and without a last `e`."""
    if len(word) < 4 or word in _EN_WHOLE or not word.isalpha():
        return word
    if word.endswith("s"):
        if word.endswith("ies"):
            word = word[:-3] + "y"
        elif word[-4:] in {"sses", "shes", "ches"} or word.endswith(("xes", "zes")):
            word = word[:-2]
        elif word[-2] not in "sui":
            word = word[:-1]
        if word in _EN_WHOLE:
            return word
    for ending in ("ing", "ed"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) > 1 and not _VOWELS.isdisjoint(root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    return word[:-1] if word[-1] == "e" and len(word) > 3 else word


# ── Chinese ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_chinese(reading: Reading, cut: list[str]) -> None:
    whole = "".join(cut)
    rest = _POLITE.sub("", whole)
    both = "我" in rest and ("你" in rest or "您" in rest)
    for piece in cut:
        first = piece[0]
        if "\u3400" <= first <= "\u9fff":
            _read_run(reading, piece, both=both)
        elif first.isdigit() or piece[-1].isdigit():
            reading.words += _number(piece)
        else:
            reading.words.append(piece.lower())
    words, marks = reading.words, reading.marks
    if NEGATION in words and ("?how" in marks or not (_ASKS.search(whole) or any(mark[0] == "?" for mark in marks))):
        marks.discard("?how")  # 怎么不能用 asks why, and so does who only says 不能用
        marks.add("?why")
    elif "?how" in marks and whole.rstrip(_PARTICLES).endswith("了") and _CAUSE.search(whole):
        marks.discard("?how")  # 怎么关了 asks why
        marks.add("?why")
    elif not marks and not _SERVED.isdisjoint(words) and _WANTS.search(whole) and not _ASKS.search(whole):
        marks.add("?how")  # who says that they want it changed asks how it is
    if any(mark[0] == "?" for mark in marks):
        marks.discard("~may")  # when it will be, and when it is


def _read_run(reading: Reading, run: str, *, both: bool) -> None:
    at = said = 0  # words of the last piece: none where it says nothing, as 用 does
    while at < len(run):
        if at and run.startswith("不了", at):  # 用不了 is 不能用
            reading.words.insert(len(reading.words) - said, NEGATION)
            reading.marks.add("~can")
            at += 2
            continue
        for end in range(min(len(run), at + _LONGEST_PHRASE), at, -1):
            found = _ZH.get(run[at:end])
            if found is not None:
                before = len(reading.words)
                if both and run[at:end] in _PERSONS:
                    reading.words.append(run[at])
                elif not (at and _asks(reading, run[at:])):
                    _put(reading, found)
                said = min(1, len(reading.words) - before)
                at = end
                break
        else:
            reading.words.append(run[at])
            said = 1
            at += 1


def _asks(reading: Reading, rest: str) -> bool:
    """Whether the end of a sentence is a negation that asks, as 吗 does. Beside a question word it negates."""
    return rest.rstrip(_PARTICLES) in _NOT and not any(mark[0] == "?" for mark in reading.marks)
