"""The files that a configuration names: each can be read and holds what it should, or it is an error now, not later."""

import errno
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path as FilePath

from tidegate.config.findings import Finding, Path
from tidegate.config.source import Document, as_list, as_mapping
from tidegate.model.client_keys import BadLine, read_keys

_MAX_BYTES = 33_554_432


def check_files(document: Document, folder: FilePath) -> dict[bytes, str]:
    """Add to `document` what is wrong with the files it names; relative paths start at `folder`.

    Returns what the file of client keys says: names by the 32-byte SHA-256 of their key.
    """
    data = as_mapping(document.data)
    for path, name in _authorities(data):
        if name and read_named(path, folder / name, document) is not None:
            _check_authority(path, folder / name, document)
    _check_tls(as_mapping(as_mapping(data.get("server")).get("tls")), folder, document)
    keys_file = as_mapping(data.get("clients")).get("keys_file")
    if not isinstance(keys_file, str) or not keys_file:
        return {}
    return _check_keys(("clients", "keys_file"), folder, keys_file, document)


def named_files(document: Document, folder: FilePath) -> tuple[str, ...]:
    """Absolute paths of the files whose content is part of the configuration: client keys, profiles of one's own."""
    data = as_mapping(document.data)
    named = [as_mapping(data.get("clients")).get("keys_file"), *as_mapping(data.get("profiles")).values()]
    return tuple(str(folder / name) for name in named if isinstance(name, str) and name)


def _authorities(data: dict[str, object]) -> Iterator[tuple[Path, str]]:
    for provider, settings in as_mapping(data.get("providers")).items():
        name = as_mapping(settings).get("ca_file")
        if isinstance(name, str):
            yield ("providers", provider, "ca_file"), name
    name = as_mapping(as_mapping(data.get("admin")).get("oidc")).get("ca_file")
    if isinstance(name, str):
        yield ("admin", "oidc", "ca_file"), name


class Irregular(ValueError):
    """What has this name is no file: a pipe, a device, whatever may never end or never begin."""


def read_regular(file: FilePath) -> bytes:
    """The first 32 MiB and a byte of a file, without waiting for it. Raises `Irregular`, `OSError`, `ValueError`."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise Irregular
        pieces, left = [], _MAX_BYTES + 1
        while left and (piece := os.read(descriptor, left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def read_named(path: Path, file: FilePath, document: Document) -> bytes | None:
    """The file's content, or None after noting why not."""
    try:
        raw = read_regular(file)
    except Irregular:
        document.refuse(path, "this is no file", "name a file, not a pipe, a socket or a device")
        return None
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable path"
        remedy = "name a file that exists; a relative path starts at the configuration file's folder"
        document.refuse(path, f"the file cannot be read ({reason})", remedy)
        return None
    if len(raw) > _MAX_BYTES:
        document.refuse(path, f"the file is larger than {_MAX_BYTES:,} bytes", "name the right file")
        return None
    return raw


def _check_keys(path: Path, folder: FilePath, name: str, document: Document) -> dict[bytes, str]:
    raw = read_named(path, folder / name, document)
    if raw is None:
        return {}
    try:
        names = read_keys(raw)
    except BadLine as error:
        written = str(folder / document.written(name))
        document.findings.append(Finding(error.line, 1, "", error.message, error.remedy, written))
        return {}
    if not names:
        document.refuse(path, "the file holds no key", "add a line `NAME SHA256`, or remove keys_file")
    for at, key in _namespace_keys(as_mapping(document.data)):
        if sha256(key.encode(errors="replace")).digest() in names:
            document.refuse(at, "this key stands in the file of client keys too", "remove one of the two")
    return names


def _namespace_keys(data: dict[str, object]) -> Iterator[tuple[Path, str]]:
    for name, namespace in as_mapping(data.get("namespaces")).items():
        for index, item in enumerate(as_list(as_mapping(namespace).get("keys"))):
            key = item if isinstance(item, str) else as_mapping(item).get("key")
            if isinstance(key, str):
                yield ("namespaces", name, "keys", index), key


def _check_authority(path: Path, file: FilePath, document: Document) -> None:
    import ssl  # noqa: PLC0415 - 20 ms that only a file with ca_file or tls costs

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (ssl.SSLError, ValueError):
        document.refuse(path, "the file holds no certificate", "name a PEM file of a certificate authority")


def _check_tls(tls: dict[str, object], folder: FilePath, document: Document) -> None:
    certificate, key = tls.get("certificate"), tls.get("key")
    if not isinstance(certificate, str) or not isinstance(key, str):
        return
    named = {"certificate": certificate, "key": key}
    contents = [read_named(("server", "tls", field), folder / name, document) for field, name in named.items()]
    if None in contents:
        return
    import ssl  # noqa: PLC0415 - 20 ms that only a file with ca_file or tls costs

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / certificate, folder / key, password=lambda: b"")  # else it asks the terminal
    except (ssl.SSLError, ValueError):
        remedy = "name PEM files of a certificate chain and its own key, without a passphrase"
        document.refuse(("server", "tls"), "certificate and key cannot be used together", remedy)
