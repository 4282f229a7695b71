"""What the admin port lets in at all."""

from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.control.admin.desk import Desk, opened
from tidegate.control.admin.auth.guard import HEADERS, MAX_BODY, Guard


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all: what is refused changes nothing."""
    yield from opened(tmp_path_factory.mktemp("guard"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8081", "127.0.0.1:1", "[::1]:8081", "LOCALHOST:8081"])
def test_it_is_called_by_names_of_this_machine(desk: Desk, host: str) -> None:
    """With any port: it may be forwarded."""
    assert desk.ask("GET", "/whoami", headers={"host": host}).status_code == 200


async def test_other_names_may_be_given() -> None:
    """Of a proxy before it; any case, any port, and no more than these."""
    statuses = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def served(_scope: Scope, _receive: Receive, reply: Send) -> None:
        await reply({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    for host in (b"Gate.example.com:443", b"localhost", b"other.example.com"):
        guard = Guard(served, ["gate.Example.com"])
        await guard({"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host)]}, receive, send)
    assert statuses == [200, 200, 421]


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8081", "::1", "a@localhost"]
)
@pytest.mark.parametrize("path", ["/whoami", "//docs", "/openapi.json"])
def test_a_name_that_was_bent_to_this_machine_is_not_served(desk: Desk, host: str, path: str) -> None:
    """DNS rebinding: a page of another host could read what it is answered."""
    answer = desk.ask("GET", path, headers={"host": host})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (421, "header.host")


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"sec-fetch-site": "cross-site"}, "header.sec-fetch-site"),
        ({"sec-fetch-site": "same-site"}, "header.sec-fetch-site"),
        ({"origin": "https://evil.example"}, "header.origin"),
        ({"origin": "null"}, "header.origin"),
        ({"origin": "http://localhost:9999"}, "header.origin"),
        ({"origin": "http://evil.example/localhost:8081"}, "header.origin"),
    ],
)
def test_another_site_changes_nothing(desk: Desk, headers: dict[str, str], field: str) -> None:
    """Though its visitor's token were known to it."""
    answer = desk.ask("POST", "/namespaces", {"name": "never"}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field)
    assert desk.ask("GET", "/namespaces/never").status_code == 404


def test_the_own_page_may_change_things(desk: Desk) -> None:
    """A browser says that it is ours."""
    own = {"sec-fetch-site": "same-origin", "origin": "http://localhost:8081"}
    assert desk.ask("POST", "/namespaces", {"name": "own"}, headers=own).status_code == 201


@pytest.mark.parametrize("path", ["/whoami", "/nothing", "//docs", "//docs/start.js", "//docs/assets/swagger-ui.css"])
def test_every_answer_protects_the_browser(desk: Desk, path: str) -> None:
    """No frame, no sniffing, no cache, no script of others; and no CORS."""
    answer = desk.ask("GET", path, headers={"origin": "https://evil.example"})
    for name, value in HEADERS:
        assert answer.headers[name.decode()] == value.decode()
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers
    assert desk.ask("OPTIONS", path, headers={"access-control-request-method": "GET"}).status_code in {404, 405}


def test_a_body_is_bounded(desk: Desk) -> None:
    """By what it says, and by what comes."""
    long = b'{"name": "' + b"a" * MAX_BODY + b'"}'
    for headers in ({}, {"transfer-encoding": "chunked"}):
        answer = desk.ask("POST", "/namespaces", content=long, headers={"content-type": "application/json", **headers})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "body")
    wrong = desk.ask("POST", "/namespaces", content=b"{}", headers={"content-length": "many"})
    assert wrong.json()["errors"][0]["field"] == "header.content-length"


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"[" * 50_000, "application/json"),
        (b'{"name": "team"}', "text/plain"),
        (b"name=team", "application/x-www-form-urlencoded"),
        (b'{"name": ' + b"9" * 10_000 + b"}", "application/json"),
        (b'{"name": "te\\ud800am"}', "application/json"),
        (b'{"name": "a", "models": ["\\ud800"]}', "application/json"),
        (b'{"name": "a", "weight": NaN}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"null", "application/json"),
    ],
)
def test_what_is_no_json_object_is_refused(desk: Desk, content: bytes, media: str) -> None:
    """Never a 500, and a field is named."""
    answer = desk.ask("POST", "/namespaces", content=content, headers={"content-type": media})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["errors"][0]["field"].partition(".")[0] in {"body", "name"}


def test_a_patch_is_a_patch(desk: Desk) -> None:
    """Neither too deep, nor empty, nor of fields that there are not."""
    desk.made("/namespaces", {"name": "team"})
    deep: object = {}
    for _ in range(200):
        deep = {"limits": deep}
    for patch in (deep, {}, {"limits": {"rmp": 1}}, {"limits": 3}, {"tier": "no"}, {"name": "other"}, {"weight": "2"}):
        answer = desk.ask("PATCH", "/namespaces/team", patch)
        assert answer.status_code == 422, (patch, answer.text)
        assert answer.json()["errors"][0]["field"]


@pytest.mark.parametrize("path", ["/nothing", "/namespaces/", "/../metrics", "/namespaces/a/b/c", "/tokens/x/y"])
def test_an_unknown_route_is_a_problem_too(desk: Desk, path: str) -> None:
    """404, 405 and their words have the same form as all refusals."""
    answer = desk.ask("GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "path"
    assert desk.ask("PUT", "/namespaces").json()["errors"][0]["field"] == "method"


@pytest.mark.parametrize(
    "path", ["%2e%2e", "..%2f..%2fpyproject.toml", "/etc/passwd", "....//x", "%00", "swagger-ui.css/.."]
)
def test_assets_lead_nowhere_else(desk: Desk, path: str) -> None:
    """Only the page's own files are served."""
    assert desk.ask("GET", f"//docs/assets/{path}").status_code == 404


def test_the_page_asks_no_other_host(desk: Desk) -> None:
    """Its scripts and styles come from here, and nothing in it is inline."""
    text = desk.ask("GET", "//docs", token=None).text
    assert "//" not in text.replace("<!doctype", "").replace("/docs/", "")
    assert "http" not in text
    for path in ("//docs/assets/swagger-ui.css", "//docs/assets/swagger-ui-bundle.js", "//docs/start.js"):
        assert desk.ask("GET", path, token=None).status_code == 200
    assert desk.ask("GET", "/openapi.json", token=None).json()["info"]["title"] == "Tidegate admin API"
