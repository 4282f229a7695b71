"""Sessions: a browser signs in with a token, once, and shows a cookie from then on."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from tests.control.admin.browser import Browser, field_of, signed_in
from tests.control.admin.desk import WALL, Desk
from tests.control.admin.live import Onlooker, with_live
from tidegate import __version__
from tidegate.control.admin import stream
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.auth.brake import BURST, EACH_US
from tidegate.control.admin.auth.cookies import COOKIE, CSRF
from tidegate.control.admin.auth.rights import RIGHTS
from tidegate.model.admin import AdminSettings
from tidegate.model.keys import digest_of
from tidegate.store import sessions, tokens
from tidegate.store.engine import writing

MINUTE = 60_000_000
ENDED = (401, f"cookie.{COOKIE}")
WRONG = "tga_" + "x" * 43


def audited(desk: Desk, action: str) -> list[Any]:
    found: list[Any] = desk.ask("GET", f"/audit?action={action}").json()
    return found


def test_a_token_is_shown_once(desk: Desk) -> None:
    """The answer says who is signed in; the cookie cannot be read by scripts, nor sent for other sites."""
    browser = Browser(desk)
    answer = browser.sign_in(desk.token("owner", "filed"))
    view = answer.json()
    assert (view["name"], view["role"], view["namespace"]) == ("owner-filed", "owner", "filed")
    assert view["rights"] == sorted(right.name.lower() for right in RIGHTS["owner"])
    assert view["version"] == __version__
    assert view["expires"] == "2026-09-22T02:13:20Z"
    cookie = answer.headers["set-cookie"]
    assert cookie == f"{COOKIE}={browser.secret}; Path=/admin/v1; Max-Age=43200; HttpOnly; SameSite=Strict"
    assert answer.headers["cache-control"] == "no-store"
    assert len(browser.secret) >= 43
    assert browser.ask("GET", "/session").json() == view
    assert browser.ask("GET", "/whoami").json()["name"] == "owner-filed"
    assert browser.ask("GET", "/namespaces/nowhere").status_code == 404


def test_only_a_digest_is_kept(desk: Desk) -> None:
    """Who reads the database cannot sign in by it, and neither the log nor the audit tells the secret."""
    browser = signed_in(desk)
    with desk.office.engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM sessions")).all()
        told = [str(line) for line in connection.execute(text("SELECT * FROM audit")).all()]
    assert row.digest == digest_of(browser.secret)
    assert browser.secret not in str(row)
    for said in (*told, *desk.log.lines, json.dumps(desk.ask("GET", "/sessions").json())):
        assert browser.secret not in said
        assert browser.csrf not in said


@pytest.mark.parametrize(
    ("headers", "secure"),
    [({}, False), ({"x-forwarded-proto": "https"}, True), ({"x-forwarded-proto": "http"}, False)],
)
def test_behind_https_the_cookie_is_for_https(desk: Desk, headers: dict[str, str], secure: bool) -> None:
    """As the proxy before the port says."""
    answer = Browser(desk).ask("POST", "/session", {"token": desk.token("viewer")}, headers=headers)
    assert answer.headers["set-cookie"].endswith("; Secure") is secure


def test_a_change_shows_the_word_of_the_session(desk: Desk) -> None:
    """Without it, with another's or an older one's, 403; reading needs none."""
    browser, other = signed_in(desk), signed_in(desk, "operator")
    for headers in ({}, {CSRF: ""}, {CSRF: other.csrf}, {CSRF: browser.csrf[:-1]}, {CSRF: "x" * 9_000}):
        for method, path in (("POST", "/namespaces"), ("PATCH", "/namespaces/team"), ("DELETE", "/session")):
            answer = browser.ask(method, path, {"name": "team"}, headers=headers, word=False)
            assert field_of(answer) == (403, f"header.{CSRF}")
    assert browser.ask("GET", "/namespaces/team").status_code == 404
    assert browser.ask("POST", "/namespaces", {"name": "team"}).status_code == 201


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_use_the_cookie(desk: Desk, site: str) -> None:
    """Nor can a page of another port of this machine, which a browser calls the same site; not even to read."""
    browser = signed_in(desk)
    for method, path in (("GET", "/tokens"), ("POST", "/namespaces"), ("DELETE", "/session")):
        answer = browser.ask(method, path, {"name": "team"}, headers={"sec-fetch-site": site})
        assert field_of(answer) == (403, "header.sec-fetch-site")
    origin = browser.ask("POST", "/namespaces", {"name": "team"}, headers={"origin": "http://localhost:3000"})
    assert field_of(origin) == (403, "header.origin")
    forced = Browser(desk).ask(
        "POST", "/session", {"token": desk.token("viewer")}, headers={"sec-fetch-site": site}
    )  # fmt: skip
    assert field_of(forced) == (403, "header.sec-fetch-site")


def test_it_ends_when_it_is_not_used(desk: Desk) -> None:
    """Each use puts the end off, to the minute."""
    browser = signed_in(desk)
    for _ in range(3):
        desk.hands.wall += 29 * MINUTE
        assert browser.ask("GET", "/whoami").status_code == 200
    desk.hands.wall += 30 * MINUTE
    assert field_of(browser.ask("GET", "/whoami")) == ENDED


def test_it_ends_after_twelve_hours(desk: Desk) -> None:
    """However much it is used."""
    browser = signed_in(desk)
    for passed in range(20, 720, 20):
        desk.hands.wall = WALL + passed * MINUTE
        assert browser.ask("GET", "/whoami").status_code == 200
    desk.hands.wall = WALL + 720 * MINUTE
    assert field_of(browser.ask("GET", "/whoami")) == ENDED


def test_the_file_says_how_long(desk: Desk) -> None:
    """From the next request on, for those that are open too where it is idle time."""
    desk.declaration.now = replace(desk.declaration.now, admin=AdminSettings(10 * MINUTE, 2 * MINUTE))
    browser = Browser(desk)
    assert browser.sign_in(desk.token("viewer")).json()["expires"] == "2026-09-21T14:23:20Z"
    desk.hands.wall += 2 * MINUTE
    assert field_of(browser.ask("GET", "/whoami")) == ENDED


def test_it_ends_with_its_token(desk: Desk) -> None:
    """At once when that is revoked, also where another is given its name; not later than it expires."""
    desk.token("admin")
    made = desk.made("/tokens", {"name": "eve", "role": "operator", "expires": "2026-09-21T15:00:00Z"})
    browser = Browser(desk)
    assert browser.sign_in(made["token"]).json()["expires"] == "2026-09-21T15:00:00Z"
    assert desk.ask("DELETE", "/tokens/eve").status_code == 204
    assert field_of(browser.ask("GET", "/whoami")) == ENDED
    again = desk.made("/tokens", {"name": "eve", "role": "viewer"})
    assert field_of(browser.ask("GET", "/whoami")) == ENDED
    assert desk.ask("GET", "/sessions").json() == []
    assert browser.sign_in(again["token"]).json()["role"] == "viewer"


def test_signing_in_anew_ends_the_former(desk: Desk) -> None:
    """A browser has one session, and never the same secret twice."""
    browser = signed_in(desk, "viewer")
    former, word = browser.secret, browser.csrf
    browser.sign_in(desk.token("operator"))
    assert browser.secret != former
    assert browser.csrf != word
    stale = Browser(desk)
    stale.cookies[COOKIE] = former
    assert field_of(stale.ask("GET", "/whoami")) == ENDED
    assert [line["name"] for line in desk.ask("GET", "/sessions").json()] == ["operator-all"]


def test_signing_out(desk: Desk) -> None:
    """Here, or everywhere; the cookie is taken back."""
    here, there, other = signed_in(desk, "viewer"), signed_in(desk, "viewer"), signed_in(desk, "operator")
    kept = here.secret
    answer = here.ask("DELETE", "/session")
    assert answer.status_code == 204
    assert f"{COOKIE}=; Path=/admin/v1; Max-Age=0" in answer.headers["set-cookie"]
    here.cookies[COOKIE] = kept
    assert field_of(here.ask("GET", "/session")) == ENDED
    here.sign_in(desk.token("viewer"))
    assert here.ask("DELETE", "/session?everywhere=true").status_code == 204
    assert field_of(there.ask("GET", "/session")) == ENDED
    assert other.ask("GET", "/session").status_code == 200


def test_admins_see_and_end_sessions(desk: Desk) -> None:
    """One, all of a name, or everybody's; none of them can be used by what is shown of it."""
    viewer, other, admin = signed_in(desk, "viewer"), signed_in(desk, "viewer"), signed_in(desk)
    lines = admin.ask("GET", "/sessions").json()
    assert sorted(line["name"] for line in lines) == ["admin-all", "viewer-all", "viewer-all"]
    assert [line["name"] for line in lines if line["own"]] == ["admin-all"]
    assert {(line["by"], line["address"], line["agent"]) for line in lines} == {
        ("token", "127.0.0.1", "Browser/1 (test)")
    }
    one = next(line["id"] for line in lines if line["name"] == "viewer-all")
    assert admin.ask("DELETE", f"/sessions/{one}").status_code == 204
    assert field_of(admin.ask("DELETE", f"/sessions/{one}")) == (404, "path.session")
    assert sorted(browser.ask("GET", "/session").status_code for browser in (viewer, other)) == [200, 401]
    assert admin.ask("DELETE", "/sessions?name=viewer-all").json() == {"ended": 1}
    assert admin.ask("DELETE", "/sessions").json() == {"ended": 1}
    assert field_of(admin.ask("GET", "/session")) == ENDED


