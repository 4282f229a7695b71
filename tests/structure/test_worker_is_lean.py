"""A worker starts fast and stays small because of what it never imports."""

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "ruamel", "yaml", "starlette", "uvicorn", "rich", "prometheus_client", "toktok")
PROGRAM = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sorted(sys.modules))"


def imported_by(module: str) -> set[str]:
    listed = subprocess.run([sys.executable, "-c", PROGRAM, module], capture_output=True, text=True, check=True).stdout
    return set(listed.split())


def test_a_worker_imports_nothing_heavy() -> None:
    """Neither YAML nor validation nor a web framework, not even through a third party."""
    assert imported_by("tidegate.worker.process") & set(HEAVY) == set()


def test_a_worker_that_keeps_no_answers_imports_nothing_that_does() -> None:
    """The cache's rooms would be a third of what it imports."""
    rooms = (
        "tidegate.cache",
        "tidegate.edge.caching.cache",
        "tidegate.providers.answers",
        "tidegate.policy.caching.reading",
    )
    assert imported_by("tidegate.worker.process") & set(rooms) == set()


@pytest.mark.parametrize("module", ["asyncio", "msgspec", "ssl"])
def test_the_supervisor_imports_next_to_nothing(module: str) -> None:
    """It lives as long as the gate and forks its children: an event loop alone would cost it megabytes."""
    assert module not in imported_by("tidegate.supervisor.supervisor")


def test_a_runner_imports_neither_migrations_nor_a_web_framework() -> None:
    """Jobs wait while it starts again; alembic is for a database that is not up to date."""
    heavy = {"alembic", "starlette", "uvicorn", "celery", "pydantic", "ruamel", "yaml", "tidegate.jobs.desk"}
    assert imported_by("tidegate.jobs.runner") & heavy == set()
