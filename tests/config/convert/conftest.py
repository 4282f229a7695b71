"""Converts a text, and loads what came of it with a value of its own for every variable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from tidegate.config.convert import litellm
from tidegate.config.convert.writing import Converted
from tidegate.config.load import Loaded, load

Used = Callable[..., Loaded]


class Made(NamedTuple):
    """A converted file, read again."""

    tree: dict[str, Any]
    converted: Converted

    def kind(self, where: str) -> str:
        """What became of a setting."""
        return next(note.kind for note in self.converted.notes if note.where == where)

    def why(self, where: str) -> str:
        return next(note.why for note in self.converted.notes if note.where == where)


def parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def made(text: str) -> Made:
    """A LiteLLM file as one of ours."""
    converted = litellm.convert(parsed(text))
    return Made(parsed(converted.text), converted)


@pytest.fixture
def used(tmp_path: Path) -> Used:
    """The gate's own reading of a converted file; it must be right."""

    def used(converted: Converted, **environ: str) -> Loaded:
        path = tmp_path / "gate.yaml"
        path.write_text(converted.text, encoding="utf-8")
        values = {name: f"value-of-{name.lower()}" for name in converted.variables} | environ
        return load(str(path), values, serving=True)

    return used
