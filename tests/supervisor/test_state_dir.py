"""The state directory: made, owned, refused."""

import os
from pathlib import Path

import pytest

from tidegate.supervisor.failure import GateError
from tidegate.supervisor.state_dir import StateDir


def test_it_is_made_for_this_user_and_says_who_owns_it(tmp_path: Path) -> None:
    """Parents are made too; the lock holds the owner's pid, without rests of a longer one."""
    path = tmp_path / "a" / "b"
    path.mkdir(parents=True)
    (path / "lock").write_text("123456789012\n")
    state = StateDir(str(path))
    assert (path / "lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(GateError, match=rf"in use by another gate \(pid {os.getpid()}\).*--state-dir"):
        StateDir(str(path))
    state.release()
    StateDir(str(path)).release()


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    """A file in its place, and a path too long for a Unix socket."""
    (tmp_path / "file").write_text("")
    with pytest.raises(GateError, match="cannot be used"):
        StateDir(str(tmp_path / "file"))
    with pytest.raises(GateError, match="too long"):
        StateDir(str(tmp_path / ("x" * 120)))
