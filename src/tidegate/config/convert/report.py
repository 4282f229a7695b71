"""What became of each setting of a file that is converted. Nothing of it goes without a word."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Kind: TypeAlias = Literal["mapped", "changed", "left"]
_MOST: Final = 100_000  # settings; aliases could make more of a small file than memory holds


@dataclass(frozen=True, slots=True)
class Note:
    """One setting: `mapped` to `to`, `changed` on the way there (`why` says how), or `left` out and why."""

    kind: Kind
    path: Path
    to: str = ""
    why: str = ""

    @property
    def where(self) -> str:
        """The setting as it is written in the source: `model_list[0].model_name`."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return _printable(text)

    def line(self) -> str:
        """In one line, without any value of the source but those that `why` was given."""
        return _printable(f"{self.where}{f' → {self.to}' if self.to else ''}{f': {self.why}' if self.why else ''}")


class Report:
    """Gathers notes about `tree`, and says at the end what nobody spoke of.

    Raises `ValueError` for a tree of more than 100,000 settings, or of one that holds itself.
    """

    def __init__(self, tree: Any) -> None:
        try:
            if any(islice(leaves(tree), _MOST, None)):
                raise ValueError("more than 100,000 settings")
        except RecursionError:
            raise ValueError("a part of it holds itself") from None
        self._tree = tree
        self._said: dict[Path, Note] = {}

    def mapped(self, path: Path, to: str) -> None:
        """It is at `to` now and means the same."""
        self._say(Note("mapped", path, to))

    def changed(self, path: Path, to: str, why: str) -> None:
        """It is at `to` now, and means something else in this respect."""
        self._say(Note("changed", path, to, why))

    def left(self, path: Path, why: str) -> None:
        """It is not carried over."""
        self._say(Note("left", path, "", why))

    def _say(self, note: Note) -> None:
        self._said.setdefault(note.path, note)

    def spoken(self, path: Path) -> bool:
        """Has anything been said of it, or of what it is a part of?"""
        return any(path[:length] in self._said for length in range(1, len(path) + 1))

    def notes(self, reason: Callable[[Path], str]) -> list[Note]:
        """Of every setting, in the order of the source; `reason` is asked why what nobody spoke of is left."""
        for path in leaves(self._tree):
            if not self.spoken(path):
                self.left(path, reason(path))
        order = {path: number for number, path in enumerate(_all(self._tree))}
        return sorted(self._said.values(), key=lambda note: order.get(note.path, len(order)))


def leaves(tree: Any, at: Path = ()) -> Iterator[Path]:
    """The path of every value that holds no others; an empty list or mapping is one."""
    yield from (path for path, leaf in _walk(tree, at) if leaf)


def _all(tree: Any) -> Iterator[Path]:
    yield from (path for path, _ in _walk(tree, ()))


def _walk(tree: Any, at: Path) -> Iterator[tuple[Path, bool]]:
    items: list[tuple[str | int, Any]] = []
    if isinstance(tree, dict):
        items = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, list):
        items = list(enumerate(tree))
    if at:
        yield at, not items
    for key, value in items:
        yield from _walk(value, (*at, key))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
