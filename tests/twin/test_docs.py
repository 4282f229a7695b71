"""The page about the twin tells the truth."""

import re
from pathlib import Path

from tests.twin.command import parser
from tidegate.twin.config import load
from tidegate.twin.desks import BASES
from tidegate.twin.faults import KINDS, PLACES

PAGE = (Path(__file__).parents[2] / "docs" / "twin.md").read_text("utf-8")


def test_its_file_loads(tmp_path):
    """As it stands."""
    file = tmp_path / "twin.yaml"
    file.write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    assert load(file).organisations[0].keys == ("sk-a", "sk-b")


def test_it_names_every_fault():
    """And no other."""
    table = PAGE[PAGE.index("| fault |") : PAGE.index("A fault that replaces")]
    rows = [row.split("|")[1] for row in table.splitlines()[2:] if row]
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    assert named == set(KINDS)


def test_it_names_every_flag():
    """Each of the command's."""
    flags = {action.option_strings[0] for action in parser()._actions} - {"-h"}
    assert flags <= set(re.findall(r"`(--?[a-z-]+)", PAGE))


def test_it_names_every_place_of_a_fault():
    """And every provider."""
    assert {f"`{place}`" for place in PLACES} <= set(re.findall(r"`\w+`", PAGE))
    assert all(f"`{base}`" in PAGE for base in BASES.values())
