"""Properties are judged by what they find, never by how long a loaded machine takes; and a clock for each test."""

import pytest
from hypothesis import HealthCheck, settings

from tidegate.testing import ManualClock

settings.register_profile("rooms", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rooms")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
