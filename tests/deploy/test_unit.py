"""The systemd unit, as systemd itself reads it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.deploy.tools import DEPLOY, program, run
from tidegate.cli.main import COMMANDS

UNIT = DEPLOY / "systemd" / "tidegate.service"
TEXT = UNIT.read_text(encoding="utf-8")
REMEDY = "apt-get install systemd"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The unit with programs that exist on this machine."""
    program("systemd-analyze", REMEDY)
    tidegate = tmp_path / "tidegate"
    tidegate.write_text("#!/bin/sh\n")
    tidegate.chmod(0o755)
    unit = tmp_path / "tidegate.service"
    unit.write_text(TEXT.replace("/opt/tidegate/bin/tidegate", str(tidegate)))
    return unit


def test_systemd_understands_it(here: Path) -> None:
    """Nothing is unknown, and nothing is missing."""
    assert "tidegate.service" not in run("systemd-analyze", "verify", str(here))


def test_it_is_hardened(here: Path) -> None:
    """By systemd's own measure, 0 (locked away) to 10: below 2.5, where most services have more than 9."""
    said = run("systemd-analyze", "security", "--offline=true", str(here))
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1]) < 2.5  # type: ignore[index]


def test_its_commands_are_the_gates() -> None:
    """Each names a command that there is; options are those of its help."""
    for line in re.findall(r"^Exec\w+=/opt/tidegate/bin/tidegate (.+)$", TEXT, re.MULTILINE):
        words = shlex.split(line)
        assert words[0] in COMMANDS
        done = subprocess.run([program("tidegate"), words[0], "--help"], capture_output=True, text=True, check=False)
        assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[\w-]+", done.stdout))


def test_it_is_given_the_time_and_the_rights_to_drain() -> None:
    """Longer than a drain; only the supervisor is told; a wrong file is not tried for ever; groups are its own."""
    said = dict(re.findall(r"^(\w+)=(.*)$", TEXT, re.MULTILINE))
    assert int(said["TimeoutStopSec"]) > 30
    assert (said["KillMode"], said["RestartPreventExitStatus"], said["Delegate"]) == ("mixed", "2", "cpu")
    assert "ProtectControlGroups" not in said
    assert int(said["LimitNOFILE"]) >= 65_536
