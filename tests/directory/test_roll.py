"""The writing side of the directory log."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from tidegate.directory.layout import KEYS_WERE_MANAGED, MAGIC, payloads
from tidegate.directory.roll import Roll
from tidegate.model.directory import Change, Gone, PutKey, PutNamespace, PutUser, decode
from tidegate.model.snapshot import ClientKey, Namespace, User

ACME = PutNamespace(Namespace("acme"))
ANN = PutUser("acme", User("ann"))
WEB = PutKey("acme", ClientKey("web", b"1" * 32))
GONE = Gone("key", "acme", "web")


def read(path: Path) -> list[Change]:
    return [decode(payload) for payload, _ in payloads(path.read_bytes())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.log"


def test_changes_stand_in_order(path: Path) -> None:
    """The file is made with the first of them, and is nobody else's to read; a second writer goes on behind them."""
    roll = Roll(path)
    roll.append([])
    assert not path.exists()
    roll.append([ACME, ANN])
    roll.close()
    Roll(path).append([WEB])
    assert read(path) == [ACME, ANN, WEB]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_nobody_elses_again(path: Path) -> None:
    """Whatever a copy has made of its rights."""
    Roll(path).append([ACME])
    path.chmod(0o644)
    Roll(path).append([WEB])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_state_replaces_what_stands(path: Path) -> None:
    """In a new file, which appending goes on in."""
    roll = Roll(path)
    roll.append([ACME, ANN, WEB, GONE])
    before = path.stat().st_ino
    with path.open("rb"):  # as a worker holds it, so that its number is not given again
        roll.rewrite(iter([ACME, WEB]))
        assert path.stat().st_ino != before
    roll.append([GONE])
    assert read(path) == [ACME, WEB, GONE]
    assert [item.name for item in path.parent.iterdir()] == ["directory.log"]


@pytest.mark.parametrize("was", [[ACME, WEB], [ACME, GONE], [KEYS_WERE_MANAGED]])
def test_that_keys_were_managed_is_not_forgotten(path: Path, was: list[Change]) -> None:
    """A gate whose last key was revoked must not become an open one."""
    Roll(path).append(was)
    roll = Roll(path)
    roll.rewrite([ACME])
    roll.rewrite([ACME])
    assert read(path) == [ACME, KEYS_WERE_MANAGED]
    roll.rewrite([WEB])
    assert read(path) == [WEB]


def test_nothing_was_managed(path: Path) -> None:
    """A namespace is no key."""
    roll = Roll(path)
    roll.rewrite([])
    roll.append([ACME])
    roll.rewrite([])
    assert read(path) == []


def test_many(path: Path) -> None:
    """More than are framed at a time."""
    many = [PutKey("acme", ClientKey(str(number), number.to_bytes(32, "big"))) for number in range(2_500)]
    Roll(path).rewrite(iter(many))
    assert read(path) == many


def test_a_torn_end_is_cut_off(path: Path) -> None:
    """Whatever a death has left of the last record: nobody was told that it is written."""
    Roll(path).append([ACME, WEB])
    data = path.read_bytes()
    begins = next(end for _, end in payloads(data))
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    for torn in (*(data[:size] for size in range(begins, len(data))), data[:begins] + bytes(50), damaged):
        path.write_bytes(torn)
        Roll(path).append([GONE])
        assert read(path) == [ACME, GONE]


def test_damage_is_not_built_upon(path: Path) -> None:
    """The message names the file and the remedy, which works."""
    Roll(path).append([ACME, WEB])
    data = bytearray(path.read_bytes())
    data[len(MAGIC) + 9] ^= 1
    path.write_bytes(data)
    roll = Roll(path)
    with pytest.raises(OSError, match="byte 8 is damaged; restart the gate.*directory.log"):
        roll.append([GONE])
    assert path.read_bytes() == data
    roll.rewrite([ACME])
    assert read(path) == [ACME, KEYS_WERE_MANAGED]


@pytest.mark.parametrize("content", [b"", b"TIDEGT", b"something else entirely"])
def test_another_file_is_damage(path: Path, content: bytes) -> None:
    """And it may have said that keys are managed."""
    path.write_bytes(content)
    roll = Roll(path)
    with pytest.raises(OSError, match="damaged"):
        roll.append([ACME])
    roll.rewrite([])
    assert read(path) == [KEYS_WERE_MANAGED]


def test_a_full_disk_writes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun is cut off, and later changes stand behind what was whole."""
    roll = Roll(path)
    roll.append([ACME])
    real = os.pwrite

    def full(descriptor: int, data: memoryview, at: int) -> int:
        if len(data) < 5:
            raise OSError(errno.ENOSPC, "no space left")
        return real(descriptor, data[:-4], at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="no space"):
            roll.append([WEB])
        with pytest.raises(OSError, match="no space"):
            roll.rewrite([WEB])
    assert read(path) == [ACME]
    assert [item.name for item in path.parent.iterdir()] == ["directory.log"]
    roll.append([GONE])
    assert read(path) == [ACME, GONE]


def test_threads_share_a_roll(path: Path) -> None:
    """Each change stands there whole and once."""
    roll = Roll(path)

    def work(name: str) -> None:
        for number in range(20):
            roll.append([PutUser("acme", User(f"{name}{number}"))])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [change.user.name for change in read(path) if isinstance(change, PutUser)]
    assert sorted(names) == sorted(f"{name}{number}" for name in "abcd" for number in range(20))
