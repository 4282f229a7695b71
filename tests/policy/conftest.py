"""Properties are judged by what they find, never by how long a loaded machine takes."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("rooms", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rooms")


@pytest.fixture
def lines_of() -> Callable[[Callable[[], object]], int]:
    """How many lines of Python run in a call: its work, on any machine. Of what is compiled, none."""

    def count(work: Callable[[], object]) -> int:
        lines = 0

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal lines
            lines += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(before)
        return lines

    return count
