"""The file of client keys."""

import hashlib

import pytest

from tidegate.model import client_keys
from tidegate.model.client_keys import BadLine, read_keys

A, B = (hashlib.sha256(key).hexdigest() for key in (b"a", b"b"))


def test_read() -> None:
    """Names by digest; comments, empty lines, tabs, CRLF and upper case are fine."""
    raw = f"# clients\n\nbilling {A}\r\n  search:2 \t {B.upper()}  \n#x {B}".encode()
    assert read_keys(raw) == {bytes.fromhex(A): "billing", bytes.fromhex(B): "search:2"}
    assert read_keys(b"") == {}


def test_one_client_may_have_two_keys() -> None:
    """A name may stand on several lines: that is how a key is replaced without a gap."""
    assert set(read_keys(f"a {A}\na {B}\n".encode()).values()) == {"a"}


@pytest.mark.parametrize(
    "line",
    [
        "s3cret",
        f"{A}",
        f"s3cret {A[:-1]}",
        f"s3cret {A}0",
        f"s3cret {A[:-1]}g",
        f"s3cret x {A}",
        f"s3crét {A}",
        f"-s3cret {A}",
    ],
)
def test_bad_line(line: str) -> None:
    """The first bad line is named by its number, without its text."""
    with pytest.raises(BadLine) as refused:
        read_keys(f"# one\nok {B}\n{line}\n".encode())
    assert refused.value.line == 3
    assert "s3cr" not in str(refused.value)
    assert A[:20] not in str(refused.value)


def test_key_twice() -> None:
    """One key cannot be two clients."""
    with pytest.raises(BadLine, match="line 2: this key stands on a line above already"):
        read_keys(f"a {A}\nb {A}\n".encode())


def test_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More keys than the gate is built for are refused."""
    monkeypatch.setattr(client_keys, "MAX_KEYS", 1)
    assert len(read_keys(f"a {A}\n".encode())) == 1
    with pytest.raises(BadLine, match="more than 1 keys"):
        read_keys(f"a {A}\nb {B}\n".encode())
