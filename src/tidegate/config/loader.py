"""The loader process: `python -m tidegate.config.loader FILE --version N --state-dir DIR --node NAME --shared URL`.

Writes two frames to standard output (`supervisor/messages.py`): `Named`, the other files that count, and `Loaded`, the
snapshot as msgpack and what the supervisor acts on without decoding it; warnings to standard error, one `warning: …`
per line; and ends with 0. When the file cannot be used it writes at most `Named` to standard output, `error: …` lines
to standard error, and ends with 2.
"""

import gc

if __name__ == "__main__":
    gc.disable()  # it ends before there is anything to collect: a tenth of its time, imports included

import argparse
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from tidegate.config.build.cluster import node_of, settled
from tidegate.config.findings import ConfigError
from tidegate.config.load import Loaded, Sharing, load
from tidegate.config.parcels import Unshareable
from tidegate.config.shared_files import given, kept, put
from tidegate.config.split import split
from tidegate.model.isolation import asks_for_keys
from tidegate.model.snapshot import Snapshot, compares, encode, runners
from tidegate.supervisor import messages


def main(arguments: Sequence[str] | None = None) -> int:
    """Load one file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.config.loader", description="Load a configuration file.")
    parser.add_argument("file", help="the configuration file")
    parser.add_argument("--version", type=int, default=0, metavar="N", help="number of this load in the snapshot")
    parser.add_argument("--for", dest="purpose", choices=("serve", "check"), default="serve", help="what it is for")
    parser.add_argument("--state-dir", default="", metavar="DIR", help="the gate's state directory")
    parser.add_argument("--node", default="", metavar="NAME", help="this node's name in a cluster")
    parser.add_argument("--kept", default="", metavar="FILE", help="what all nodes share, which goes before the file")
    parser.add_argument("--parcel", default="", metavar="FILE", help="read this parcel in the place of the file")
    parser.add_argument("--text", default="", metavar="FILE", help="read this in the place of the file's own text")
    parser.add_argument("--shared-version", type=int, default=0, metavar="N", help="which version that is to be")
    parser.add_argument("--pack", default="", metavar="FILE", help="write the parcel for other nodes here")
    parser.add_argument("--shared", default="", metavar="URL", help="the gate's own server, where the file names none")
    options = parser.parse_args(arguments)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins reads every package's metadata
    wall = time.time_ns() // 1_000  # noqa: TID251 - a process of its own, which ends
    try:
        loaded = _read(options, wall)
        if options.pack:
            put(options.pack, loaded.packed)
    except (Unshareable, OSError, msgspec.DecodeError) as error:
        sys.stderr.write(f"error: {options.file}: {error}\n")
        return 2
    except ConfigError as error:
        if error.named is not None:
            _say(messages.Named(error.named))
        sys.stderr.writelines(f"error: {line}\n" for line in error.lines())
        return 2
    sys.stderr.writelines(f"warning: {line}\n" for line in loaded.snapshot.warnings)
    _say(messages.Named(loaded.named))
    own = node_of(os.uname().nodename, options.state_dir)
    snapshot = settled(loaded.snapshot, options.shared, options.node, own)
    _say(_loaded(snapshot, keeps=bool(options.shared) and not loaded.snapshot.cluster.url))
    return 0


def _read(options: argparse.Namespace, wall: int) -> Loaded:
    """Raises what `load` raises."""
    read = partial(
        load, options.file, os.environ, version=options.version, serving=options.purpose == "serve", wall=wall
    )
    before = kept(options.kept, options.file, options.state_dir) if options.kept else None
    if before is not None:
        try:
            return read(sharing=before)
        except (ConfigError, OSError) as error:
            why = error.lines()[0] if isinstance(error, ConfigError) else str(error)
            words = "what all nodes share cannot be used here, so this node's own file is"
            sys.stderr.write(f"warning: cluster.configuration: {words}: version {before.version}: {why}\n")
    if options.parcel:
        return read(sharing=given(options.parcel, options.shared_version, options.state_dir))
    text = Path(options.text).read_bytes() if options.text else None
    return read(sharing=Sharing(packs=bool(options.pack), version=options.shared_version, text=text))


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
    whole = encode(snapshot) if parts or main is not snapshot else b""
    tls, cluster = server.tls is not None, snapshot.cluster
    common = bool(cluster.url) and not keeps and cluster.configuration == "shared"
    return messages.Loaded(
        clients, tls, server.drain_timeout_us, encode(main), parts, whole, _beside(snapshot), keeps, common
    )


def _beside(snapshot: Snapshot) -> tuple[str, ...]:
    """The services that are wanted beside the calls."""
    found = ["semantic"] if compares(snapshot) else []
    if snapshot.regions.name:
        found.append("regions")
    if snapshot.jobs.enabled:
        found += ["desk", *(f"runner-{number}" for number in range(runners(snapshot)))]
    return tuple(found)


if __name__ == "__main__":
    sys.exit(main())
