"""Ports of this machine."""

import contextlib
import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nobody holds now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many, no two alike; for programs whose files name them, so that the system cannot choose."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def accepts(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
