"""What the standard tests need that a machine without the internet and a provider without eyes cannot give."""

import base64
import os
from types import SimpleNamespace

import pytest

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
# By what the judge is, not by what the gate does.
EXPECTED = {"test_serdes": "compares the client's own serialisation with a snapshot in LangChain's repository"}
if os.environ.get("MODEL", "").startswith("claude"):
    EXPECTED["test_json_mode"] = "Claude has no JSON mode without a schema; for any object the twin answers {}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.name.partition("[")[0]
        if name in EXPECTED and item.get_closest_marker("xfail") is None:
            item.add_marker(pytest.mark.xfail(reason=EXPECTED[name]))


@pytest.fixture(autouse=True)
def picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' picture is at hand instead of in the internet."""
    monkeypatch.setattr("httpx.get", lambda *_, **__: SimpleNamespace(content=PICTURE))
