"""The wheel that is distributed: compiled by mypyc from the same sources, it passes the same tests."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
# What goes through compiled rooms most, and finishes in seconds.
SAME_TESTS = (
    "tests/wire/test_vectors.py",
    "tests/wire/test_server.py",
    "tests/wire/test_upstream.py",
    "tests/edge",
    "tests/line",
    "tests/policy",
    "tests/cache/test_memory.py",
    "tests/cache/test_answers.py",
    "tests/providers/openai",
    "tests/providers/anthropic/test_stream.py",
    "tests/providers/responses/test_stream.py",
    "tests/store/test_write.py",
    "tests/store/test_lane_sums.py",
    "tests/store/test_sums.py",
    "tests/model/test_isolation.py",
    "tests/model/test_tenant.py",
    # These put a class of their own in the place of a compiled one, which insists on its type.
    "--ignore=tests/edge/test_gateway_fails.py",
    "--ignore=tests/edge/test_task_pool.py",
    "--ignore=tests/policy/queue/test_index.py",
    "--deselect=tests/edge/idempotency/test_elsewhere.py::test_what_is_left_behind_is_bounded",  # sets a constant
    "--deselect=tests/edge/idempotency/test_once.py::test_memory_is_bounded",  # sets constants
    "--deselect=tests/edge/idempotency/test_once.py::test_a_long_answer_waits_for_nobody_who_left",  # sets one
    "--deselect=tests/edge/caching/test_flights.py::test_a_slow_follower_holds_nobody_up",  # as these do
    "--deselect=tests/edge/caching/test_flights.py::test_a_long_stream_is_not_kept_for_who_wants_it_whole",
    "--deselect=tests/edge/caching/test_flights.py::test_a_fault_in_keeping_costs_nobody_the_answer",
    "--deselect=tests/edge/caching/test_asking.py::test_a_number_is_never_another_callers",
    "--deselect=tests/edge/idempotency/test_elsewhere.py::test_a_defect_holds_the_key_nowhere",  # and these a defect
    "--deselect=tests/edge/idempotency/test_once.py::test_a_defect_on_the_way_leaves_nobody_waiting",
    "--deselect=tests/line/test_attempt.py::test_a_defect_after_the_head_of_a_stream_leaves_no_connection_behind",
    "--deselect=tests/line/test_turn.py::test_a_defect_gives_back_what_was_taken",
    # These count to a million, which the sources have shown already.
    "--deselect=tests/cache/test_memory.py::test_a_million_distinct_answers_stay_within_the_bound",
    "--deselect=tests/policy/access/test_meter.py::test_a_million_addresses_take_bounded_memory_and_free_nobody",
    "--deselect=tests/line/test_routing_table.py::test_a_look_up_costs_the_same_in_a_large_book",
    "--deselect=tests/line/test_routing_table.py::test_models_that_only_callers_name_are_remembered_within_bounds",
    "--deselect=tests/line/test_line.py::test_a_call_costs_the_same_with_any_number_of_scopes_and_keys",
    "--deselect=tests/line/test_pool.py::test_a_turn_costs_the_same_whoever_waits",
)
IMPORTS = """
import importlib, pathlib, sys
made = sorted(str(path.relative_to(sys.argv[1])) for path in pathlib.Path(sys.argv[1], "tidegate").rglob("*.so"))
for name in made:
    module = importlib.import_module(name.partition(".")[0].replace("/", "."))
    assert module.__file__.endswith(name), module.__file__
print(len(made))
"""
RESIDENT = """
import re, tidegate.worker.process
print(int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(*words: str, path: Path) -> str:
    """Run this interpreter with the unpacked wheel before the sources; the output, and a failure with it."""
    env = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.timeout(1800)
def test_the_compiled_package_passes_the_same_tests(tmp_path: Path) -> None:
    """Every compiled module imports, a worker is lean, and the rooms that a call goes through do what they did."""
    if not (os.environ.get("CI") or os.environ.get("TIDEGATE_COMPILE")):
        pytest.skip("compiling takes a minute or two: set CI=true or TIDEGATE_COMPILE=debug")
    if shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("there is no C compiler, or Python's headers are missing")
    build = ["uv", "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(tmp_path), str(ROOT)]
    env = {**os.environ, "TIDEGATE_COMPILE": "debug", "TIDEGATE_SKIP_UI": "1"}
    done = subprocess.run(build, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert not wheel.name.endswith("-none-any.whl")
    package = tmp_path / "package"
    zipfile.ZipFile(wheel).extractall(package)
    assert int(python("-c", IMPORTS, str(package), path=package)) > 30
    assert int(python("-c", RESIDENT, path=package)) < 48  # MiB; compiled for speed it is 5 less
    python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SAME_TESTS, path=package)


def test_what_is_compiled(hook: ModuleType) -> None:
    """The wire's hot half is, what is named as interpreted is not, nor is any module that defines a msgspec struct."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    settings = options["hooks"]["custom"]
    made = hook.compiled_modules(ROOT, settings["rooms"], settings["interpreted"])
    assert "src/tidegate/wire/connection.py" in made
    assert "src/tidegate/wire/server.py" not in made
    assert all("msgspec.Struct" not in (ROOT / path).read_text() for path in made)


def test_a_stale_exception_is_refused(hook: ModuleType) -> None:
    """Whoever moves a module is told that its exception went stale."""
    with pytest.raises(RuntimeError, match=r"wire/gone\.py"):
        hook.compiled_modules(ROOT, ["wire/*.py"], ["wire/gone.py"])


@pytest.mark.parametrize(("switch", "level"), [("", ""), ("0", ""), ("1", "2"), ("debug", "0")])
def test_the_switch(hook: ModuleType, monkeypatch: pytest.MonkeyPatch, switch: str, level: str) -> None:
    """Only where TIDEGATE_COMPILE asks for it is anything compiled."""
    monkeypatch.setenv("TIDEGATE_COMPILE", switch)
    wanted = hook._wanted()
    assert (wanted and hook.LEVELS[wanted]) == level


def test_what_counts_has_somewhere_to_count_into(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its counts would lie in a folder that is thrown away."""
    monkeypatch.setenv("TIDEGATE_COMPILE", "counting")
    monkeypatch.delenv("TIDEGATE_PROFILE", raising=False)
    with pytest.raises(RuntimeError, match="TIDEGATE_PROFILE"):
        hook._wanted()
    monkeypatch.setenv("TIDEGATE_PROFILE", "somewhere")
    assert hook._wanted() == "counting"


def test_an_unknown_switch_is_refused(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake must not give a plain wheel."""
    monkeypatch.setenv("TIDEGATE_COMPILE", "yes")
    with pytest.raises(RuntimeError, match="expected 1, debug, counting or 0"):
        hook._wanted()
