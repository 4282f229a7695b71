"""Which tickets let a job in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.job_tokens import EXPIRED, LONGEST, BadTicket, JobToken, read, signed

SECRET = bytes(range(32))
NOW = 1_790_000_000_000_000
VECTOR = b"1.AAAAAAAAAAEABlv-2jUiQAAAAAUAAAADAAAABQAAAAFqb2JfMWFkYXNhbGVzdQ.1e9qnYOHlYlcZC8reoLNtW1LixiPlywEGNUby6Dx1hg"

names = st.text(st.characters(), max_size=40)  # lone surrogates too
tickets = st.builds(
    JobToken,
    job=names,
    fence=st.integers(0, 2**63 - 1),
    client=names,
    namespace=names,
    user=names,
    until_us=st.integers(NOW + 1, 2**63 - 1),
)


def fields(ticket: JobToken) -> tuple[str, int, str, str, str, int]:
    """All that it says."""
    return ticket.job, ticket.fence, ticket.client, ticket.namespace, ticket.user, ticket.until_us


def a_ticket(**changed: object) -> JobToken:
    """One that is good for a second."""
    said = {"job": "job_1", "fence": 1, "client": "ada", "namespace": "sales", "user": "u", "until_us": NOW + 1_000_000}
    return JobToken(**(said | changed))  # type: ignore[arg-type]


@given(tickets)
def test_what_was_signed_is_read_again(ticket: JobToken) -> None:
    """Whatever the names hold; and it can stand in a header."""
    shown = signed(ticket, SECRET)
    assert fields(read(shown, SECRET, NOW)) == fields(ticket)
    assert all(0x21 <= byte < 0x7F for byte in shown)


@given(tickets, tickets)
def test_no_two_tickets_have_the_same_text(one: JobToken, other: JobToken) -> None:
    """A text says one thing."""
    assert (signed(one, SECRET) == signed(other, SECRET)) == (fields(one) == fields(other))


@given(st.text(max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_where_a_name_ends_is_part_of_the_text(text: str, cut: int, other: int) -> None:
    """What is moved from one name to the next is another ticket."""
    one = a_ticket(client=text[:cut], namespace=text[cut:])
    two = a_ticket(client=text[:other], namespace=text[other:])
    assert (signed(one, SECRET) == signed(two, SECRET)) == (text[:cut] == text[:other])


@given(tickets, st.data())
def test_any_changed_byte_is_refused(ticket: JobToken, data: st.DataObject) -> None:
    """Also the bits of the last character that base64 leaves unused."""
    shown = bytearray(signed(ticket, SECRET))
    place = data.draw(st.sampled_from([-1, -44, 0, 1, 2]) | st.integers(0, len(shown) - 1))
    shown[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != shown[place]))
    with pytest.raises(BadTicket):
        read(bytes(shown), SECRET, NOW)


@given(tickets, st.data())
def test_what_is_cut_or_longer_is_refused(ticket: JobToken, data: st.DataObject) -> None:
    """A part of a ticket is none, nor is a ticket with something behind it."""
    shown = signed(ticket, SECRET)
    for other in (shown[: data.draw(st.integers(0, len(shown) - 1))], shown + data.draw(st.binary(min_size=1))):
        with pytest.raises(BadTicket):
            read(other, SECRET, NOW)


@given(st.binary(max_size=200))
def test_what_nobody_signed_is_refused(shown: bytes) -> None:
    """And nothing else is raised, whatever it is."""
    with pytest.raises(BadTicket):
        read(shown, SECRET, NOW)


def test_another_gates_ticket_is_refused() -> None:
    """Its secret is another."""
    with pytest.raises(BadTicket):
        read(signed(a_ticket(), SECRET), SECRET[::-1], NOW)


def test_a_ticket_is_good_until_its_time() -> None:
    """And not at it."""
    shown = signed(a_ticket(until_us=NOW + 10), SECRET)
    assert read(shown, SECRET, NOW + 9).job == "job_1"
    with pytest.raises(BadTicket, match=EXPIRED):
        read(shown, SECRET, NOW + 10)


def test_the_vector() -> None:
    """How it is written does not change: tickets are out while a gate is renewed."""
    assert signed(a_ticket(), SECRET) == VECTOR


@pytest.mark.parametrize("user", ["u" * LONGEST, "ü" * 3_100])
def test_a_ticket_has_a_greatest_length(user: str) -> None:
    """One that no head could hold is not made; one that is shown is not looked at."""
    with pytest.raises(ValueError, match="too long"):
        signed(a_ticket(user=user), SECRET)
    with pytest.raises(BadTicket):
        read(b"1." + b"A" * LONGEST, SECRET, NOW)


@pytest.mark.parametrize("secret", [b"", bytes(31)])
def test_nothing_is_signed_or_read_without_a_secret(secret: bytes) -> None:
    """A file that is empty lets nobody in."""
    with pytest.raises(ValueError, match="32 bytes"):
        signed(a_ticket(), secret)
    with pytest.raises(BadTicket):
        read(signed(a_ticket(), SECRET), secret, NOW)
