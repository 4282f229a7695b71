"""How two texts differ, line by line."""

import difflib
from typing import NamedTuple

_AROUND = 3
_LARGE = 4_000  # lines beyond which it is not tried to find what has moved: it would take its square


class Difference(NamedTuple):
    """A unified diff, and how many lines were added and removed."""

    text: str
    added: int
    removed: int


def difference(before: str, after: str) -> Difference:
    """Lines at both ends that are equal cost nothing."""
    was, is_ = before.splitlines(), after.splitlines()
    head = next(
        (at for at, pair in enumerate(zip(was, is_, strict=False)) if pair[0] != pair[1]), min(len(was), len(is_))
    )
    tail = 0
    while tail < min(len(was), len(is_)) - head and was[-1 - tail] == is_[-1 - tail]:
        tail += 1
    lead, end = max(head - _AROUND, 0), max(tail - _AROUND, 0)
    cut_was, cut_is = was[lead : len(was) - end], is_[lead : len(is_) - end]
    if max(len(cut_was), len(cut_is)) > _LARGE:
        lines = [
            *(f"-{line}" for line in was[head : len(was) - tail]),
            *(f"+{line}" for line in is_[head : len(is_) - tail]),
        ]
        lines = [f"@@ -{head + 1},{len(was) - tail - head} +{head + 1},{len(is_) - tail - head} @@", *lines]
    else:
        found = list(difflib.unified_diff(cut_was, cut_is, lineterm="", n=_AROUND))[2:]
        lines = [_moved(line, lead) for line in found]
    if before != after and not lines:
        lines = ["\\ only line ends differ"]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return Difference("".join(f"{line}\n" for line in lines), added, removed)


def _moved(line: str, by: int) -> str:
    """The head of a hunk, counted in the whole text."""
    if not line.startswith("@@ "):
        return line
    parts = line.split(" ")
    for at in (1, 2):
        number, comma, count = parts[at][1:].partition(",")
        parts[at] = f"{parts[at][0]}{int(number) + by}{comma}{count}"
    return " ".join(parts)
