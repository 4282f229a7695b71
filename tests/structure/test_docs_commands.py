"""Every command and every program that a document shows does what the document says."""

import os
import re
from pathlib import Path

import pytest

from tests.structure.docs import DOCUMENTS, FENCE, ROOT, Reader, commands
from tidegate.cli.main import COMMANDS

# The Chinese pages show the same code, which test_docs_in_step.py sees to; of the design nothing is typed.
FOLLOWED = [
    name
    for name in DOCUMENTS
    if name != "README.zh-CN.md" and not name.startswith(("docs/zh/", "docs/design/", "examples/"))
]


@pytest.mark.timeout(180)  # it starts and ends eight programs
@pytest.mark.parametrize("document", FOLLOWED)
def test_a_document_can_be_followed(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom, in an empty folder: files are written, servers start, programs end well."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name == "OPENAI_API_KEY"]:
        monkeypatch.delenv(name)
    reader = Reader(tmp_path)
    try:
        reader.follow((ROOT / document).read_text(encoding="utf-8"))
    finally:
        reader.leave()


def test_commands_are_found_in_both_forms() -> None:
    """Continued lines are joined, comments dropped, and of a console block only what was typed counts."""
    assert list(commands("a --b \\\n  --c  # why\n# only words\nd\n")) == ["a --b --c", "d"]
    assert list(commands("$ a\nanswer\n$ b\n")) == ["a", "b"]


def test_the_readme_shows_the_commands() -> None:
    """What a newcomer types first stands in the README, in blocks that the test above follows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    typed = [command for language, block in FENCE.findall(text) if language == "sh" for command in commands(block)]
    assert {"./dev demo", "./dev test", "pip install tidegate", "tidegate demo"} <= set(typed)


@pytest.mark.parametrize("page", ["docs/commands.md", "docs/zh/commands.md"])
def test_every_command_is_listed(page: str) -> None:
    """The table of commands is the command line's own, in the same order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"^\| `tidegate (\w+)", text, re.MULTILINE) == list(COMMANDS)
