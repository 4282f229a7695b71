"""What many workers share, from the checked configuration to the snapshot's record."""

import hashlib
import re

import msgspec

from tidegate.config.schema.cluster import ClusterConfig
from tidegate.model.cluster import ClusterSettings
from tidegate.model.snapshot import Snapshot

_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100


def cluster(item: ClusterConfig) -> ClusterSettings:
    """Where it is, and what becomes of calls without it."""
    return ClusterSettings(
        url=item.url or "",
        prefix=item.prefix,
        node=item.node or "",
        timeout_us=item.timeout_ms * 1_000,
        on_state_loss=item.on_state_loss,
        share_us=item.share_seconds * 1_000_000,
        region=item.region or "",
        configuration=item.configuration,
    )


def node_of(host: str, state_dir: str) -> str:
    """The name of a node that nobody named: two gates of one host have state directories of their own."""
    digest = hashlib.sha256(state_dir.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{_ODD.sub('-', host).strip('-')[:_LONGEST] or 'node'}-{digest}"


def settled(snapshot: Snapshot, shared: str, node: str, otherwise: str) -> Snapshot:
    """The snapshot that is served by: with what the gate brings along and the command line says.

    `shared` is the URL of the gate's own server, taken where the file names none, "" = it has none; `node` is the name
    that was asked for, and `otherwise` the one where nobody says any. Without a cluster it is returned as it is.
    """
    settings = snapshot.cluster
    url = settings.url or shared
    if not url:
        return snapshot
    node = node or settings.node or otherwise
    return msgspec.structs.replace(snapshot, cluster=msgspec.structs.replace(settings, url=url, node=node))
