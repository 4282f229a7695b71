"""What holds for every test.

On CI a skip is a failure, since everything a test needs is installed there. What takes longest begins first.
"""

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["pytester"]
_LONG = 600  # seconds that a test allows itself


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, and on CI nothing may be skipped: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _long(item: pytest.Item) -> bool:
    limit = item.get_closest_marker("timeout")
    return limit is not None and bool(limit.args) and limit.args[0] >= _LONG


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever runs the others beside it waits for none in the end."""
    items.sort(key=_long, reverse=True)
