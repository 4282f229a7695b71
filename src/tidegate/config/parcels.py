"""Putting a configuration into a parcel for other nodes, and reading it from one.

What is read from a parcel is checked by this node's environment, its own certificates and its own folder; only the text
and the files that are part of the configuration (client keys, profiles) are the parcel's. They are put into a folder
of this node, and the document is made to name them there.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from tidegate.config.files import read_regular
from tidegate.config.findings import Finding
from tidegate.config.source import Document, as_mapping
from tidegate.model.parcel import LARGEST, Parcel, encode

_PASSWORD: Final = re.compile(rb"://[^/\s\"'$@]*:[^/\s\"'$@]+@")
_STALE: Final = 3_600.0  # seconds
_OPEN: Final = "stands in the file"


class Unshareable(Exception):
    """Why this configuration is not handed to other nodes, and the remedy."""


def pack(text: bytes, document: Document, folder: Path, warnings: Iterable[Finding]) -> bytes:
    """The parcel of a configuration that was read and is right. Raises `Unshareable`."""
    check_shareable(text, document, warnings)
    files = {name: _content(folder / name) for _, _, name in _names(document)}
    packed = encode(Parcel(text, tuple(files.items())))
    if len(packed) > LARGEST:
        raise Unshareable(f"it has {len(packed):,} bytes with its files, at most {LARGEST:,} are shared")
    return packed


def _content(file: Path) -> bytes:
    try:
        return read_regular(file)
    except (OSError, ValueError):
        raise Unshareable("a file that it names cannot be read any more") from None


def check_shareable(text: bytes, document: Document, warnings: Iterable[Finding]) -> None:
    """Does the text hold nothing that only this node may know? Raises `Unshareable`."""
    secret = next((one for one in warnings if one.message.endswith(_OPEN)), None)
    if secret is not None:
        raise Unshareable(f"line {secret.line}: {secret.field}: {secret.message}, {_REMEDY}")
    node = ("cluster", "node")
    if node in document.places and node not in document.substituted:
        message = "names this node, and would name all of them"
        raise Unshareable(f'line {document.place(node).line}: cluster.node {message}: use --node, or "${{HOSTNAME}}"')
    if found := _PASSWORD.search(text):
        line = text.count(b"\n", 0, found.start()) + 1
        raise Unshareable(f"line {line}: a password stands in the file, {_REMEDY}")


_REMEDY: Final = 'and would stand in Redis too: write "${NAME}", or `cluster: {configuration: own}`'


def unpack(parcel: Parcel, document: Document, folder: Path) -> None:
    """Have the document name the parcel's files, which are written below `folder`. Raises `OSError`."""
    files = dict(parcel.files)
    for mapping, key, name in _names(document):
        if name in files:
            mapping[key] = str(_put(folder, files[name]).absolute())


def _put(folder: Path, content: bytes) -> Path:
    """Write it anew, and let go of what nobody has written for an hour: every load writes what it reads."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / sha256(content).hexdigest()
    new = path.with_suffix(f".{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
    now = path.stat().st_mtime
    for other in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another loader let go of it
            if now - other.stat().st_mtime > _STALE:
                other.unlink()
    return path


def _names(document: Document) -> Iterator[tuple[MutableMapping[str, object], str, str]]:
    """Where a file that is part of the configuration is named, and its name."""
    data = as_mapping(document.data)
    clients, profiles = as_mapping(data.get("clients")), as_mapping(data.get("profiles"))
    for mapping, key in [(clients, "keys_file"), *((profiles, name) for name in list(profiles))]:
        name = mapping.get(key)
        if isinstance(name, str) and name:
            yield mapping, key, name
