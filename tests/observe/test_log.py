"""The log writes one JSON object a line."""

import json
import re

import pytest

from tidegate.observe.log import Log


def test_an_event_is_one_line_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    """Time in UTC, level, process, event and the fields; other scripts stay readable, line breaks stay inside."""
    log = Log("supervisor")
    log.info("started", pid=5)
    log.warning("坏\nfile", path="a\udcffb")
    log.error("failed", error=OSError("no"))
    first, second, third = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {"level": "info", "process": "supervisor", "event": "started", "pid": 5}
    assert (second["level"], second["event"]) == ("warning", "坏\nfile")
    assert (third["level"], third["error"]) == ("error", "no")
