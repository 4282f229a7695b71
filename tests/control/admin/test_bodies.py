"""What calls said, and who may read it."""

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import said, write_bodies


def test_what_a_call_said(desk: Desk) -> None:
    """With why it was kept and what is missing."""
    write_bodies(desk, said(7, "team", complete=False, why="error", status=502))
    shown = desk.ask("GET", "/calls/7/body").json()
    assert (shown["request"], shown["answer"], shown["redactions"]) == ('{"a": 1}', "[email] 🌊\x1b", 1)
    assert (shown["status"], shown["why"], shown["complete"]) == (502, "error", False)
    assert (shown["id"], shown["namespace"], shown["key"]) == ("7", "team", "team-app")


def test_every_read_is_written_down(desk: Desk) -> None:
    """Who read what of whom; nothing of what it said. What is not there was not read."""
    write_bodies(desk, said(7, "team"))
    token = desk.token("debugger")
    for _ in range(2):
        assert desk.ask("GET", "/calls/7/body", token=token).status_code == 200
    assert desk.ask("GET", "/calls/8/body", token=token).status_code == 404
    entries = desk.ask("GET", "/audit?action=body").json()
    assert [(one["actor"], one["action"], one["namespace"], one["target"]) for one in entries] == [
        ("debugger-all", "body.read", "team", "7")
    ] * 2
    assert "email" not in str(entries)


def test_nothing_is_read_that_cannot_be_written_down(desk: Desk) -> None:
    """The audit and the answer are one transaction."""
    write_bodies(desk, said(7, "team"))
    token = desk.token("admin")
    assert desk.engine is not None
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
    answer = desk.ask("GET", "/calls/7/body", token=token)
    assert answer.status_code == 503
    assert "[email]" not in answer.text


def test_what_has_expired_is_not_shown(desk: Desk) -> None:
    """Also before it is deleted; the refusal says where to look."""
    write_bodies(desk, said(7, "team", expires_us=WALL))
    refused = desk.ask("GET", "/calls/7/body")
    fault = refused.json()["errors"][0]
    assert (refused.status_code, fault["field"]) == (404, "path.call")
    assert "`bodies`" in fault["remedy"]


def test_a_namespace_says_what_is_kept(desk: Desk) -> None:
    """At run time as in the file: told back as it was said, changed by a patch, and bad ones named."""
    made = desk.made("/namespaces", {"name": "team", "bodies": {"sample": 0.25, "redact": ["email", "/A[0-9]{3}/"]}})
    assert made["bodies"] == {
        "sample": 0.25, "always": [], "max_bytes": 65_536, "keep_days": 7, "redact": ["email", "/A[0-9]{3}/"],
    }  # fmt: skip
    changed = desk.ask("PATCH", "/namespaces/team", {"bodies": {"always": ["errors"]}}).json()
    assert (changed["bodies"]["sample"], changed["bodies"]["always"]) == (0.25, ["errors"])
    assert "bodies" not in desk.ask("PATCH", "/namespaces/team", {"bodies": None}).json()
    for bad, field in (
        ({"sample": 2}, "bodies.sample"), ({"redact": ["emails"]}, "bodies.redact.0"),
        ({"redact": ["/a*/"]}, "bodies.redact.0"), ({"max_bytes": 1}, "bodies.max_bytes"), ({"x": 1}, "bodies.x"),
    ):  # fmt: skip
        refused = desk.ask("PATCH", "/namespaces/team", {"bodies": bad})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"body.{field}")
        assert refused.json()["errors"][0]["remedy"]
