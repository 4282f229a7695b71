"""Which calls are sent."""

import msgspec
import pytest

from tests.journal.hits import hit
from tests.tracing.test_spans import PARENT, record
from tidegate.model.telemetry import TelemetrySettings
from tidegate.tracing.sampling import keeps

NONE = TelemetrySettings(sample_permille=0)
LOW, HIGH = "0" * 31 + "1", "0" * 16 + "7fffffffffffffff"


@pytest.mark.parametrize(
    "fields",
    [{"status": 429}, {"status": 0}, {"status": 503}, {"attempts": 2}, {"degraded": "max_tokens=256"},
     {"duration_us": NONE.slow_us}, {"trace": PARENT}],
    ids=str,
)  # fmt: skip
def test_what_matters_is_always_kept(fields: dict) -> None:
    """Failed, refused, moved on, given less, slow, or kept by its client."""
    assert keeps(record(**fields), HIGH, NONE)


def test_answers_of_the_cache_are_kept_as_calls_that_went_well() -> None:
    """Where they were slow, or their client keeps them; of the others a share."""
    assert not keeps(hit(1), HIGH, NONE)
    assert keeps(hit(1), LOW, TelemetrySettings(sample_permille=1))
    assert keeps(msgspec.structs.replace(hit(1), trace=PARENT), HIGH, NONE)
    assert keeps(msgspec.structs.replace(hit(1), duration_us=NONE.slow_us), HIGH, NONE)


def test_of_the_others_a_share_by_the_traces_id() -> None:
    """All gates of one trace decide alike."""
    assert not keeps(record(), LOW, NONE)
    assert keeps(record(), LOW, TelemetrySettings(sample_permille=1))
    assert not keeps(record(), HIGH, TelemetrySettings(sample_permille=999))
    assert keeps(record(), HIGH, TelemetrySettings(sample_permille=1_000))
    assert not keeps(record(trace=PARENT[:-1] + "0"), HIGH, NONE), "its client does not keep it"