def test_what_happens_stands_in_the_audit(desk: Desk) -> None:
    """Sign-in with how often it failed before, sign-out, what admins end; every tenth wrong token."""
    browser = Browser(desk)
    for _ in range(2):
        assert field_of(browser.sign_in(WRONG)) == (401, "token")
    browser.sign_in(desk.token("viewer"))
    browser.ask("DELETE", "/session")
    (begun,) = audited(desk, "session.begin")
    assert (begun["actor"], begun["role"], begun["address"]) == ("viewer-all", "viewer", "127.0.0.1")
    assert begun["after"] == {"by": "token", "agent": "Browser/1 (test)", "wrong_tokens_before": 2}
    (ended,) = audited(desk, "session.end")
    assert ended["target"] == begun["target"]
    for _ in range(8):
        browser.sign_in(WRONG)
    (refused,) = audited(desk, "session.refuse")
    assert (refused["actor"], refused["target"], refused["after"]) == ("nobody", "127.0.0.1", {"wrong_tokens": 10})
    desk.ask("DELETE", "/sessions?name=viewer-all")
    assert audited(desk, "session.end_all")[0]["before"] == {"sessions": 0}


def test_who_guesses_is_slowed(desk: Desk) -> None:
    """By sign-in as by header, together; ended cookies are no guesses, as browsers go on sending them."""
    stale = Browser(desk)
    stale.cookies[COOKIE] = "tgs_" + "y" * 43
    for _ in range(3 * BURST):
        assert field_of(stale.ask("GET", "/whoami")) == ENDED
    for _ in range(BURST // 2):
        assert Browser(desk).sign_in(WRONG).status_code == 401
        assert desk.ask("GET", "/whoami", token=WRONG).status_code == 401
    slowed = Browser(desk).sign_in(WRONG)
    assert (*field_of(slowed), slowed.headers["retry-after"]) == (429, "token", "6")
    desk.hands.now += EACH_US
    assert Browser(desk).sign_in(WRONG).status_code == 401


@pytest.mark.parametrize("token", ["", "tgk_" + "x" * 43, "tga_", "tga_" + "ü" * 9, " "])
def test_what_is_no_token_is_refused(desk: Desk, token: str) -> None:
    """By the field of the body; what was sent is not repeated."""
    answer = Browser(desk).sign_in(token)
    assert field_of(answer) == (401, "token")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "cookie",
    [f"{COOKIE}=", f"{COOKIE}=x", f"a=b;{COOKIE}={'x' * 9_000}", f"{COOKIE}=a; {COOKIE}=b"],
)
def test_what_is_no_session_is_told_as_such(desk: Desk, cookie: str) -> None:
    """Also one that stands twice: somebody else on this host set it."""
    assert field_of(desk.ask("GET", "/whoami", token=None, headers={"cookie": cookie})) == ENDED


