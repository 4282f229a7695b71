"""Signing in to the control process itself, over HTTP, as a browser does."""

import http.client
import json
import signal
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.control.test_control import Control, started
from tests.control.test_control_admin import FIRST, begin, log_of
from tidegate.control.admin.auth.cookies import COOKIE, CSRF

OWN = {"sec-fetch-site": "same-origin"}


class Page:
    """A page of ours in a browser: its connection, its cookies, the word of its session."""

    def __init__(self, control: Control) -> None:
        self.port = control.port
        self.cookie = self.word = ""

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request; what stands in `headers` instead of what the page sends."""
        given = {"host": "localhost", "content-type": "application/json", **OWN}
        given |= {"cookie": self.cookie} if self.cookie else {}
        given |= {CSRF: self.word} if self.word and method != "GET" else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/admin/v1{path}", data, given | (headers or {}))
            answer = connection.getresponse()
            for line in answer.headers.get_all("set-cookie", []):
                made = SimpleCookie(line)
                assert made[COOKIE]["httponly"]
                assert made[COOKIE]["samesite"] == "Strict"
                self.cookie = f"{COOKIE}={made[COOKIE].value}"
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def sign_in(self, token: str) -> None:
        status, view = self.ask("POST", "/session", {"token": token})
        assert status == 201
        self.word = view["csrf"]


def first_token(control: Control, folder: Path) -> str:
    """The one that the log tells once."""
    while not (found := FIRST.search(log_of(folder))):
        assert control.process.poll() is None
    return found[1]


def test_a_session_outlives_the_process_and_ends_with_its_token(tmp_path: Path) -> None:
    """Signed in, killed, started again: still signed in; then its token is revoked, and the next request is refused."""
    with started(tmp_path) as control:
        begin(control)
        admin = Page(control)
        admin.sign_in(first_token(control, tmp_path))
        made = admin.ask("POST", "/tokens", {"name": "eve", "role": "operator"})[1]
        eve = Page(control)
        eve.sign_in(made["token"])
        control.process.send_signal(signal.SIGKILL)
        control.process.wait()
    with started(tmp_path) as control:
        begin(control)
        eve.port = admin.port = control.port
        while (found := eve.ask("GET", "/session"))[0] == 503:
            pass  # the database is being opened
        assert found[1]["name"] == "eve"
        assert eve.ask("POST", "/namespaces", {"name": "team"})[0] == 201
        assert admin.ask("DELETE", "/tokens/eve")[0] == 204
        status, refused = eve.ask("GET", "/session")
        assert (status, refused["errors"][0]["field"]) == (401, f"cookie.{COOKIE}")
        assert admin.ask("DELETE", "/session?everywhere=true")[0] == 204
        assert admin.ask("GET", "/session")[0] == 401


def test_nothing_is_changed_but_by_our_own_page(tmp_path: Path) -> None:
    """Without the word, from another site, from another port, by another name of the host."""
    with started(tmp_path) as control:
        begin(control)
        page = Page(control)
        page.sign_in(first_token(control, tmp_path))
        for headers, status, field in (
            ({CSRF: ""}, 403, f"header.{CSRF}"),
            ({"sec-fetch-site": "cross-site"}, 403, "header.sec-fetch-site"),
            ({"sec-fetch-site": "same-site"}, 403, "header.sec-fetch-site"),
            ({"origin": "http://localhost:3000"}, 403, "header.origin"),
            ({"host": "rebound.example"}, 421, "header.host"),
        ):
            found, refused = page.ask("POST", "/namespaces", {"name": "team"}, headers)
            assert (found, refused["errors"][0]["field"]) == (status, field)
        assert page.ask("GET", "/namespaces/team")[0] == 404
        assert page.ask("POST", "/namespaces", {"name": "team"})[0] == 201
