"""Where Celery is not installed, what needs it says so, and nothing else needs it."""

import sys
from pathlib import Path

import pytest

from tests.jobs.run.setting import snapshot
from tidegate.jobs.celery.open import open_backend, open_serving
from tidegate.jobs.faces import BackendDown
from tidegate.jobs.rows.open import open_rows
from tidegate.model.jobs import JobSettings
from tidegate.observe.log import Log

URL = "redis://:secret@127.0.0.1:1/0"
REMEDY = r"redis://127.0.0.1:1/0 needs the package celery: pip install 'tidegate\[celery\]'"


@pytest.fixture
def no_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is missing."""
    for name in [name for name in sys.modules if name.startswith("tidegate.jobs.celery.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("celery", "kombu", "amqp"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("no_celery")
def test_a_broker_is_down_where_celery_is_missing(tmp_path: Path) -> None:
    """The message names the broker and the remedy: its jobs wait in their rows."""
    rows = open_rows(JobSettings(), "", tmp_path)
    with pytest.raises(BackendDown, match=REMEDY):
        open_backend(URL, rows)
    rows.engine.dispose()


@pytest.mark.usefixtures("no_celery")
def test_a_runner_does_not_begin_where_celery_is_missing(tmp_path: Path) -> None:
    """The same words, as an error that the runner's process ends with."""
    with pytest.raises(ValueError, match=REMEDY):
        open_serving(snapshot(backend=URL), tmp_path, URL, "runner-0", Log("test"))


def test_the_opener_imports_nothing_of_celery() -> None:
    """Who only may need a broker pays nothing for it."""
    import subprocess

    code = "import sys, tidegate.jobs.celery.open as o; sys.exit('celery' in sys.modules or 'kombu' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
