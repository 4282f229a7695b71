"""URLs of the shared state."""

import pytest

from tidegate.cluster.url import CLUSTER, SENTINEL, SINGLE, UNIX, BadUrl, Host, StoreAddress, Tls, parse


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h", StoreAddress(SINGLE, (Host("h", 6379),))),
        ("REDIS://h:7/3", StoreAddress(SINGLE, (Host("h", 7),), database=3)),
        ("redis://:p%40ss@h/0", StoreAddress(SINGLE, (Host("h", 6379),), password="p@ss")),
        ("redis://u:p:q@h:1", StoreAddress(SINGLE, (Host("h", 1),), "u", "p:q")),
        ("redis://[2001:db8::1]:7", StoreAddress(SINGLE, (Host("2001:db8::1", 7),))),
        ("redis://h?db=4", StoreAddress(SINGLE, (Host("h", 6379),), database=4)),
        ("rediss://h", StoreAddress(SINGLE, (Host("h", 6379),), tls=Tls())),
        (
            "rediss://h?ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k&ssl_check_hostname=false",
            StoreAddress(SINGLE, (Host("h", 6379),), tls=Tls("/ca", "/c", "/k", check_hostname=False)),
        ),
        ("unix:///run/r.sock", StoreAddress(UNIX, (Host("/run/r.sock", 0),))),
        ("unix://:p@/run/a@b.sock?db=1", StoreAddress(UNIX, (Host("/run/a@b.sock", 0),), password="p", database=1)),
        ("redis+sentinel://a,b:1/m", StoreAddress(SENTINEL, (Host("a", 26379), Host("b", 1)), service="m")),
        (
            "redis+sentinel://:p@a/m/2?sentinel_password=s",
            StoreAddress(SENTINEL, (Host("a", 26379),), password="p", database=2, service="m", sentinel_password="s"),
        ),
        ("redis+cluster://a:1,b", StoreAddress(CLUSTER, (Host("a", 1), Host("b", 6379)))),
        ("rediss+cluster://u:p@a", StoreAddress(CLUSTER, (Host("a", 6379),), "u", "p", tls=Tls())),
    ],
)
def test_each_scheme_is_read(url: str, place: StoreAddress) -> None:
    """Who comes, to which servers, and as what."""
    assert parse(url) == place


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("h:6379", "no such scheme"),
        ("http://h", "no such scheme"),
        ("redis://", "names no host"),
        ("redis://:secret@", "names no host"),
        ("redis://h:0", "a port is a number"),
        ("redis://h:secret", "a port is a number"),
        ("redis://u:sec/ret@h", "stands before the @"),
        ("redis://h/secret", "a database is a small number"),
        ("redis://a,b", "several hosts"),
        ("redis://2001:db8::1", "brackets"),
        ("redis://h#secret", "fragment"),
        ("redis://h?password=secret", "unknown option"),
        ("redis://h?ssl_ca_certs=/x", "is of TLS"),
        ("rediss://h?ssl_keyfile=/x", "without ssl_certfile"),
        ("unix://r.sock", "names no path"),
        ("unix://", "names no path"),
        ("redis+sentinel://a:1", "what the sentinels call the primary"),
        ("redis+cluster://a/1", "no databases but 0"),
        ("redis://h\n", "line breaks"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_secrets(url: str, problem: str) -> None:
    """The message names the field and a remedy, and nothing of what was written."""
    with pytest.raises(BadUrl) as caught:
        parse(url, "cache.url")
    assert str(caught.value).startswith("cache.url: ")
    assert problem in str(caught.value)
    assert caught.value.remedy
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@h:1/3", "redis://h:1"),
        ("rediss://:p@[::1]?ssl_ca_certs=/x", "rediss://[::1]:6379"),
        ("unix://:p@/run/r.sock?db=1", "unix:///run/r.sock"),
        ("redis+sentinel://:p@a,b/m?sentinel_password=s", "redis+sentinel://a:26379,b:26379/m"),
        ("rediss+cluster://:p@a,b", "rediss+cluster://a:6379,b:6379"),
    ],
)
def test_it_is_shown_without_credentials(url: str, shown: str) -> None:
    """In logs and errors."""
    assert parse(url).shown == shown
