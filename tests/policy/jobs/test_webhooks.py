"""Where webhooks may go, how they are signed, and when they are sent again."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from tidegate.policy.jobs.addresses import Allowed
from tidegate.policy.jobs.webhooks import (
    AGAIN,
    GIVEN_UP,
    SENT,
    BadHook,
    Target,
    after,
    event_id,
    headers,
    put_off,
    target_of,
)

NOBODY = Allowed(())
HOUR = 3_600_000_000
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example/a/b?c=d", Target(True, "hooks.example", 443, "/a/b?c=d")),
        ("http://hooks.example", Target(False, "hooks.example", 80, "/")),
        ("https://Hooks.Example.:8443/", Target(True, "hooks.example", 8443, "/")),
        ("https://hooks.example?x=1", Target(True, "hooks.example", 443, "/?x=1")),
        ("https://8.8.8.8/", Target(True, "8.8.8.8", 443, "/")),
        ("https://[2606:4700::1111]:8443/x", Target(True, "2606:4700::1111", 8443, "/x")),
        ("https://xn--bcher-kva.example/", Target(True, "xn--bcher-kva.example", 443, "/")),
        ("https://hooks_1.example/@b", Target(True, "hooks_1.example", 443, "/@b")),
    ],
)
def test_a_url_is_read(url: str, target: Target) -> None:
    """Scheme, name, port and path; what is left out has its usual value."""
    assert target_of(url, NOBODY) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/a",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "unix:/run/x.sock",
        "HTTPS://hooks.example/",
        "https://",
        "https:///path",
        "https://user@hooks.example/",
        "https://user:pass@hooks.example/",
        "https://hooks.example@127.0.0.1/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/a b",
        "https://hooks.example/a\r\nX: y",
        "https://hooks.example/a\n",
        " https://hooks.example/",
        "https://hooks.example/#a",
        "https://hooks.example\t/",
        "https://hooks.example/\u00e9",
        "https://b\u00fccher.example/",
        "https://hooks..example/",
        "https://-hooks.example/",
        "https://hooks.example:0/",
        "https://hooks.example:65536/",
        "https://hooks.example:/",
        "https://hooks.example:25/",
        "https://hooks.example:22/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.0.0.0x1/",
        "https://1.2.3.4.5/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[::1/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost:8443/",
        "https://hooks.example/" + "a" * 2_048,
    ],
)
def test_what_is_no_place_for_a_webhook(url: str) -> None:
    """It is refused with a remedy, and the URL, in which a secret may stand, is not repeated."""
    with pytest.raises(BadHook) as refused:
        target_of(url, NOBODY)
    assert "pass@" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.0/8", "http://127.0.0.1:9000/hook"),
        ("localhost", "http://localhost:9000/hook"),
        ("::1", "http://[::1]:9000/hook"),
        ("hooks.internal", "https://hooks.internal:444/hook"),
    ],
)
def test_the_operator_may_allow_more(entry: str, url: str) -> None:
    """Names and networks of the operator's own, on any port."""
    assert target_of(url, Allowed((entry,)))
    with pytest.raises(BadHook):
        target_of(url.replace("hooks.internal:444", "127.0.0.1"), NOBODY)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://a.example/", "a.example"),
        ("https://a.example:8443/", "a.example:8443"),
        ("http://a.example:80/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
    ],
)
def test_the_host_header(url: str, authority: str) -> None:
    """It names the port where it is not the scheme's own."""
    assert target_of(url, NOBODY).authority == authority


@given(st.text(max_size=80) | st.from_regex(r"https?://[ -~]{0,60}", fullmatch=True))
def test_no_text_breaks_the_request(url: str) -> None:
    """What is read fits into a request line and a header, and is read the same way again."""
    try:
        target = target_of(url, NOBODY)
    except BadHook:
        return
    assert all("!" <= letter <= "~" for letter in target.path + target.authority)
    assert target_of(f"{'https' if target.tls else 'http'}://{target.authority}{target.path}", NOBODY) == target


