"""Every route × every role: who may, who may not, and what nobody sees of another namespace."""

import re
from collections.abc import Iterable, Iterator

import pytest
from fastapi.routing import APIRoute
from msgspec.structs import replace

from tests.control.admin.accounts import with_accounts
from tests.control.admin.desk import WALL, Desk
from tests.control.admin.drills import with_drills
from tests.control.admin.ledger import called, said, write_bodies, write_calls
from tests.control.admin.live import signed_out, with_live
from tests.control.admin.mind import mind
from tests.control.admin.playing import playing
from tests.control.admin.policy import with_policy
from tidegate.control.admin import stream
from tidegate.control.admin.app import PREFIX, application
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.routing import GuardedRoute
from tidegate.jobs.records import NewJob, Owner
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.alert_state import FIRING, Alert
from tidegate.model.alerts import AlertChannel, AlertSettings, AlertSilence
from tidegate.model.jobs import JobSettings
from tidegate.store import alerts
from tidegate.store.engine import writing

ROLES = ("admin", "operator", "viewer", "debugger", "owner", "other owner", "nobody")
A, O, V, D, W = "admin", "operator", "viewer", "debugger", "owner"  # noqa: E741 - a table is read by its letters


def seen(desk: Desk) -> tuple[str, str]:
    """Digest and text of the policy."""
    policy = desk.ask("GET", "/policy").json()
    return policy["digest"], policy["text"]


