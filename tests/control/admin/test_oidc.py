"""Sign-in by an identity provider: a real one of our own, as strict as the standard lets one be."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from msgspec.structs import replace

from tests.control.admin.browser import Browser, field_of, signed_in
from tests.control.admin.desk import WALL, Desk
from tidegate.control.admin.auth.cookies import COOKIE
from tidegate.control.admin.auth.oidc.claims import role_of
from tidegate.control.admin.problems import Refused
from tidegate.model.admin import AdminSettings, OidcRole, OidcSettings
from tidegate.testing.oidc import FAULTS, OidcProvider

BACK = "http://localhost:8081/admin/v1/session/oidc/callback"
ROLES = (
    OidcRole("groups", "gate-admins", "admin"),
    OidcRole("groups", "acme", "owner", "filed"),
    OidcRole("email", "eve@example.com", "viewer"),
)
MINUTE = 60_000_000
WORDS = {  # what is said of each fault
    "wrong_audience": "Invalid claim: &#x27;aud&#x27;",
    "other_audience_too": "another party (azp)",
    "wrong_party": "another party (azp)",
    "wrong_issuer": "Invalid claim: &#x27;iss&#x27;",
    "no_algorithm": "Algorithm of &#x27;none&#x27; is not allowed",
    "shared_secret": "Algorithm of &#x27;HS256&#x27; is not allowed",
    "other_key": "none of its keys has signed",
    "expired": "The token is expired",
    "of_the_future": "issued in the future",
    "wrong_nonce": "Invalid claim: &#x27;nonce&#x27;",
    "no_nonce": "Missing claim: &#x27;nonce&#x27;",
    "no_subject": "Missing claim: &#x27;sub&#x27;",
    "no_token": "sent no ID token",
    "changed": "none of its keys has signed",
    "called_otherwise": "calls itself otherwise",
    "by_http": "no token_endpoint that is reached by https",
    "no_keys": "no keys that can be used",
    "no_description": "describes itself nowhere",
    "long": "sends more than it should",
    "no_json": "calls itself otherwise",
    "of_another_issuer": "not the one that the sign-in was begun with",
}


@pytest.fixture
def provider(desk: Desk) -> Iterator[OidcProvider]:
    """One that the desk's configuration names."""
    with OidcProvider(lambda: desk.hands.wall // 1_000_000) as made:
        made.backs.add(BACK)
        configure(desk, made)
        yield made


def configure(desk: Desk, provider: OidcProvider, **changes: object) -> None:
    client_id, secret = provider.client
    oidc = OidcSettings(provider.issuer, client_id, secret, "Our sign-in", roles=ROLES)
    desk.declaration.now = replace(desk.declaration.now, admin=AdminSettings(oidc=replace(oidc, **changes)))


def away(browser: Browser, page: str = "") -> str:
    """The address to which the provider sends the browser back."""
    sent = browser.ask("GET", f"/session/oidc/start{page}")
    assert sent.status_code == 303, sent.text
    back = httpx.get(sent.headers["location"])
    assert back.status_code == 302, back.text
    return back.headers["location"]


def back(browser: Browser, url: str) -> httpx.Response:
    """As a browser comes that another site sends: without the strict cookies."""
    assert url.startswith(BACK)
    strict = browser.cookies.pop(COOKIE, None)
    answer = browser.ask(
        "GET", f"/session/oidc/callback?{urlsplit(url).query}", headers={"sec-fetch-site": "cross-site"}
    )
    if strict is not None:
        browser.cookies.setdefault(COOKIE, strict)
    return answer


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    """A page that says why, and nobody is signed in."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for word in (*words, 'href="/signin"'):
        assert word in answer.text
    assert COOKIE not in str(answer.headers.get_list("set-cookie"))


def test_a_person_is_signed_in(desk: Desk, provider: OidcProvider) -> None:
    """To the provider and back, to the page that was asked for; as the role that the claims give."""
    browser = Browser(desk)
    assert browser.ask("GET", "/session/methods").json() == {
        "token": True,
        "oidc": {"title": "Our sign-in"},
        "session": None,
    }
    answer = back(browser, away(browser, "?next=/calls/1?status=429"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls/1?status=429")
    view = browser.ask("GET", "/session").json()
    assert (view["name"], view["role"]) == ("oidc:ann@example.com", "admin")
    browser.csrf = view["csrf"]
    assert browser.ask("POST", "/namespaces", {"name": "team"}).status_code == 201
    (line,) = browser.ask("GET", "/sessions").json()
    assert (line["by"], line["subject"], line["own"]) == ("oidc", "0042", True)
    (begun,) = browser.ask("GET", "/audit?action=session.begin").json()
    assert (begun["actor"], begun["after"]["by"], begun["after"]["subject"]) == ("oidc:ann@example.com", "oidc", "0042")
    assert list(browser.cookies) == [COOKIE]


def test_what_is_asked_for(desk: Desk, provider: OidcProvider) -> None:
    """A code with PKCE, state and nonce that no two sign-ins share; the secret is sent to nobody but the provider."""
    asked = []
    for _ in range(2):
        sent = Browser(desk).ask("GET", "/session/oidc/start")
        asked.append({name: value for name, (value,) in parse_qs(urlsplit(sent.headers["location"]).query).items()})
        cookie = sent.headers["set-cookie"]
        assert "; Path=/admin/v1/session/oidc; Max-Age=600; HttpOnly; SameSite=Lax" in cookie
        assert provider.client[1] not in str(sent.headers)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert (asked[0]["redirect_uri"], asked[0]["code_challenge_method"]) == (BACK, "S256")
    https = Browser(desk).ask("GET", "/session/oidc/start", headers={"x-forwarded-proto": "https"})
    assert "redirect_uri=https%3A%2F%2Flocalhost" in https.headers["location"]
    assert https.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_provider_that_is_wrong_signs_nobody_in(desk: Desk, provider: OidcProvider, fault: str) -> None:
    """Whatever is wrong about its description, keys or token: a page says so, and the log."""
    provider.fault = fault
    browser = Browser(desk)
    sent = browser.ask("GET", "/session/oidc/start")
    if sent.status_code == 303:
        url = httpx.get(sent.headers["location"]).headers["location"]
        sent = back(browser, url)
    refused(sent, 502, "The identity provider", WORDS[fault])
    assert browser.ask("GET", "/session").status_code == 401
    assert "a sign-in by the identity provider failed" in str(desk.log.lines)
    assert provider.client[1] not in str(desk.log.lines) + sent.text


def test_a_token_for_several_names_who_it_is_for(desk: Desk, provider: OidcProvider) -> None:
    """By `azp`."""
    provider.fault = "other_audience_too"
    browser = Browser(desk)
    refused(back(browser, away(browser)), 502, "azp")
    provider.person["azp"] = "tidegate"
    assert back(browser, away(browser)).status_code == 303


def test_clocks_may_differ_by_a_minute(desk: Desk, provider: OidcProvider) -> None:
    """Ours is before or behind."""
    browser = Browser(desk)
    for seconds in (-59, 59):
        provider.now = lambda behind=seconds: desk.hands.wall // 1_000_000 + behind  # type: ignore[misc]
        assert back(browser, away(browser)).status_code == 303
    provider.now = lambda: WALL // 1_000_000 + 61
    refused(back(browser, away(browser)), 502, "future")


def test_keys_are_fetched_anew_when_one_is_unknown(desk: Desk, provider: OidcProvider) -> None:
    """The provider changed its own; else they are kept, as its description is."""
    browser = Browser(desk)
    for _ in range(3):
        assert back(browser, away(browser)).status_code == 303
    assert [path.rpartition("/")[2] for path in provider.asked].count("keys") == 1
    provider.rotate()
    assert back(browser, away(browser)).status_code == 303
    last = [path.rpartition("/")[2] for path in provider.asked]
    assert (last.count("keys"), last.count("openid-configuration")) == (2, 1)


def test_a_provider_that_is_away_is_told_as_such(desk: Desk) -> None:
    """Who is signed in stays so, and a token is a way in; it is asked again once it may be back."""
    browser, other = Browser(desk), Browser(desk)
    with OidcProvider(lambda: desk.hands.wall // 1_000_000) as provider:
        provider.backs.add(BACK)
        configure(desk, provider)
        back(browser, away(browser))
        url = away(other)
    refused(back(other, url), 502, "cannot be reached")
    desk.hands.now += 60 * MINUTE
    refused(other.ask("GET", "/session/oidc/start"), 502, "cannot be reached", "sign in with a token")
    assert browser.ask("GET", "/session").status_code == 200
    assert signed_in(desk, "viewer").ask("GET", "/session").status_code == 200


def test_it_is_asked_again_when_it_may_be_back(desk: Desk, provider: OidcProvider) -> None:
    """Some seconds later, and not by everybody in between."""
    provider.fault = "no_description"
    browser = Browser(desk)
    for _ in range(3):
        refused(browser.ask("GET", "/session/oidc/start"), 502, "describes itself nowhere")
    assert len(provider.asked) == 1
    provider.fault = ""
    desk.hands.now += 5_000_000
    assert back(browser, away(browser)).status_code == 303


def test_a_sign_in_is_of_one_browser(desk: Desk, provider: OidcProvider) -> None:
    """Nobody is signed in as another by a link, a word that was changed, or a code that was used."""
    browser, other = Browser(desk), Browser(desk)
    url = away(browser)
    refused(back(other, url), 400, "another browser")
    away(other)
    refused(back(other, url), 400, "another browser")
    kept = dict(browser.cookies)
    refused(back(browser, url.replace("state=", "state=x")), 400, "another browser")
    browser.cookies = dict(kept)
    assert back(browser, url).status_code == 303
    browser.cookies = dict(kept)
    refused(back(browser, url), 400, "no such sign-in any more")
    late = away(browser)
    desk.hands.wall += MINUTE
    refused(back(browser, late), 400, "no such sign-in any more")


def test_a_provider_may_refuse(desk: Desk, provider: OidcProvider) -> None:
    """What it says is shown as text, and nothing else of the URL is."""
    provider.denies = "access_denied"
    browser = Browser(desk)
    refused(back(browser, away(browser)), 403, "access_denied")
    url = away(browser).replace("access_denied", "%3Cscript%3Ealert(1)%3C/script%3E")
    answer = back(browser, url)
    assert "<script" not in answer.text
    refused(answer, 403, "&lt;script&gt;")


def test_whom_no_role_fits_may_not_come_in(desk: Desk, provider: OidcProvider) -> None:
    """Though the provider knows them."""
    provider.person["groups"] = ["gate-adminsx", "GATE-ADMINS"]
    browser = Browser(desk)
    refused(back(browser, away(browser)), 403, "No role is given to you")
    del provider.person["groups"]
    refused(back(browser, away(browser)), 403, "No role is given to you")


def test_an_owner_stays_within_its_namespace(desk: Desk, provider: OidcProvider) -> None:
    """As one with a token does."""
    provider.person["groups"] = ["acme"]
    browser = Browser(desk)
    back(browser, away(browser))
    assert browser.ask("GET", "/session").json()["namespace"] == "filed"
    assert browser.ask("GET", "/namespaces/filed").status_code == 200
    assert field_of(browser.ask("GET", "/namespaces/other")) == (404, "path.namespace")


@pytest.mark.parametrize("ways", [("client_secret_post",), ("client_secret_post", "client_secret_jwt"), ("none",)])
def test_the_gate_proves_itself_as_the_provider_wants(desk: Desk, ways: tuple[str, ...]) -> None:
    """By a header, in the form, or by PKCE alone."""
    with OidcProvider(lambda: desk.hands.wall // 1_000_000, ways=ways) as provider:
        provider.backs.add(BACK)
        configure(desk, provider, **({"client_secret": ""} if ways == ("none",) else {}))
        browser = Browser(desk)
        assert back(browser, away(browser)).status_code == 303
        configure(desk, provider, client_id="tidegate", client_secret="wrong")
        if ways != ("none",):
            refused(back(browser, away(browser)), 502, "invalid_client")


def test_other_settings_end_its_sessions(desk: Desk, provider: OidcProvider) -> None:
    """Who may come in is no longer said as it was; sessions of tokens stay."""
    browser, by_token = Browser(desk), signed_in(desk, "viewer")
    back(browser, away(browser))
    assert browser.ask("GET", "/session").status_code == 200
    configure(desk, provider, roles=ROLES[1:])
    assert field_of(browser.ask("GET", "/session")) == (401, f"cookie.{COOKIE}")
    assert [line["name"] for line in desk.ask("GET", "/sessions").json()] == ["viewer-all"]
    assert by_token.ask("GET", "/session").status_code == 200
    desk.declaration.now = replace(desk.declaration.now, admin=AdminSettings())
    refused(browser.ask("GET", "/session/oidc/start"), 404, "No identity provider is configured")


@pytest.mark.parametrize(
    "page",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/admin/v1/tokens", "calls\r\nx: y", "/nothing"],
)
def test_nobody_is_sent_elsewhere(desk: Desk, provider: OidcProvider, page: str) -> None:
    """Only to pages of ours."""
    browser = Browser(desk)
    url = away(browser, "?" + str(httpx.QueryParams({"next": page})))
    assert back(browser, url).headers["location"] == "/"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": "gate-admins"}, "admin"),
        ({"groups": ["x", "acme", "gate-admins"]}, "admin"),
        ({"groups": [["gate-admins"]]}, None),
        ({"groups": {"gate-admins": True}}, None),
        ({"realm_access": {"roles": ["see"]}}, "viewer"),
        ({"realm_access.roles": ["see"]}, "viewer"),
        ({"realm_access": "roles"}, None),
        ({"member": True}, "operator"),
        ({"member": "yes"}, None),
        ({"email": "eve@example.com"}, "viewer"),
        ({"email": "eve@example.com", "email_verified": True}, "viewer"),
        ({"email": "eve@example.com", "email_verified": False}, None),
        ({"email": "eve@example.com", "email_verified": "false"}, None),
        ({}, None),
    ],
)
def test_claims_make_roles(claims: dict[str, object], role: str | None) -> None:
    """The first rule that fits: values and lists of them, within others, and no address that is not verified."""
    roles = (*ROLES, OidcRole("realm_access.roles", "see", "viewer"), OidcRole("member", "true", "operator"))
    if role is None:
        with pytest.raises(Refused):
            role_of(claims, roles)
    else:
        assert role_of(claims, roles).role == role
