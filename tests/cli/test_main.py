"""The command line finds its commands and imports nothing else."""

import subprocess
import sys

import pytest

from tidegate import __version__
from tidegate.cli.main import COMMANDS, main


def test_without_a_command_the_help_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 without any word; 0 when help was asked for."""
    assert main([]) == 2
    assert all(f"  {name} " in capsys.readouterr().err for name in ["serve"])
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tidegate {__version__}\n"


def test_an_unknown_command_is_2_and_names_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors go to stderr."""
    assert main(["serf"]) == 2
    assert capsys.readouterr().err == f"error: there is no command 'serf': one of {', '.join(COMMANDS)}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of every command in the table."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: tidegate {name}")


def test_serve_needs_no_library_to_start() -> None:
    """The supervisor's process holds no asyncio, no msgspec, no dataclass: what it imports it carries for good."""
    code = "import sys, tidegate.cli.main, tidegate.cli.serve; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"asyncio", "msgspec", "dataclasses", "pathlib", "logging", "ssl", "pydantic"} & set(modules)
    assert not any(module.startswith("tidegate.") and "model" in module for module in modules)