# By method and path: a body that is right, and the roles that may. An owner is one of the namespace `team`.
MATRIX: dict[tuple[str, str], tuple[object, set[str]]] = {
    ("GET", "/whoami"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/namespaces"): (None, {A, O, V, D, W, "other owner"}),
    ("POST", "/namespaces"): ({"name": "new"}, {A, O}),
    ("GET", "/namespaces/{namespace}"): (None, {A, O, V, D, W}),
    ("PATCH", "/namespaces/{namespace}"): ({"limits": {"rpm": 5}}, {A, O}),
    ("GET", "/namespaces/{namespace}/users"): (None, {A, O, V, D, W}),
    ("POST", "/namespaces/{namespace}/users"): ({"name": "new"}, {A, O, W}),
    ("GET", "/namespaces/{namespace}/users/{user}"): (None, {A, O, V, D, W}),
    ("PATCH", "/namespaces/{namespace}/users/{user}"): ({"models": ["gpt-4o"]}, {A, O, W}),
    ("DELETE", "/namespaces/{namespace}/users/{user}"): (None, {A, O, W}),
    ("GET", "/keys"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/namespaces/{namespace}/keys"): (None, {A, O, V, D, W}),
    ("POST", "/namespaces/{namespace}/keys"): ({"name": "new"}, {A, O, W}),
    ("GET", "/namespaces/{namespace}/keys/{key}"): (None, {A, O, V, D, W}),
    ("PATCH", "/namespaces/{namespace}/keys/{key}"): ({"models": ["gpt-4o"]}, {A, O, W}),
    ("POST", "/namespaces/{namespace}/keys/{key}/rotate"): ({}, {A, O, W}),
    ("POST", "/namespaces/{namespace}/keys/{key}/revoke"): (None, {A, O, W}),
    ("DELETE", "/namespaces/{namespace}"): (None, {A, O}),
    ("POST", "/session"): (lambda desk: {"token": desk.token("viewer")}, set(ROLES)),
    ("GET", "/session"): (None, {A, O, V, D, W, "other owner"}),
    ("DELETE", "/session"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/session/methods"): (None, set(ROLES)),
    ("GET", "/sessions"): (None, {A}),
    ("DELETE", "/sessions/{session}"): (None, {A}),
    ("DELETE", "/sessions"): (None, {A}),
    ("GET", "/tokens"): (None, {A}),
    ("POST", "/tokens"): ({"name": "new", "role": "viewer"}, {A}),
    ("GET", "/tokens/{token}"): (None, {A}),
    ("DELETE", "/tokens/{token}"): (None, {A}),
    ("GET", "/namespaces/{namespace}/use"): (None, {A, O, V, D, W}),
    ("GET", "/spend"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/spend/month"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/spend/utilisation"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/usage/series"): (None, {A, O, V, D}),
    ("GET", "/usage/outlook"): (None, {A, O, V, D}),
    ("GET", "/calls"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/arrivals"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/arrivals/callers"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/calls/tail"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/calls/stream"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/calls/{call}"): (None, {A, O, V, D, W}),
    ("GET", "/calls/{call}/body"): (None, {A, D}),
    ("GET", "/cache/stats"): (None, {A, O, V, D, W, "other owner"}),
    ("POST", "/cache/purge"): ({"what": "tag", "value": "a"}, {A, O, W, "other owner"}),
    ("GET", "/calls/{call}/cache"): (None, {A, O, V, D, W}),
    ("POST", "/calls/{call}/feedback"): ({"right": True}, {A, O, W}),
    ("GET", "/jobs"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/jobs/summary"): (None, {A, O, V, D}),
    ("GET", "/jobs/{job}"): (None, {A, O, V, D, W}),
    ("POST", "/jobs/{job}/cancel"): (None, {A, O, W}),
    ("POST", "/jobs/{job}/requeue"): ({}, {A, O, W}),
    ("GET", "/drills"): (None, {A, O, V, D}),
    ("GET", "/drills/check"): (None, {A, O, V, D}),
    ("GET", "/drills/{drill}/runs"): (None, {A, O, V, D}),
    ("POST", "/drills/{drill}/run"): ({}, {A, O}),
    ("GET", "/shadows"): (None, {A, O, V, D}),
    ("GET", "/alerts"): (None, {A, O, V, D}),
    ("GET", "/alerts/history"): (None, {A, O, V, D}),
    ("GET", "/alerts/notices"): (None, {A, O, V, D}),
    ("GET", "/alerts/rules"): (None, {A, O, V, D}),
    ("GET", "/alerts/channels"): (None, {A, O, V, D}),
    ("POST", "/alerts/channels/{channel}/test"): (None, {A, O}),
    ("GET", "/alerts/silences"): (None, {A, O, V, D}),
    ("POST", "/alerts/silences"): ({"match": {"rule": "r"}, "minutes": 5}, {A, O}),
    ("DELETE", "/alerts/silences/{silence}"): (None, {A, O}),
    ("GET", "/alerts/{alert}"): (None, {A, O, V, D}),
    ("POST", "/alerts/{alert}/ack"): (None, {A, O}),
    ("GET", "/audit"): (None, {A, O, V}),
    ("GET", "/status"): (None, {A, O, V, D}),
    ("GET", "/policy"): (None, {A, O, V, D}),
    ("POST", "/policy/preview"): (lambda desk: {"base": seen(desk)[0]}, {A, O, V, D}),
    ("POST", "/policy/apply"): (lambda desk: {"base": seen(desk)[0], "text": seen(desk)[1]}, {A, O}),
    ("GET", "/policy/history"): (None, {A, O, V, D}),
    ("GET", "/policy/history/{version}"): (None, {A, O, V, D}),
    ("POST", "/policy/history/{version}/restore"): (lambda desk: {"base": seen(desk)[0]}, {A, O}),
    ("POST", "/policy/dryrun"): (lambda desk: {"text": seen(desk)[1]}, {A, O}),
    ("GET", "/policy/dryrun/{run}"): (None, {A, O, V, D}),
    ("DELETE", "/policy/dryrun/{run}"): (None, {A, O}),
    ("GET", "/policy/schema"): (None, {A, O, V, D, W, "other owner"}),
    ("GET", "/accounts"): (None, {A, O, V, D}),
    ("POST", "/accounts/{provider}/{scope}/drain"): ({"reason": "a bill"}, {A, O}),
    ("POST", "/accounts/{provider}/{scope}/restore"): (None, {A, O}),
    ("POST", "/accounts/{provider}/{scope}/keys/{fingerprint}/drain"): ({}, {A, O}),
    ("POST", "/accounts/{provider}/{scope}/keys/{fingerprint}/restore"): (None, {A, O}),
    ("POST", "/playground"): ({"dialect": "openai", "body": {}}, {A, O, W, "other owner"}),
    ("GET", "/live"): (None, {A, O, V, D}),
    ("GET", "/live/now"): (None, {A, O, V, D}),
    ("GET", "/live/recent"): (None, {A, O, V, D}),
}
PLACES = {"namespace": "team", "user": "ann", "key": "team-app", "token": "spare", "call": "1", "job": "job_1"} | {
    "alert": "a1", "silence": "51", "channel": "ops", "drill": "d", "provider": "openai", "scope": "main",
    "fingerprint": "0123abcd", "version": "1", "run": "r1",
}  # fmt: skip


@pytest.fixture
def busy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Two namespaces with a user and a key each, and a process that compares questions."""
    for name in ("team", "other"):
        desk.made("/namespaces", {"name": name})
        desk.made(f"/namespaces/{name}/users", {"name": "ann"})
        desk.made(f"/namespaces/{name}/keys", {"name": "app"})
    desk.token("viewer", name="spare")
    write_calls(desk, called(1, "team"), called(2, "other"))
    write_bodies(desk, said(1, "team"))
    desk.declaration.now = replace(desk.declaration.now, jobs=JobSettings(enabled=True))
    new = NewJob(id="job_1", owner=Owner("team"), path="/v1/chat/completions", body=b"{}", deadline_us=WALL * 2)
    desk.office.jobs.submit([new], WALL)
    _alerts(desk)
    with_drills(desk)
    desk.ask("POST", "/session", {"token": desk.token("viewer", name="spare")}, token=None)
    (signed_in,) = desk.ask("GET", "/sessions").json()
    PLACES["session"] = signed_in["id"]
    with_live(desk)
    with_policy(desk)
    with_accounts(desk)
    monkeypatch.setattr(stream, "STILL_SECONDS", 0)  # streams have an end
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(Authenticator, "still", signed_out)
    with mind(desk.folder), playing(desk.folder):
        yield desk
    desk.office.jobs.engine.dispose()


def _alerts(desk: Desk) -> None:
    """One that fires, a silence, and a channel that can be told."""
    channels = (AlertChannel("ops", "command", command=("/bin/true",)),)
    desk.declaration.now = replace(desk.declaration.now, alerts=AlertSettings(BUILT_IN_RULES, channels))
    assert desk.engine is not None
    with writing(desk.engine) as connection:
        fired = Alert("a1", "r", "m", (), FIRING, "critical", 1, 1, WALL, WALL)
        alerts.keep(connection, {"a1": fired}, {}, [])
        alerts.add_silence(connection, AlertSilence({"rule": "x"}, WALL, WALL * 2, id="51"))


def token_of(desk: Desk, role: str) -> str | None:
    if role == "nobody":
        return None
    if role.endswith("owner"):
        return desk.token("owner", "team" if role == "owner" else "other")
    return desk.token(role)


def flat(routes: Iterable[object]) -> Iterator[object]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from flat(inner.routes) if inner is not None else (route,)


def test_every_route_is_in_the_matrix(desk: Desk) -> None:
    """A new route without an entry fails here, and so does an entry without a route."""
    app = application(desk.office)
    found = [route for route in flat(app.routes) if isinstance(route, APIRoute) and route.include_in_schema]
    assert {(method, route.path) for route in found for method in route.methods} == set(MATRIX)
    described = {(verb.upper(), path) for path, verbs in app.openapi()["paths"].items() for verb in verbs}
    assert described == {(method, PREFIX + path) for method, path in MATRIX}


def test_every_route_is_guarded(desk: Desk) -> None:
    """But for the page and its description, which tell nothing of this gate, and the ways in."""
    found = flat(application(desk.office).routes)
    open_to_all = {
        getattr(route, "path", "?") for route in found if not isinstance(route, GuardedRoute) or route.open_to_all
    }
    ways_in = {"/session", "/session/methods", "/session/oidc/start", "/session/oidc/callback"}
    assert open_to_all - ways_in == {"/admin/v1/openapi.json", "/docs", "/docs/start.js", "/docs/assets"}
    by_verb = {(verb, path) for (verb, path), (_, allowed) in MATRIX.items() if "nobody" in allowed}
    assert by_verb == {("POST", "/session"), ("GET", "/session/methods")}


@pytest.mark.parametrize("role", ROLES)
def test_who_may(busy: Desk, role: str) -> None:
    """2xx for whom the matrix names; 401 without a token, 404 for another namespace's, else 403."""
    token = token_of(busy, role)
    refusals = {"nobody": {401}, "other owner": {403, 404}}.get(role, {403})
    for (method, path), (body, allowed) in sorted(MATRIX.items(), key=lambda item: item[0][0] == "DELETE"):
        url = re.sub(r"\{(\w+)\}", lambda found: PLACES[found[1]], path)
        answer = busy.ask(method, url, body(busy) if callable(body) else body, token=token)
        wanted = {200, 201, 204} if role in allowed else refusals
        assert answer.status_code in wanted, f"{role}: {method} {path}: {answer.status_code} {answer.text}"
        if role not in allowed:
            assert answer.json()["errors"][0]["field"] in {
                "header.authorization",
                "path.namespace",
                "path.call",
                "path.job",
            }


def test_an_owner_sees_its_namespace_only(busy: Desk) -> None:
    """In every list, and under every path: what is another's is not there."""
    token = busy.token("owner", "team")
    for path in ("/namespaces", "/keys", "/arrivals/callers"):
        text = busy.ask("GET", path, token=token).text
        assert "team" in text
        assert "other" not in text
        assert "filed" not in text
        assert "lone" not in text
    for inner in ("", "/users", "/users/ann", "/keys", "/keys/other-app"):
        for place in ("other", "filed", "nowhere"):
            answer = busy.ask("GET", f"/namespaces/{place}{inner}", token=token)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "path.namespace")
    for trick in (
        "/namespaces/team/../other",
        "/namespaces/team%2F..%2Fother",
        "/namespaces/TEAM",
        "/namespaces/team%00",
    ):
        assert busy.ask("GET", trick, token=token).status_code in {404, 422}
    assert busy.ask("GET", "/namespaces/team/keys/other-app", token=token).status_code == 404
    for path in ("/spend?by=namespace", "/calls", "/arrivals", "/spend?by=key", "/spend?by=key&output=csv"):
        text = busy.ask("GET", path, token=token).text
        assert "team" in text
        assert "other" not in text
    for path in ("/spend", "/calls", "/arrivals", "/spend/month", "/spend/utilisation", "/cache/stats", "/jobs"):
        refused = busy.ask("GET", f"{path}?namespace=other", token=token)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (404, "query.namespace")
        twice = busy.ask("GET", f"{path}?namespace=team&namespace=other", token=token)
        assert "other" not in twice.text.replace("another", "") or twice.status_code == 404
    for path in ("/calls/2", "/calls/2/cache"):
        assert busy.ask("GET", path, token=token).status_code == 404
    assert busy.ask("GET", "/spend/month", token=token).json()["spent"] == "0.002"
    moved = busy.ask("PATCH", "/namespaces/team/keys/team-app", {"namespace": "other"}, token=token)
    assert moved.status_code == 422
