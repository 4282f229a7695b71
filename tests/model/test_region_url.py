"""The URL of the store that regions share."""

import pytest

from tidegate.model.region_url import BadStore, Etcd, etcd, shown


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h:1/2", None),
        ("unix:///run/valkey", None),
        ("etcd+http://one", Etcd(False, (("one", 2379),), "", "", "")),
        ("etcd+https://u:p%40@one:1,[::1]:2?cacert=/ca", Etcd(True, (("one", 1), ("::1", 2)), "u", "p@", "/ca")),
    ],
)
def test_what_a_url_names(url: str, place: Etcd | None) -> None:
    """Members, credentials, authorities; None of Redis, which reads its own."""
    assert etcd(url) == place


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://one", "no such store"),
        ("etcd+http://", "names no host"),
        ("etcd+http://one:x", "no number"),
        ("etcd+http://one:0", "no port"),
        ("etcd+http://one,,two", "names no host"),
        ("etcd+http://one/v3", "no path"),
        ("etcd+http://s3cret@one", "no password"),
        ("etcd+http://one?key=s3cret", "no such option: key"),
        ("etcd+http://one two", "spaces"),
    ],
)
def test_what_is_no_store(url: str, problem: str) -> None:
    """It says what is wrong and what to do, and no secret."""
    with pytest.raises(BadStore, match=problem) as refused:
        etcd(url)
    assert refused.value.remedy
    assert "s3cret" not in str(refused.value)


def test_a_url_is_shown_without_its_secrets() -> None:
    """Neither the password nor a path of the machine."""
    assert shown("etcd+https://u:s3cret@one,two?cacert=/ca") == "etcd+https://one,two"
