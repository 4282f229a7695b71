"""Keeps this node's part of shared quotas: `python -m tidegate.regions`, started by the supervisor."""

import asyncio
import os
import socket
from hashlib import sha256
from pathlib import Path

import msgspec

from tidegate.clock import SystemClock
from tidegate.model import snapshot as snapshots
from tidegate.model.region_url import shown
from tidegate.model.regions import SOCKET, RegionSettings
from tidegate.observe.log import Log
from tidegate.regions.keeper import RegionAgent
from tidegate.regions.open import open_store
from tidegate.regions.status import Status
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Ready


def _settings(message: Load, state_dir: str) -> RegionSettings:
    """Two gates of one machine have state directories of their own, and so names."""
    snapshot = snapshots.decode(message.snapshot)
    digest = sha256(state_dir.encode(errors="surrogatepass")).hexdigest()[:8]
    node = snapshot.regions.node or snapshot.cluster.node or f"{socket.gethostname()}-{digest}"
    return msgspec.structs.replace(snapshot.regions, node=node)


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # of a process that died; the state directory's lock leaves only us
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


async def _main(arguments: ChildArguments, log: Log) -> None:
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    settings, state = _settings(message, arguments.state_dir), Path(arguments.state_dir)
    clock = SystemClock()
    try:
        store = open_store(settings.store, settings.prefix, settings.timeout_us)
        keeper = RegionAgent(settings, store, clock, log)
        server = await asyncio.start_unix_server(keeper.workers.serve, sock=_bound(state / SOCKET))
    except (OSError, ValueError) as error:
        log.error("the region's part cannot be kept", problem=str(error))
        end_now(1)
    log.info("keeps its part of shared quotas", region=settings.name, node=settings.node, store=shown(settings.store))
    beating = asyncio.create_task(keeper.run(Status(state, keeper, settings, clock).write))
    channel.send(Ready(os.getpid()))
    while isinstance(message := await channel.receive(), Load):
        if _settings(message, arguments.state_dir) != settings:
            log.info("`regions` changed: the process that keeps the part begins anew")
            break
        channel.send(Ready(os.getpid()))
    beating.cancel()
    server.close()
    end_now()


def main() -> None:
    """Run on the descriptors that the command line names."""
    die_with_parent()
    arguments = parse_arguments()
    asyncio.run(_main(arguments, Log("regions")))


if __name__ == "__main__":
    main()
