"""A state directory that an older version left, with its file: `bench/proofs/upgrade/older.py` says how it was made."""

import json
import lzma
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.twin import Twin
from harness.upgrade import heirs
from harness.upgrade.life import POLICY, Life
from harness.wait import wait_until

KEPT = POLICY.parent
PAGE = Path(__file__).parents[2] / "docs" / "install.md"
PLACES = ("backup", "restored")
PROGRAM = Path(sys.executable).with_name("tidegate")


@pytest.fixture
def told() -> dict[str, Any]:
    """What the older gate said of itself while it lived."""
    found: dict[str, Any] = json.loads((KEPT / "told.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder with its state directory as the kill left it."""
    packed = lzma.decompress((KEPT / "state.tar.xz").read_bytes())
    (tmp_path / "state").mkdir(mode=0o700)
    subprocess.run(["tar", "-xf", "-", "-C", tmp_path / "state"], input=packed, check=True)
    return tmp_path


def tidegate(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, check=False)


def test_everything_is_kept(left: Path, told: dict[str, Any]) -> None:
    """Calls, also those that no database had, what they cost, keys, audit and learnt limits, down to the field."""
    life = Life(PROGRAM, left, told["twin"])  # the address by which limits were learnt; nobody is asked there
    with life.serving():
        assert list(heirs.kept(life, told)) == []


def test_everybody_is_let_in_as_before(left: Path, told: dict[str, Any], session_twin: Twin) -> None:
    """Keys of the file and managed ones, signatures and tokens, and nobody whose key was revoked."""
    life = Life(PROGRAM, left, session_twin.port)
    with life.serving():
        assert list(heirs.doors(life, told)) == []
        assert list(heirs.doors(life, told)) == []


@pytest.mark.timeout(180)  # two gates, one after the other, on a machine that has more to do
def test_what_was_backed_up_is_whole(left: Path, told: dict[str, Any]) -> None:
    """By the commands of docs/install.md, while the gate runs; the gate of what was restored knows it all."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    back_up, restore = (next(block for block in blocks if f"mkdir -m 700 {name}" in block) for name in PLACES)
    (left / ".tidegate").symlink_to("state")
    life = Life(PROGRAM, left, told["twin"])
    with life.serving():
        assert list(heirs.kept(life, told)) == []
        subprocess.run(["sh", "-ec", back_up], cwd=left, check=True)
    subprocess.run(["sh", "-ec", restore], cwd=left, check=True)
    again = Life(PROGRAM, left / "again", told["twin"])
    again.folder.mkdir()
    (left / "restored").rename(again.state)
    with again.serving():
        assert list(heirs.kept(again, told)) == []


def test_its_policy_file_is_taken_as_it_is() -> None:
    """Without an error, and with no warning that the older version did not have."""
    done = tidegate("check", str(POLICY))
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"warning: ", done.stdout + done.stderr)) == 2


def test_the_way_back_is_refused_with_a_reason(left: Path, told: dict[str, Any]) -> None:
    """What a newer version made is left alone; calls go on, and who manages the gate is told what to do."""
    assert tidegate("db", "upgrade", "--state-dir", str(left / "state")).returncode == 0
    with sqlite3.connect(left / "state" / "tidegate.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    done = tidegate("db", "upgrade", "--state-dir", str(left / "state"))
    assert done.returncode == 1
    assert re.search(r"the database has schema 9999, newer than \d{4}: start the version that made it", done.stderr)
    life = Life(PROGRAM, left, told["twin"])
    with life.serving():
        wait_until(lambda: "has schema 9999, newer than" in life.log.read_text(), "the reason in the log")
