"""Imitations of all channels."""

from collections.abc import Iterator

import pytest

from tidegate.testing.channels import Stand


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """On this machine, without TLS, by the real clock."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Stand() as stand:
        yield stand
