"""Network namespaces as hosts: a cluster's network that can be split, and another way for clients and the provider.

Each host has two interfaces. One leads to a bridge, on which the hosts and Redis meet: whose link is cut is taken off
the bridge, so that its packets vanish and nobody is told. The other leads straight to where clients and provider are,
and is never cut: the provider sees what both sides of a split do.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.node import Place
from harness.process import NotReady

_CLUSTER: Final = "10.213.0"  # the bridge's network
_CLIENTS: Final = "10.214"  # one network for each host
PROVIDER: Final = "10.215.0.1"  # the same for all: a quota is known by its base URL


@dataclass(frozen=True, slots=True)
class Host:
    """One namespace. `near` is its address on the bridge, `far` the one for clients, `there` the other end of that."""

    name: str
    number: int

    @property
    def near(self) -> str:
        return f"{_CLUSTER}.{self.number}"

    @property
    def far(self) -> str:
        return f"{_CLIENTS}.{self.number}.2"

    @property
    def there(self) -> str:
        return f"{_CLIENTS}.{self.number}.1"

    @property
    def place(self) -> Place:
        """Where a node runs that serves clients here."""
        return Place(self.far, self.via)

    @property
    def via(self) -> tuple[str, ...]:
        """Put before a command, this runs it here."""
        return ("ip", "netns", "exec", self.name)


class Network:
    """`count` hosts on one bridge."""

    def __init__(self, count: int) -> None:
        """Raises `NotReady` where this machine lets nobody make networks."""
        if shutil.which("ip") is None:
            raise NotReady("iproute2 is not installed; on Debian: apt-get install iproute2")
        tag = f"tg{os.getpid() % 100_000}"
        self._bridge = f"{tag}br"
        self.hosts = [Host(f"{tag}h{number}", number) for number in range(1, count + 1)]
        self._whole: list[Host] = []
        try:
            _ip("link", "add", self._bridge, "type", "bridge", "forward_delay", "0")
            _ip("link", "set", self._bridge, "up")
            _ip("addr", "replace", f"{PROVIDER}/32", "dev", "lo")
            for host in self.hosts:
                self._add(host)
        except BaseException:
            self.close()
            raise

    def cut(self, *hosts: Host) -> None:
        """From now on nothing passes between these and the bridge."""
        for host in hosts:
            _ip("link", "set", f"{host.name}n", "nomaster")

    def restore(self, *hosts: Host) -> None:
        """It passes again."""
        for host in hosts:
            _ip("link", "set", f"{host.name}n", "master", self._bridge)

    def close(self) -> None:
        """Nothing of it is left."""
        for host in self.hosts:
            _quietly("netns", "del", host.name)
            _quietly("link", "del", f"{host.name}n")
            _quietly("link", "del", f"{host.name}f")
        _quietly("link", "del", self._bridge)
        _quietly("addr", "del", f"{PROVIDER}/32", "dev", "lo")

    def _add(self, host: Host) -> None:
        _ip("netns", "add", host.name)
        _inside(host, "link", "set", "lo", "up")
        self._wire(host, f"{host.name}n", "near", f"{host.near}/24")
        _ip("link", "set", f"{host.name}n", "master", self._bridge)
        self._wire(host, f"{host.name}f", "far", f"{host.far}/30")
        _ip("addr", "add", f"{host.there}/30", "dev", f"{host.name}f")
        _inside(host, "route", "add", f"{PROVIDER}/32", "via", host.there)

    def _wire(self, host: Host, outside: str, inside: str, address: str) -> None:
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", host.name)
        _ip("link", "set", outside, "up")
        _inside(host, "addr", "add", address, "dev", inside)
        _inside(host, "link", "set", inside, "up")


@contextlib.contextmanager
def network(count: int) -> Iterator[Network]:
    """Hosts until the end of the block. Raises `NotReady`."""
    made = Network(count)
    try:
        yield made
    finally:
        made.close()


def _inside(host: Host, *words: str) -> None:
    _ip("-netns", host.name, *words)


def _quietly(*words: str) -> None:
    with contextlib.suppress(NotReady):
        _ip(*words)


def _ip(*words: str) -> None:
    _run(["ip", *words])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReady(f"{' '.join(command)}: {done.stderr.strip()}")
