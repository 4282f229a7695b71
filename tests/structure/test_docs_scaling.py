"""What docs/scaling.md has an operator type on several machines: that needs them, so it is not run here but read."""

import shlex
from argparse import ArgumentParser

import pytest

from tests.structure.docs import FENCE, ROOT, commands
from tidegate.cli import serve

PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
TYPED = [
    shlex.split(command)
    for language, block in FENCE.findall(PAGE)
    if language == "text"
    for command in commands(block)
    if command.startswith("tidegate ")
]


def test_there_is_one_for_a_node() -> None:
    """Else nobody would learn how a node is named."""
    assert TYPED


@pytest.mark.parametrize("command", TYPED, ids=shlex.join)
def test_serve_takes_its_options(command: list[str]) -> None:
    """As they stand there."""
    parser = ArgumentParser()
    serve.add_arguments(parser)
    assert command[1] == "serve"
    parser.parse_args(command[2:])
