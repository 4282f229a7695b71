"""The files that a configuration names."""

import os
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.config.conftest import Loads, Refusals
from tests.config.texts import SMALLEST
from tidegate.config import files
from tidegate.model.snapshot import ClientKey

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_tls(loads: Loads, tmp_path: Path, authority: trustme.CA) -> None:
    """A certificate with its key and an authority load; their paths become absolute."""
    issued = authority.issue_cert("gate.example")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    text = f"{SMALLEST}    ca_file: ca.pem\nserver:\n  tls: {{certificate: cert.pem, key: {tmp_path}/key.pem}}\n"
    snapshot = loads(text).snapshot
    assert snapshot.server.tls is not None
    assert (snapshot.server.tls.certificate, snapshot.server.tls.key) == (f"{tmp_path}/cert.pem", f"{tmp_path}/key.pem")
    assert snapshot.providers[0].ca_file == f"{tmp_path}/ca.pem"


def test_key_of_another(refusals: Refusals, tmp_path: Path, authority: trustme.CA) -> None:
    """A key that does not belong to the certificate is found now, not when the gate starts."""
    authority.issue_cert("a.example").private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.issue_cert("b.example").cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    (error,) = refusals(SMALLEST + "server: {tls: {certificate: cert.pem, key: key.pem}}\n")
    assert "server.tls: certificate and key cannot be used together" in error


def test_key_with_a_passphrase(refusals: Refusals, tmp_path: Path, authority: trustme.CA) -> None:
    """A key that needs a passphrase is refused instead of asking a terminal for it."""
    issued = authority.issue_cert("a.example")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*form, locked))
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    (error,) = refusals(SMALLEST + "server: {tls: {certificate: cert.pem, key: key.pem}}\n")
    assert "without a passphrase" in error


def test_no_authority(loads: Loads) -> None:
    """An empty path, as from an empty variable, counts as left out."""
    snapshot = loads(SMALLEST + '    ca_file: "${CA:-}"\nclients: {keys_file: ""}\n').snapshot
    assert (snapshot.providers[0].ca_file, snapshot.clients) == ("", ())


def test_keys_file(loads: Loads, refusals: Refusals, tmp_path: Path) -> None:
    """The file of client keys is part of the snapshot; an error names its own line; without a key it opens nothing."""
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# comment\n\na {DIGEST}\n")
    loaded = loads(SMALLEST + "clients: {keys_file: keys.txt}\n")
    assert loaded.snapshot.clients == (ClientKey("a", bytes.fromhex(DIGEST)),)
    assert loaded.named == (str(keys),)
    assert loaded.warnings == ()
    keys.write_text(f"a {DIGEST}\nb {DIGEST}\n")
    (error,) = refusals(SMALLEST + "clients: {keys_file: keys.txt}\n")
    assert error == f"{keys}:2:1: this key stands on a line above already; remove one of the two"
    keys.write_text("# nobody\n")
    (error,) = refusals(SMALLEST + "clients: {keys_file: keys.txt}\n")
    assert "clients.keys_file: the file holds no key; add a line" in error


def test_size_is_bounded(refusals: Refusals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is far too large is not read to its end."""
    monkeypatch.setattr(files, "_MAX_BYTES", 10)
    (tmp_path / "keys.txt").write_text(f"a {DIGEST}\n")
    (error,) = refusals(SMALLEST + "clients: {keys_file: keys.txt}\n")
    assert "the file is larger than 10 bytes" in error


@pytest.mark.parametrize(
    "field", ["clients: {keys_file: %s}", "profiles: {ours: %s}", "server: {tls: {certificate: %s, key: %s}}"]
)
def test_what_is_no_file_is_not_waited_for(field: str, refusals: Refusals, tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device that never ends: refused at once, at the field that names it."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "/dev/zero", "/dev/null"):
        errors = refusals(SMALLEST + field.replace("%s", name) + "\n")
        assert all("this is no file; name a file" in error for error in errors)
        assert errors
    (error, *_) = refusals(SMALLEST + field.replace("%s", str(tmp_path)) + "\n")
    assert "Is a directory" in error
