"""Real stores: an etcd of one member, and a Valkey."""

import shutil
from collections.abc import Iterator

import pytest

from harness.servers.etcd import Etcd
from tests.servers import valkey, valkey_process

__all__ = ["valkey", "valkey_process"]


@pytest.fixture(scope="session")
def etcd() -> Iterator[Etcd]:
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed; on Debian: apt-get install etcd-server")
    started = Etcd()
    yield started
    started.close()


@pytest.fixture(params=["etcd", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """Of each kind of store."""
    if request.param == "etcd":
        return str(request.getfixturevalue("etcd").url)
    return str(request.getfixturevalue("valkey").url)
