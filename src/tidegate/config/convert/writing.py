"""A converted file as text: each part below the notes about it, and above all what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from tidegate.config.convert.draft import Draft
from tidegate.config.convert.report import Note


@dataclass(frozen=True, slots=True)
class Converted:
    """The text of a file, what became of each setting, and which variables it wants."""

    text: str
    notes: tuple[Note, ...]
    variables: tuple[str, ...]

    def count(self, kind: str) -> int:
        """How many settings had this fate."""
        return sum(note.kind == kind for note in self.notes)


def written(draft: Draft, notes: Sequence[Note], source: str) -> Converted:
    """The draft as a file of ours. O(settings)."""
    lines = [f"# Converted from {source}. Every setting of it is named in these comments, once.", "#"]
    variables = tuple(sorted(draft.variables))
    if variables:
        lines += [f"# Set these variables first: {', '.join(variables)}.", "#"]
    left = [note for note in notes if note.kind == "left"]
    lines.append(f"# Not carried over, and why ({len(left)}):" if left else "# Everything was carried over.")
    lines += [f"#   {note.line()}" for note in left]
    parts = ["\n".join(lines)]
    kept = [note for note in notes if note.kind != "left"]
    for name, value in draft.tree.items():
        about = [note for note in kept if note.to.partition(".")[0] == name]
        said = "".join(f"# {_mark(note)}{note.line()}\n" for note in about)
        parts.append(said + _dumped({name: value}))
    named = set(draft.tree)
    other = [note for note in kept if note.to.partition(".")[0] not in named]
    if other:
        parts.append("\n".join(["# Carried over without a setting here:", *(f"#   {note.line()}" for note in other)]))
    return Converted("\n\n".join(part.rstrip("\n") for part in parts) + "\n", tuple(notes), variables)


def _mark(note: Note) -> str:
    return "CHANGED " if note.kind == "changed" else ""


def _dumped(tree: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 110
    yaml.representer.ignore_aliases = lambda _data: True
    text = StringIO()
    yaml.dump(tree, text)
    return text.getvalue()
