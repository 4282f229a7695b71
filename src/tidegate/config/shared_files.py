"""Which configuration a loader reads: the node's own file, or what all nodes of the cluster share."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from tidegate.config.load import Sharing
from tidegate.model.parcel import kept_of, parcel_of

FOLDER: Final = "configuration"  # in the state directory: files of parcels
_CLUSTER: Final = re.compile(rb"(?m)(?:^|[{,]\s*)[\"']?cluster[\"']?\s*:")
_OWN: Final = re.compile(rb"\bconfiguration[\"']?\s*:\s*[\"']?own\b")


def given(parcel: str, version: int, state_dir: str) -> Sharing:
    """A parcel, which is to be this version. Raises `OSError`, `msgspec.DecodeError`."""
    return Sharing(Path(state_dir) / FOLDER, parcel_of(Path(parcel).read_bytes()), version)


def kept(path: str, file: str, state_dir: str) -> Sharing | None:
    """What was in force on all nodes; None: nothing, or the file wants to be this node's own."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        found = kept_of(Path(path).read_bytes())
        if found.version and shares(Path(file)):
            return Sharing(Path(state_dir) / FOLDER, parcel_of(found.parcel), found.version)
    return None


def shares(file: Path) -> bool:
    """Does this file, as far as a look tells, want to be all nodes' one? Also one that is broken does."""
    text = file.read_bytes()
    return bool(_CLUSTER.search(text)) and not _OWN.search(text)


def put(path: str, data: bytes) -> None:
    """Into a file that only this user reads. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
