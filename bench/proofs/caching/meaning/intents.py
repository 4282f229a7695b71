"""Questions that are asked again, made up: what each means is known by construction.

A template has phrasings that all mean the same, of which some say it in quite other words; each thing that stands in
its slot makes another meaning. So the things are the near misses: names, numbers, dates, opposites, and words more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).with_name("intents.txt")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what it means: two of the same meaning may have the same answer."""

    text: str
    meaning: str


def questions(path: Path = TEMPLATES) -> Iterator[Asked]:
    """All of them, each once."""
    head, *templates = path.read_text(encoding="utf-8").partition("\n\n")[2].rstrip().split("\n\n")
    things = {name: slot.split("|") for name, slot in (line.split(" = ") for line in head.split("\n"))}
    for at, template in enumerate(templates):
        slot, *phrasings = template.split("\n")
        for thing in things[slot.strip("[]")]:
            for phrasing in phrasings:
                yield Asked(phrasing.format(thing), f"{at}:{thing}")
