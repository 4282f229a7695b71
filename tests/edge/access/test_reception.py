"""Who is let in by the head of a request, and whether they still are when its body has come."""

import json

import pytest

from tests.edge.managed import Managed, gone, key
from tests.edge.test_gateway import BODY, CHAT, Wire
from tests.line.scenes import play_of, provider, refusal
from tidegate.edge.access.memo import HeadMemo
from tidegate.model.directory import Gone, PutNamespace, PutUser
from tidegate.model.snapshot import Limits, Namespace, RetryPolicy, User
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.wire.exchange import Exchange, Likeness

WALL = 1_700_000_001 * SECOND  # a manual clock begins then


async def test_a_change_holds_for_heads_that_are_known() -> None:
    """On a connection that stands: a key that is made is good, one that is gone is not, the other stays."""
    door, one, two = Managed(key("other")), Likeness(), Likeness()
    assert door.by("web", alike=one).wire.status == 401
    door.tell(key("web"))
    for alike, name in ((one, "web"), (two, "other")):
        asked = door.by(name, alike=alike)
        await settle()
        await door.play.provider("openai", Reply(200, [], answer()))
        assert asked.wire.status == 200
        assert isinstance(alike.note, HeadMemo)
        assert alike.note.caller is not None
    door.tell(gone("web"))
    assert door.by("web", alike=one).wire.status == 401
    assert door.by("other", alike=two).wire.status == 0
    await settle()
    assert [intent.client for intent in door.play.recorder.intents] == ["web", "other", "other"]


async def test_who_is_revoked_and_who_was_never_known() -> None:
    """One text for both: nobody learns which keys there were."""
    door = Managed(key("web"), gone("web"))
    revoked, unknown, none = door.by("web"), door.by("nobody"), door.ask()
    assert revoked.wire.status == unknown.wire.status == none.wire.status == 401
    assert revoked.wire.body == unknown.wire.body == none.wire.body
    assert revoked.wire.error["code"] == "invalid_api_key"
    anthropic = door.ask(b"/v1/messages", x_api_key=b"web")
    assert json.loads(anthropic.wire.body)["error"]["type"] == "authentication_error"


async def test_a_key_holds_until_its_last_moment() -> None:
    """Also for a head that is known; and not before its first."""
    door, alike = Managed(key("web", not_before_us=WALL + SECOND, expires_us=WALL + 3 * SECOND)), Likeness()
    early = door.by("web", alike=alike)
    assert (early.wire.status, "not valid before" in early.wire.error["message"]) == (401, True)
    await door.play.clock.advance(SECOND)
    for _ in range(2):
        asked = door.by("web", alike=alike)
        await settle()
        await door.play.provider("openai", Reply(200, [], answer()))
        assert asked.wire.status == 200
    await door.play.clock.advance(2 * SECOND)
    late = door.by("web", alike=alike)
    assert (late.wire.status, "expired at" in late.wire.error["message"]) == (401, True)


async def test_a_key_is_used_from_its_networks() -> None:
    """Else 403, in either dialect; who shows it is told from where it came."""
    door = Managed(key("web", addresses=("192.0.2.0/24", "2001:db8::/32")))
    for peer in ("192.0.2.9", "2001:db8::7", "::ffff:192.0.2.1"):
        assert door.by("web", b"/v1/models", method=b"GET", peer=peer).wire.status == 200
    refused = door.by("web", peer="198.51.100.1")
    assert (refused.wire.status, refused.wire.error["code"]) == (403, "address_not_allowed")
    assert refused.wire.error["message"] == "This key may not be used from 198.51.100.1."
    anthropic = door.ask(b"/v1/messages", x_api_key=b"web", peer="198.51.100.1")
    assert json.loads(anthropic.wire.body)["error"]["type"] == "permission_error"
    assert door.by("web", b"/healthz", method=b"GET").wire.status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (gone("web"), 401),
        (Gone("namespace", "acme", "acme"), 401),
        (key("web", expires_us=1), 401),
        (key("web", addresses=("192.0.2.0/24",)), 403),
        (key("web", models=("b",)), 403),
        (key("other"), 0),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_a_body_that_takes_long(change: object, status: int, known: bool) -> None:
    """What is changed while it arrives holds for it, whether its head was known or not."""
    door, alike = Managed(key("web"), play=None), Likeness()
    if known:
        door.by("web", alike=alike)
        await settle()
        await door.play.provider("openai", Reply(200, [], answer()))
    wire = Wire()
    fields = {b"authorization": b"Bearer web"}
    exchange = Exchange(wire, b"POST", CHAT, CHAT, b"", list(fields.items()), fields, "", alike)  # type: ignore[arg-type]
    door.gateway.head(exchange)
    assert wire.status == 0
    door.tell(change)  # type: ignore[arg-type]
    exchange.body = json.dumps(BODY).encode()
    door.gateway.call(exchange)
    assert wire.status == status


