"""What a gate that counts is taught, in small: by the plain gate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.training import COUNTED
from harness.process import ROOT


@pytest.mark.parametrize("name", ["answers", "signatures", "streamed messages"])
def test_a_lesson_is_understood(name: str) -> None:
    """Every call is answered: what is refused would teach the way of refusals.

    In a process of its own: its pace comes from the timer by which tests are stopped.
    """
    gate = str(Path(sys.executable).with_name("tidegate"))
    command = [sys.executable, "-m", "bench.training", gate, "--only", name, "--count", "40"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == {"lesson": name, "asked": 40, "answered": 40}, done.stderr


def test_who_counts_ends_as_c_programs_do() -> None:
    """`os._exit` would skip what libraries do at the end; the status stays."""
    ending = "import ctypes, os; ctypes.CDLL(None).puts(b'end'); os._exit(3)"  # in C's buffer, until it ends
    env = {**os.environ, "PYTHONPATH": str(COUNTED)}
    done = subprocess.run([sys.executable, "-c", ending], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (3, ["end"])
