"""What a gate that counts is taught, in small: by the plain gate."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import training
from bench.training import Lesson, lessons

LESSONS = {lesson.name: lesson for lesson in lessons()}


@pytest.mark.parametrize("name", ["answers", "signatures", "streamed messages"])
def test_a_lesson_is_understood(tmp_path: Path, name: str) -> None:
    """Every call is answered: what is refused would teach the way of refusals."""
    lesson: Lesson = replace(LESSONS[name], count=40, rate=100)
    gate = str(Path(sys.executable).with_name("tidegate"))
    assert training._taught(tmp_path, gate, lesson, {}) == 40


def test_who_counts_ends_as_c_programs_do(tmp_path: Path) -> None:
    """`os._exit` would skip what libraries do at the end; the status stays."""
    ending = "import ctypes, os; ctypes.CDLL(None).puts(b'end'); os._exit(3)"  # in C's buffer, until it ends
    env = {**os.environ, "PYTHONPATH": str(training._COUNTED)}
    done = subprocess.run([sys.executable, "-c", ending], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (3, ["end"])