async def test_the_models_of_a_key() -> None:
    """Its lists show what it may use; what it may not is refused with that, and what nobody serves as well."""
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), fallback_models=("b",))
    door = Managed(key("web", models=("a", "zz-*")), key("all"), key("only", models=("s",)), play=play)
    assert [row["id"] for row in json.loads(door.by("web", b"/v1/models", method=b"GET").wire.body)["data"]] == ["a"]
    everything = json.loads(door.by("all", b"/v1/models", method=b"GET").wire.body)["data"]
    assert len(everything) == len(door.play.book.models) > 1
    assert door.by("web", b"/v1/models/a", method=b"GET").wire.status == 200
    for name in (b"b", b"unheard-of"):
        asked = door.by("web", b"/v1/models/" + name, method=b"GET")
        assert (asked.wire.status, asked.wire.error["code"]) == (404, "model_not_found")
    for name in ("b", "unheard-of"):
        asked = door.by("web", body={"model": name})
        assert (asked.wire.status, asked.wire.error["code"]) == (403, "model_not_allowed")
        assert asked.wire.error["message"] == f"This key may not use the model '{name}'. It may use: a."
        assert asked.wire.error["param"] == "model"
    assert door.by("web").wire.status == 0
    assert door.by("only").wire.status == 403


async def test_a_strategy_is_a_model() -> None:
    """Who may call it needs no leave for what it falls back to."""
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), fallback_models=("b",), retry=RetryPolicy(max_retries=0))
    door = Managed(key("only", models=("s",)), play=play)
    asked = door.by("only", body={"model": "s"})
    await settle()
    await door.play.provider("openai", refusal(500))
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.status == 200
    assert asked.wire.fields[b"x-tidegate-target"].endswith(b"/b")


async def test_what_has_no_model_is_for_keys_of_all_models() -> None:
    """Files, stored responses, and the providers' pages of models: what lies there is shared by all keys."""
    door = Managed(key("web", models=("a",)), key("all", models=("*",)), key("none"))
    paths = (b"/v1/files", b"/v1/responses/resp_1", b"/v1/audio/transcriptions", b"/v1/batches")
    for path in paths:
        refused = door.by("web", path, peer="192.0.2.1")
        assert (refused.wire.status, refused.wire.error["code"]) == (403, "route_not_allowed")
    refused = door.by("web", b"/v1/models/ft-1", method=b"DELETE")
    assert (refused.wire.status, refused.wire.error["code"]) == (403, "route_not_allowed")
    for name in ("all", "none"):
        assert door.by(name, b"/v1/audio/transcriptions").wire.status == 0


@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
async def test_what_providers_keep_is_not_shared_by_namespaces(method: bytes) -> None:
    """One organisation's files are all namespaces' files: who may reach them is said by the namespace."""
    door = Managed(key("web"))
    for path in (b"/v1/files", b"/v1/responses/resp_1", b"/v1/messages/batches"):
        refused = door.by("web", path, method=method)
        assert (refused.wire.status, b"stored_objects" in refused.wire.body) == (403, True)
    assert door.by("web", b"/v1/models/ft-1", method=b"DELETE").wire.status == 403
    door.tell(PutNamespace(Namespace("acme", stored=True)))
    assert door.by("web", b"/v1/files", method=method).wire.status == 0


async def test_whose_call_it_is_and_what_for() -> None:
    """User and words stand in the record; the words go to nobody."""
    door = Managed(PutUser("acme", User("ann")), key("web", user="ann"))
    asked = door.by("web", x_tidegate_tag=b"nightly, team:a")
    await settle()
    assert b"x-tidegate-tag" not in door.play.sent("openai")[0].head
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.status == 200
    record = door.records[0]
    assert (record.client, record.tenant, record.user, record.tag) == ("web", "acme", "ann", "nightly, team:a")
    refused = door.by("web", x_tidegate_tag="für".encode())
    assert (refused.wire.status, refused.wire.error["param"]) == (400, "x-tidegate-tag")


async def test_an_open_gate_closes_with_the_first_key() -> None:
    """For connections that stand too."""
    door, alike = Managed(), Likeness()
    asked = door.ask(alike=alike)
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.status == 200
    door.tell(PutNamespace(Namespace("acme", "vip")))
    assert door.ask(alike=alike).wire.status == 0
    door.tell(key("web"))
    assert door.ask(alike=alike).wire.status == 401
