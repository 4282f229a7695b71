"""How a call is recognised."""

import pytest

from tests.line.scenes import call_of
from tidegate.line.acquaint import acquaint
from tidegate.model.call import Call, Kind
from tidegate.model.tenant import PAID, Tenant


def known(content: str = "hello", session: bytes = b"", tenant: str = "", **fields: object) -> Call:
    call = call_of(content, **fields)  # type: ignore[arg-type]
    call.tenant = Tenant(tenant, PAID)
    acquaint(call, session)
    return call


def test_calls_that_begin_alike_belong_together() -> None:
    """Without a session both digests are the prefix's."""
    one, two, other = known(), known(max_tokens=7), known("bye")
    assert one.prefix == two.prefix == one.affinity == two.affinity > 0
    assert other.prefix != one.prefix


def test_every_tenant_has_its_own() -> None:
    """A provider's cache is one, but who is known to have asked is nobody else's business."""
    assert known(tenant="a").prefix != known(tenant="b").prefix
    assert known(tenant="a", session=b"s").affinity != known(tenant="b", session=b"s").affinity


@pytest.mark.parametrize("how", [{"session": b"s"}, {"user": "s"}, {"prompt_cache_key": "s"}])
def test_a_session_wins(how: dict[str, object]) -> None:
    """By header or by field, the same; what is cached is the prefix's all the same."""
    one, two = known("hello", **how), known("bye", **how)  # type: ignore[arg-type]
    assert one.affinity == two.affinity == known(session=b"s").affinity
    assert one.prefix == known("hello").prefix != two.prefix


def test_the_header_wins_over_the_body() -> None:
    """It is the more explicit."""
    assert known(session=b"h", user="u").affinity == known(session=b"h").affinity


def test_a_body_that_is_still_arriving_is_nobodys() -> None:
    """It is forwarded as it is."""
    call = call_of(kind=Kind.PASS)
    call.body = object()  # type: ignore[assignment]
    acquaint(call)
    assert call.affinity == call.prefix == 0
