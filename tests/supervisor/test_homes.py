"""Which folder belongs to whom, over rolling restarts and starts with another number of workers."""

from pathlib import Path

from tidegate.supervisor.homes import Homes, made, replica


def test_the_first_replica_is_at_home_in_the_state_directory(tmp_path: Path) -> None:
    """Where one worker has always been; every other place has its own folder, and each a second one."""
    homes = Homes(str(tmp_path), 2)
    assert [homes.of(place) for place in (replica(0), replica(1), "gold")] == [
        str(tmp_path),
        f"{tmp_path}/workers/+1",
        f"{tmp_path}/workers/gold",
    ]
    assert [homes.next(place) for place in (replica(0), replica(1), "gold")] == [
        f"{tmp_path}/workers/+0+",
        f"{tmp_path}/workers/+1+",
        f"{tmp_path}/workers/gold+",
    ]


def test_who_has_moved_is_found_there_again(tmp_path: Path) -> None:
    """By the next gate too; the one after that goes back."""
    homes = Homes(str(tmp_path), 1)
    homes.moved(replica(0))
    again = Homes(str(tmp_path), 1)
    assert again.of(replica(0)) == f"{tmp_path}/workers/+0+"
    assert again.next(replica(0)) == str(tmp_path)
    again.moved(replica(0))
    assert Homes(str(tmp_path), 1).of(replica(0)) == str(tmp_path)


def test_another_number_of_workers_knows_no_nonces(tmp_path: Path) -> None:
    """What one of them alone knew is not all that was used; isolated namespaces keep theirs."""
    Homes(str(tmp_path), 2)
    for folder in (tmp_path, Path(made(f"{tmp_path}/workers/+1")), Path(made(f"{tmp_path}/workers/gold"))):
        (folder / "nonces").write_bytes(b"")
    Homes(str(tmp_path), 2)
    assert (tmp_path / "nonces").exists()
    Homes(str(tmp_path), 1)
    assert not (tmp_path / "nonces").exists()
    assert not (tmp_path / "workers" / "+1" / "nonces").exists()
    assert (tmp_path / "workers" / "gold" / "nonces").exists()


def test_a_file_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    """As of a gate that never had several workers."""
    for text in ("", "{}", "[1]", '{"replicas": "x", "second": 1}'):
        (tmp_path / "homes").write_text(text)
        assert Homes(str(tmp_path), 1).of(replica(0)) == str(tmp_path)
