"""The admin API in the control process itself, started as the supervisor does."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.control.test_control import Control, started
from tidegate.directory.layout import NAME, payloads
from tidegate.model import snapshot as snapshots
from tidegate.model.directory import decode
from tidegate.model.snapshot import Snapshot
from tidegate.supervisor.messages import Load, Status, encode

FIRST = re.compile(r'"event": "FIRST ADMIN TOKEN[^"]*", "token": "(tga_[\w-]+)"')


def begin(control: Control) -> None:
    control.channel.sendall(encode(Status(ready=True, draining=False, version=1, restarts=0)))
    control.channel.sendall(encode(Load(snapshots.encode(Snapshot(1, ())))))
    control.wait_ready()


def has_framework(control: Control) -> bool:
    return "pydantic_core" in Path(f"/proc/{control.process.pid}/maps").read_text(encoding="utf-8")


def log_of(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8")


async def asked(control: Control, token: str, method: str, path: str, body: object = None) -> tuple[int, object]:
    data = "" if body is None else json.dumps(body)
    status, text = await control.ask(
        f"{method} /admin/v1{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        f"x-forwarded-for: 203.0.113.7\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n{data}"
    )
    return status, json.loads(text) if text else None


async def test_the_first_token_opens_the_api_and_is_told_once(tmp_path: Path) -> None:
    """One that is started again after SIGKILL makes no other, and writes the directory log anew from the store."""
    with started(tmp_path) as control:
        begin(control)
        while not (found := FIRST.search(log_of(tmp_path))):
            assert (await control.get("/healthz"))[0] == 200
        token = found[1]
        status, made = await asked(control, token, "POST", "/namespaces", {"name": "team"})
        assert (status, made["name"]) == (201, "team")  # type: ignore[index]
        (entry, _) = (await asked(control, token, "GET", "/audit"))[1]  # type: ignore[misc]
        assert (entry["action"], entry["address"]) == ("namespace.create", "127.0.0.1")
        assert (await asked(control, "tga_wrong", "GET", "/namespaces"))[0] == 401
        control.process.send_signal(signal.SIGKILL)
        control.process.wait()
    (tmp_path / NAME).unlink()
    with started(tmp_path) as control:
        begin(control)
        while not (tmp_path / NAME).exists():
            assert (await control.get("/healthz"))[0] == 200
        assert (await asked(control, token, "GET", "/namespaces/team"))[0] == 200
        assert FIRST.search(log_of(tmp_path)) is None
    assert [decode(payload).namespace.name for payload, _ in payloads((tmp_path / NAME).read_bytes())] == ["team"]  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/signout"])
async def test_who_does_not_ask_it_does_not_pay_for_it(tmp_path: Path, path: str) -> None:
    """Metrics, health and the control room's files are served without the API's framework."""
    with started(tmp_path) as control:
        begin(control)
        status, _ = await control.ask(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert status == (404 if path == "/signout" else 200)
        assert not has_framework(control)
        await control.ask("GET /docs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert has_framework(control)