def test_a_token_counts_before_a_cookie(desk: Desk) -> None:
    """So the page of the API tries routes with the token that it was given, and without a word."""
    browser = signed_in(desk, "viewer")
    shown = {"authorization": f"Bearer {desk.token('admin')}"}
    assert browser.ask("GET", "/whoami", headers=shown).json()["role"] == "admin"
    assert browser.ask("POST", "/namespaces", {"name": "team"}, headers=shown, word=False).status_code == 201
    view = browser.ask("GET", "/session", headers=shown).json()
    assert (view["name"], view["csrf"]) == ("admin-all", "")
    assert browser.ask("GET", "/whoami", headers={"authorization": f"Bearer {WRONG}"}).status_code == 401


def test_no_token_is_called_like_who_comes_by_a_provider(desk: Desk) -> None:
    """The audit could not tell them apart."""
    answer = desk.ask("POST", "/tokens", {"name": "oidc:ann@example.com", "role": "viewer"})
    assert field_of(answer) == (422, "name")


def test_an_answer_that_lasts_ends_with_the_session(desk: Desk) -> None:
    """As `Authenticator.still` has it: it is no use of the session, ends with it, and outlives an absent database."""
    made = desk.made("/tokens", {"name": "eve", "role": "viewer"})
    browser = Browser(desk)
    browser.sign_in(made["token"])
    door = Authenticator(desk.office)

    def request_of(*headers: tuple[bytes, bytes]) -> Request:
        app = SimpleNamespace(state=SimpleNamespace(door=door))
        return Request({"type": "http", "method": "GET", "headers": list(headers), "client": ("::1", 1), "app": app})

    for request in (
        request_of((b"cookie", f"{COOKIE}={browser.secret}".encode())),
        request_of((b"authorization", f"Bearer {made['token']}".encode())),
    ):
        request.state.actor = asyncio.run(door.actor(request))
        assert asyncio.run(door.still(request))
    shown = request_of((b"cookie", f"{COOKIE}={browser.secret}".encode()))
    shown.state.actor = asyncio.run(door.actor(shown))
    desk.hands.wall += 29 * MINUTE
    assert asyncio.run(door.still(shown))
    desk.hands.wall += MINUTE
    assert not asyncio.run(door.still(shown))
    desk.hands.wall = WALL
    engine, desk.engine = desk.engine, None
    assert asyncio.run(door.still(shown))
    assert asyncio.run(door.still(request))
    desk.engine = engine
    desk.ask("DELETE", "/tokens/eve")
    assert not asyncio.run(door.still(shown))
    assert not asyncio.run(door.still(request))


