"""The loader process: `python -m tidegate.config.loader FILE --version N --state-dir DIR --node NAME --shared URL`.

Writes two frames to standard output (`planes/messages.py`): `Named`, the other files that count, and `Loaded`, the
snapshot as msgpack and what the supervisor acts on without decoding it; warnings to standard error, one `warning: …`
per line; and ends with 0. When the file cannot be used it writes at most `Named` to standard output, `error: …` lines
to standard error, and ends with 2.
"""

import argparse
import gc
import os
import socket
import sys
import time
from collections.abc import Sequence

from tidegate.config.build_cluster import node_of, settled
from tidegate.config.findings import ConfigError
from tidegate.config.load import load
from tidegate.config.split import split
from tidegate.model.isolation import asks_for_keys
from tidegate.model.snapshot import Snapshot, compares, encode, runners
from tidegate.planes import messages


def main(arguments: Sequence[str] | None = None) -> int:
    """Load one file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.config.loader", description="Load a configuration file.")
    parser.add_argument("file", help="the configuration file")
    parser.add_argument("--version", type=int, default=0, metavar="N", help="number of this load in the snapshot")
    parser.add_argument("--for", dest="purpose", choices=("serve", "check"), default="serve", help="what it is for")
    parser.add_argument("--state-dir", default="", metavar="DIR", help="the gate's state directory")
    parser.add_argument("--node", default="", metavar="NAME", help="this node's name in a cluster")
    parser.add_argument("--shared", default="", metavar="URL", help="the gate's own server, where the file names none")
    options = parser.parse_args(arguments)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins reads every package's metadata
    wall = time.time_ns() // 1_000  # noqa: TID251 - a process of its own, which ends
    try:
        loaded = load(options.file, os.environ, version=options.version, serving=options.purpose == "serve", wall=wall)
    except ConfigError as error:
        if error.named is not None:
            _say(messages.Named(error.named))
        sys.stderr.writelines(f"error: {line}\n" for line in error.lines())
        return 2
    sys.stderr.writelines(f"warning: {line}\n" for line in loaded.snapshot.warnings)
    _say(messages.Named(loaded.named))
    own = node_of(socket.gethostname(), options.state_dir)
    snapshot = settled(loaded.snapshot, options.shared, options.node, own)
    _say(_loaded(snapshot, keeps=bool(options.shared) and not loaded.snapshot.cluster.url))
    return 0


def _say(message: messages.Message) -> None:
    sys.stdout.buffer.write(messages.encode(message))
    sys.stdout.buffer.flush()


def _loaded(snapshot: Snapshot, *, keeps: bool = False) -> messages.Loaded:
    """What the supervisor is told: a snapshot for each worker, and for control the whole.

    `keeps`: the shared state is the gate's own server.
    """
    server = snapshot.server
    clients = asks_for_keys(snapshot) or bool(snapshot.clients) or any(item.clients for item in snapshot.namespaces)
    main, *rest = split(snapshot)
    parts = tuple(
        messages.Part(item.namespace, item.port, item.cpu_permille, encode(part))
        for item, part in zip(snapshot.isolated, rest, strict=True)
    )
    whole = encode(snapshot) if parts else b""
    tls = server.tls is not None
    return messages.Loaded(clients, tls, server.drain_timeout_us, encode(main), parts, whole, _beside(snapshot), keeps)


def _beside(snapshot: Snapshot) -> tuple[str, ...]:
    """The services that are wanted beside the calls."""
    found = ["semantic"] if compares(snapshot) else []
    if snapshot.regions.name:
        found.append("regions")
    if snapshot.jobs.enabled:
        found += ["desk", *(f"runner-{number}" for number in range(runners(snapshot)))]
    return tuple(found)


if __name__ == "__main__":
    gc.disable()  # it ends before there is anything to collect: a twentieth of its time
    sys.exit(main())
