"""What takes longest begins first."""

from pathlib import Path

import pytest

SOME = """
import pytest

def test_one(): ...

@pytest.mark.timeout(120)
def test_two(): ...

@pytest.mark.timeout(1800)
def test_long(): ...

def test_three(): ...
"""


def test_what_may_take_long_begins_first(pytester: pytest.Pytester) -> None:
    """All others stay in the order in which they are written."""
    pytester.makeconftest((Path(__file__).parent.parent / "conftest.py").read_text().replace("pytest_plugins", "_"))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(test_some=SOME)
    result = pytester.runpytest_inprocess("-p", "no:xdist", "--collect-only", "-q")
    found = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert found == ["test_long", "test_one", "test_two", "test_three"]
