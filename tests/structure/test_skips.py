"""A skipped test is a failure on CI and a line in the summary elsewhere."""

from pathlib import Path

import pytest

SKIPPING = """
import pytest

def test_runs(): ...

@pytest.mark.skip(reason="nothing to see")
def test_marked(): ...

def test_late():
    pytest.skip("found out late")

@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    raise ValueError
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest((Path(__file__).parent.parent / "conftest.py").read_text().replace("pytest_plugins", "_"))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(test_some=SKIPPING, test_module="import pytest\npytest.importorskip('no_such_module')\n")
    return pytester


def test_on_ci_a_skip_fails(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked, found out late, or a whole module: each fails the run, and an expected failure is not."""
    monkeypatch.setenv("CI", "true")
    result = project.runpytest_inprocess("-p", "no:xdist", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, failed=1, errors=2, xfailed=1)
    assert result.ret != 0


def test_elsewhere_a_skip_is_said(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """At home a skip passes, with its reason in the summary."""
    monkeypatch.delenv("CI", raising=False)
    result = project.runpytest_inprocess("-p", "no:xdist", "-ra")
    result.assert_outcomes(passed=1, skipped=3, xfailed=1)
    result.stdout.fnmatch_lines(["*SKIPPED*found out late*"])