# ── signatures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(head: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)  # type: ignore[misc]


@given(st.binary(min_size=24, max_size=64), st.text(max_size=50))
def test_the_public_library_verifies_it(secret: bytes, text: str) -> None:
    """Standard Webhooks' own code accepts it, and nothing that was changed."""
    body = json.dumps({"text": text}).encode()
    now = int(datetime.now(UTC).timestamp())
    head = lines(headers("msg_job_1_2", now, body, secret))
    assert Webhook(secret).verify(body, head) == {"text": text}
    for changed in (body + b" ", b" " + body):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, head)
    for name, value in (("webhook-id", "msg_other"), ("webhook-timestamp", str(now - 1))):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, head | {name: value})
    with pytest.raises(WebhookVerificationError):
        Webhook(secret[::-1] + b"x").verify(body, head)


def test_an_event_has_one_id() -> None:
    """The same for each attempt, another one for another end."""
    assert event_id("job_1", 7) == event_id("job_1", 7)
    assert len({event_id("job_1", 7), event_id("job_1", 8), event_id("job_2", 7)}) == 3


# ── again ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("attempt", "status", "state"),
    [
        (1, 200, SENT),
        (8, 204, SENT),
        (1, 0, AGAIN),
        (1, 302, AGAIN),
        (1, 307, AGAIN),
        (1, 400, AGAIN),
        (1, 404, AGAIN),
        (1, 429, AGAIN),
        (7, 503, AGAIN),
        (8, 503, GIVEN_UP),
        (8, 0, GIVEN_UP),
        (9, 500, GIVEN_UP),
        (1, 410, GIVEN_UP),
    ],
)
def test_what_becomes_of_it(attempt: int, status: int, state: str) -> None:
    """2xx is the end, 410 too, everything else is tried again until the attempts are used up."""
    assert after("msg_1", attempt, 8, status).state == state


def test_pauses_grow_to_a_day() -> None:
    """From seconds to hours, as the standard recommends."""
    pauses = [after("msg_1", attempt, 20, 500).pause_us for attempt in range(1, 20)]
    assert 5 * SECOND <= pauses[0] < 7 * SECOND
    assert pauses[:9] == sorted(pauses[:9])
    assert 24 * HOUR <= pauses[-1] <= 30 * HOUR
    assert sum(pauses[:7]) > 24 * HOUR  # eight attempts bridge a night


def test_those_that_failed_together_come_back_apart() -> None:
    """The jitter is the event's own, and the same whoever computes it."""
    pauses = {after(f"msg_{number}", 2, 8, 0).pause_us for number in range(100)}
    assert len(pauses) > 40
    assert after("msg_1", 2, 8, 0) == after("msg_1", 2, 8, 0)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (0, 5 * SECOND, 7 * SECOND),
        (HOUR, HOUR, HOUR),
        (1, 5 * SECOND, 7 * SECOND),
        (10_000 * HOUR, 24 * HOUR, 30 * HOUR),
    ],
)
def test_a_receiver_may_ask_for_more_time(asked: int, least: int, most: int) -> None:
    """Retry-After makes a pause longer, never shorter, and not for ever."""
    assert least <= after("msg_1", 1, 8, 503, asked).pause_us <= most


@given(st.integers(0, 10**15), st.integers(0, 60 * SECOND), st.integers(0, 64), st.integers(0, 10**15))
def test_who_is_put_off_comes_back(turn: int, each: int, places: int, wall: int) -> None:
    """Not at once, and within five minutes, wherever the turn of its host stands."""
    assert wall + SECOND <= put_off(turn, each, places, wall) <= wall + 300 * SECOND


def test_who_is_put_off_comes_in_turn() -> None:
    """As many at a time as the host has places."""
    turn, moments = 0, []
    for _ in range(4):
        turn = put_off(turn, 2 * SECOND, 4, 100 * SECOND)
        moments.append(turn)
    assert moments == [101_500_000, 102_000_000, 102_500_000, 103_000_000]
