"""The section `telemetry`."""

import pytest

from tests.config.conftest import Loads
from tidegate.config.findings import ConfigError


def test_what_is_written_is_what_is_done(loads: Loads) -> None:
    """Shares in per cent, times in seconds, headers in lower case."""
    found = loads(
        'telemetry: {endpoint: "http://c:4318/", headers: {X-Api-Key: secret-word}, sample: 2.5%, slow_seconds: 5}'
    )
    telemetry = found.snapshot.telemetry
    assert (telemetry.endpoint, telemetry.headers) == ("http://c:4318", {"x-api-key": "secret-word"})
    assert (telemetry.sample_permille, telemetry.slow_us, telemetry.propagate) == (25, 5_000_000, True)


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [("endpoint: c:4318", "telemetry.endpoint", "http://collector.internal:4318"),
     ("sample: 0.5", "telemetry.sample", "in per cent"),
     ("headers: {'a b': x}", "telemetry.headers", "authorization")],
)  # fmt: skip
def test_what_is_wrong_is_named_with_a_remedy(loads: Loads, text: str, field: str, remedy: str) -> None:
    """Never with the value of a header."""
    with pytest.raises(ConfigError) as error:
        loads(f"telemetry: {{{text}}}")
    (line,) = error.value.lines()
    assert field in line
    assert remedy in line
