"""Broken files, each beside what is said of it: `broken/NAME.yaml` and `broken/NAME.txt`."""

from functools import cache
from pathlib import Path

import pytest

from tidegate.config.findings import ConfigError
from tidegate.config.load import load

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
ENVIRONMENT = {"OPENAI_API_KEY": "sk-test", "EMPTY": "", "RPM": "3000", "WORD": "s3cret"}


@cache
def said_of(path: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        load(str(path), ENVIRONMENT)
    folder = f"{path.parent}/"
    return "".join(f"{line.removeprefix(folder).removeprefix(path.name + ':')}\n" for line in refused.value.lines())


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_error_has_place_field_and_remedy(path: Path) -> None:
    """All errors of a file at once, in its order, to the letter."""
    assert said_of(path) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_no_error_shows_a_value(path: Path) -> None:
    """What the files mark as secret (`s3cret`) is in no error; nearly all errors name a remedy after a semicolon."""
    said = said_of(path)
    assert "s3cret" not in said
    assert all("; " in line for line in said.splitlines())


def test_there_are_enough_of_them() -> None:
    """At least thirty files, and none stands there without its text."""
    assert len(BROKEN) >= 30
    assert {path.with_suffix(".txt") for path in BROKEN} == set((Path(__file__).parent / "broken").glob("*.txt"))