@pytest.mark.parametrize("end", ["revoked", "idle"])
def test_live_figures_end_with_the_session(desk: Desk, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Who looks on is told; looking on is no use of the session."""
    made = desk.made("/tokens", {"name": "eve", "role": "viewer"})
    browser = Browser(desk)
    browser.sign_in(made["token"])
    with_live(desk)
    monkeypatch.setattr(stream, "STILL_SECONDS", 0)

    async def look_on() -> Onlooker:
        one = Onlooker(desk, shown=(b"cookie", f"{COOKIE}={browser.secret}".encode()))
        await one.after(2)
        assert not one.task.done()
        if end == "idle":
            desk.hands.wall += 30 * MINUTE
        else:
            assert desk.engine is not None
            with writing(desk.engine) as connection:
                tokens.drop_token(connection, "eve")
        async with asyncio.timeout(20):
            await one.task
        return one

    one = asyncio.run(look_on())
    assert one.status == 200
    assert one.events[-1] == ("end", {"reason": "signed_out"})
    assert field_of(browser.ask("GET", "/session")) == ENDED


def test_methods_are_told_to_all(desk: Desk) -> None:
    """A page has to know them before anybody is signed in; without a provider there are tokens."""
    assert Browser(desk).ask("GET", "/session/methods").json() == {"token": True, "oidc": None, "session": None}


def test_the_first_question_tells_who_is_there(desk: Desk) -> None:
    """A page need not ask twice; one whose session has ended, or whose cookie is none, is told so without a refusal."""
    browser = signed_in(desk, "viewer")
    told = browser.ask("GET", "/session/methods").json()["session"]
    assert {name: value for name, value in told.items() if value is not None} == browser.ask("GET", "/session").json()
    ended = browser.secret
    browser.ask("DELETE", "/session")
    for shown in (ended, "tgs_of-nobody", f"a; {COOKIE}=b"):
        answer = browser.ask("GET", "/session/methods", headers={"cookie": f"{COOKIE}={shown}"})
        assert (answer.status_code, answer.json()["session"]) == (200, None)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_is_not_told_who_is_there(desk: Desk, site: str) -> None:
    """The word that changes show stands in the answer."""
    answer = signed_in(desk, "viewer").ask("GET", "/session/methods", headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert "csrf" not in answer.json()


def test_who_is_there_is_not_known_without_the_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken for signed out because the gate cannot look."""

    def away(*_: object) -> None:
        raise OperationalError("select", {}, OSError("away"))

    browser = signed_in(desk, "viewer")
    monkeypatch.setattr(sessions, "holder", away)
    assert browser.ask("GET", "/session/methods").status_code == 503


def test_sessions_that_are_over_leave_no_row(desk: Desk) -> None:
    """The caretaker sees to it, every hour."""
    from tidegate.control.admin.services.caretaker import Caretaker

    signed_in(desk, "viewer")
    desk.hands.wall += 30 * MINUTE
    signed_in(desk, "viewer")
    Caretaker(desk.office).look()
    with desk.office.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 1
