"""Which calls are sent: all that failed, were refused, went elsewhere or took long, and a share of the others. Pure.

The share is decided by the trace's id (as OpenTelemetry's `TraceIdRatioBased`), so every gate and process of one trace
decides alike; what its client keeps, we keep.
"""

from typing import Final

from tidegate.model import trace
from tidegate.model.facts import CallRecord, Hit
from tidegate.model.telemetry import TelemetrySettings

_WRONG: Final = 400
_BITS: Final = 1 << 63
_PERMILLE: Final = 1_000


def keeps(record: CallRecord | Hit, trace_id: str, settings: TelemetrySettings) -> bool:
    """Whether the spans of a call, or of an answer of the cache, are sent. O(1)."""
    if isinstance(record, CallRecord) and _failed(record):
        return True
    if record.duration_us >= settings.slow_us or trace.sampled(record.trace):
        return True
    return int(trace_id[16:], 16) & (_BITS - 1) < _BITS * settings.sample_permille // _PERMILLE


def _failed(record: CallRecord) -> bool:
    return record.status >= _WRONG or not record.status or record.attempts > 1 or bool(record.degraded)
