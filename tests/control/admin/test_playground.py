"""The playground's side of the admin port: in whose name it asks, what is passed on, and what is refused here."""

from pathlib import Path

import msgspec
import pytest

from tests.control.admin.desk import Desk
from tests.control.admin.playing import CHUNKS, WHOLE, playing
from tidegate.control.admin.auth.guard import MAX_BODY
from tidegate.control.admin.routes import playground as api_playground
from tidegate.control.playground import sockets_of
from tidegate.model.entitlements import Isolation
from tidegate.model.playground import SOCKET

ASK = {"dialect": "openai", "body": {"model": "gpt-4o", "messages": []}}


def test_a_whole_answer(desk: Desk) -> None:
    """With its number, by which its chain is found; the worker is told in whose name, and with which tag."""
    with playing(desk.folder) as heard:
        answer = desk.ask("POST", "/playground", ASK | {"namespace": "team", "user": "ann", "stream": False})
    assert (answer.status_code, answer.text, answer.headers["x-tidegate-call"]) == (200, "{}", "31")
    assert "x-frame-options" in answer.headers
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b'x-tidegate-play: ["team","ann"]' in head
    assert b"x-tidegate-tag: playground" in head
    assert b"authorization" not in head.lower()
    assert body == b'{"model":"gpt-4o","messages":[],"stream":false}'
    (noted,) = [one for one in desk.ask("GET", "/audit").json() if one["action"] == "playground.call"]
    assert (noted["namespace"], noted["target"]) == ("team", "gpt-4o")


def test_a_stream(desk: Desk) -> None:
    """As it comes; the other dialect has its own path and version. A request id that is not ours has no number."""
    with playing(desk.folder, CHUNKS) as heard:
        answer = desk.ask("POST", "/playground", ASK | {"dialect": "anthropic", "stream": True})
    assert (answer.status_code, answer.text) == (200, "data: 1\n\n")
    assert answer.headers["content-type"] == "text/event-stream"
    assert "x-tidegate-call" not in answer.headers
    assert heard[0].startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"anthropic-version: " in heard[0]


def test_an_owner_plays_in_its_own_name(desk: Desk) -> None:
    """Whether it says so or not; in no other."""
    token = desk.token("owner", "filed")
    with playing(desk.folder) as heard:
        assert desk.ask("POST", "/playground", ASK, token=token).status_code == 200
        refused = desk.ask("POST", "/playground", ASK | {"namespace": "other"}, token=token)
    assert b'["filed",""]' in heard[0]
    assert (refused.status_code, len(heard)) == (404, 1)


@pytest.mark.parametrize("answer", [b"", WHOLE[:40]])
def test_no_worker_answers(desk: Desk, answer: bytes) -> None:
    """None listens, or it dies over it: 503, and when to try again."""
    told = desk.ask("POST", "/playground", ASK)
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    with playing(desk.folder, answer):
        told = desk.ask("POST", "/playground", ASK)
    assert (told.status_code, told.json()["errors"][0]["field"]) == (503, "worker")


def test_limits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at a time, so long a body; a user is somebody's; the dialects are two."""
    with playing(desk.folder) as heard:
        long = {"dialect": "openai", "body": {"model": "m", "messages": "x" * MAX_BODY}}
        assert desk.ask("POST", "/playground", long).status_code == 413
        assert desk.ask("POST", "/playground", ASK | {"user": "ann"}).status_code == 422
        assert desk.ask("POST", "/playground", ASK | {"dialect": "gemini"}).status_code == 422
        monkeypatch.setattr(api_playground, "MOST", 0)
        assert desk.ask("POST", "/playground", ASK).status_code == 429
    assert heard == []


def test_whose_socket(tmp_path: Path) -> None:
    """Replicas by turns; an isolated namespace's own worker, and nobody else's when that is away."""
    places = [tmp_path / SOCKET, tmp_path / "workers" / "+1" / SOCKET, tmp_path / "workers" / "alone" / SOCKET]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    turns = [sockets_of(tmp_path, "team", isolated=False) for _ in range(4)]
    assert {tuple(turn) for turn in turns} == {(places[0], places[1]), (places[1], places[0])}
    assert sockets_of(tmp_path, "alone", isolated=True) == [places[2]]
    places[2].unlink()
    assert sockets_of(tmp_path, "alone", isolated=True) == []


def test_a_namespace_that_is_isolated_no_more_is_played_with_by_all(desk: Desk) -> None:
    """The configuration in force says whose worker is whose; the folder of its own worker stays, and says nothing."""
    alone = desk.folder / "workers" / "team"
    alone.mkdir(parents=True)
    with playing(desk.folder) as heard:
        assert desk.ask("POST", "/playground", ASK | {"namespace": "team"}).status_code == 200
        desk.declaration.now = msgspec.structs.replace(desk.declaration.now, isolated=(Isolation("team", 0),))
        assert desk.ask("POST", "/playground", ASK | {"namespace": "team"}).status_code == 503
    assert len(heard) == 1
