"""A browser at the admin port of a desk: it keeps cookies as it is told to, and shows where a request comes from."""

from collections.abc import Mapping
from http.cookies import SimpleCookie

import httpx2 as httpx

from tests.control.admin.desk import Desk
from tidegate.control.admin.auth.cookies import COOKIE, CSRF


class Browser:
    """One, with its cookies and the word of its session."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        word: bool = True,
    ) -> httpx.Response:
        """One request of our own page. `word`: with that of the session."""
        given = {"sec-fetch-site": "same-origin", "user-agent": "Browser/1 (test)"}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if word and self.csrf and method not in {"GET", "HEAD"}:
            given[CSRF] = self.csrf
        answer = self.desk.ask(method, path, body, token=None, headers=given | dict(headers or {}))
        for line in answer.headers.get_list("set-cookie"):
            for name, said in SimpleCookie(line).items():
                if said["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = said.value
        return answer

    def sign_in(self, token: str) -> httpx.Response:
        """With a token, as the page does."""
        answer = self.ask("POST", "/session", {"token": token})
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf"]
        return answer

    @property
    def secret(self) -> str:
        """What it keeps of its session."""
        return self.cookies[COOKIE]


def signed_in(desk: Desk, role: str = "admin", namespace: str | None = None) -> Browser:
    """A browser of who has such a token."""
    made = Browser(desk)
    assert made.sign_in(desk.token(role, namespace)).status_code == 201
    return made


def field_of(answer: httpx.Response) -> tuple[int, str]:
    """Why it was refused."""
    return answer.status_code, answer.json()["errors"][0]["field"]
