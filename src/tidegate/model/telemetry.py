"""How traces are made and where they and metrics are sent: a record of the snapshot."""

from tidegate.model.record import Record


class TelemetrySettings(Record, frozen=True):
    """Nothing is sent while `endpoint` is empty. Calls that failed or were slow are always kept."""

    propagate: bool = True  # `traceparent` of clients is taken up and handed on to providers
    endpoint: str = ""  # OTLP over HTTP: the base URL, without /v1/traces
    headers: dict[str, str] = {}  # secrets
    sample_permille: int = 10  # of the calls that are neither failed nor slow
    slow_us: int = 30_000_000
    metrics: bool = True
    metrics_every_us: int = 15_000_000
    service: str = "tidegate"
