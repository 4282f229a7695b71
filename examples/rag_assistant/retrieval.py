"""Finding the passages that a question is about: BM25 (Robertson and Zaragoza, 2009) over the sections of documents.

English is cut into words, Chinese into pairs of characters, which need no dictionary.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DOCUMENTS = Path(__file__).with_name("documents")
K1, B = 1.2, 0.75
MOST = 2  # passages in a prompt
WORTH = 0.5  # of the best passage's score: what is below is about something else

_WORD = re.compile(r"[a-z]*\d[\d.,]*|[a-z]+|[\u4e00-\u9fff]+")
_EMPTY_ENGLISH = """
a an and are as at be by can could do does exactly for from had has have hello hi how i in is it me much my of on or our
please so tell thanks that the this to was we were what when which with you your
"""
_EMPTY = frozenset(_EMPTY_ENGLISH.split())
_EMPTY_CHINESE = re.compile("请问|请|想|知道|告诉|多少|什么|怎么样|怎么|如何|怎样|[的了是吗呢啊我你您]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A section of a document. `place` is where it stands, `manuals/flow-meter-f200.md` for instance."""

    place: str
    title: str
    heading: str
    text: str

    @property
    def name(self) -> str:
        """What an answer can cite."""
        return f"{self.place}: {self.heading}"


def read(folder: Path) -> list[Passage]:
    """All sections (`## …`) of the Markdown files below a folder, in the order of their names."""
    found = []
    for path in sorted(folder.rglob("*.md")):
        title, *sections = path.read_text(encoding="utf-8").split("\n## ")
        for section in sections:
            heading, _, text = section.partition("\n")
            place = path.relative_to(folder).as_posix()
            found.append(Passage(place, title.removeprefix("# ").strip(), heading.strip(), text.strip()))
    return found


def terms(text: str) -> list[str]:
    """What a text is searched by."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        if word[0] < "\u4e00":
            found += [_stem(word.rstrip(".,"))] if word not in _EMPTY else []
        else:
            said = _EMPTY_CHINESE.sub("", word)
            found += [said[at : at + 2] for at in range(max(bool(said), len(said) - 1))]
    return found


def _stem(word: str) -> str:
    """One word for one and many."""
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


class Index:
    """Passages by their terms."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self._counts = [Counter(terms(f"{one.title} {one.heading} {one.text}")) for one in passages]
        self._lengths = [counts.total() for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(passages))
        self._held = Counter(term for counts in self._counts for term in counts)

    def search(self, question: str, most: int = MOST) -> list[Passage]:
        """The passages that fit best, in the order of the documents: the same ones make the same prompt."""
        asked = set(terms(question))
        scores = [(self._score(at, asked), -at) for at in range(len(self.passages))]
        best = sorted(scores, reverse=True)[:most]
        kept = [-at for score, at in best if score > 0 and score >= WORTH * best[0][0]]
        return [self.passages[at] for at in sorted(kept)]

    def _score(self, at: int, asked: Iterable[str]) -> float:
        counts, length = self._counts[at], self._lengths[at]
        score = 0.0
        for term in asked:
            count, held = counts[term], self._held[term]
            if count:
                rare = math.log(1 + (len(self.passages) - held + 0.5) / (held + 0.5))
                score += rare * count * (K1 + 1) / (count + K1 * (1 - B + B * length / self._mean))
        return score
