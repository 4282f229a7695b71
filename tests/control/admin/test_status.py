"""How the gate stands, as who manages it is told; and what the database being away means."""

from tests.control.admin.desk import FILED, Desk
from tidegate.control.board import LedgerStanding, Standing
from tidegate.control.declared import Declared
from tidegate.store.standing import JournalStanding


def test_status_says_what_an_operator_must_know(desk: Desk) -> None:
    """Version, workers, how far the ledger is behind, and the configuration's warnings."""
    desk.board.standing = Standing(ready=True, version=3, restarts=1)
    desk.board.ledger = LedgerStanding(up=True, alarm=True, journals=(JournalStanding("worker-0", lag_bytes=9),))
    found = desk.ask("GET", "/status").json()
    assert (found["ready"], found["configuration"], found["restarts"], found["warnings"]) == (True, 3, 1, ["careful"])
    assert (found["ledger_up"], found["ledger_alarm"], found["database"]) == (True, True, "sqlite")
    assert found["journals"][0]["lag_bytes"] == 9


def test_what_the_file_hides_is_told(desk: Desk) -> None:
    """A managed name that the file declares later: the file's counts, and it is the file's to change."""
    desk.declaration.now = Declared()
    desk.made("/namespaces", {"name": "filed", "tier": "vip"})
    desk.made("/namespaces/filed/users", {"name": "fred"})
    desk.made("/namespaces/filed/keys", {"name": "1"})
    desk.declaration.now = Declared(namespaces=(FILED,))
    found = desk.ask("GET", "/status").json()
    assert found["hidden"] == ["namespace filed", "user filed/fred", "key filed/filed-1"]
    assert desk.ask("GET", "/namespaces/filed").json()["declared"] == "file"
    for method, path in (("PATCH", ""), ("DELETE", ""), ("PATCH", "/users/fred"), ("DELETE", "/users/fred")):
        answer = desk.ask(method, f"/namespaces/filed{path}", {"models": []} if method == "PATCH" else None)
        assert answer.status_code == 409
        assert "namespaces.filed" in answer.json()["errors"][0]["remedy"]
    for path, name in (("", "filed"), ("/filed/users", "fred")):
        assert desk.ask("POST", f"/namespaces{path}", {"name": name}).status_code == 409


def test_a_database_that_is_away_is_said_plainly(desk: Desk) -> None:
    """503 with the field and when to come back; the page is served all the same; nothing of it is told but its kind."""
    desk.token("admin")
    engine, desk.engine = desk.engine, None
    answer = desk.ask("GET", "/namespaces")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (503, "ledger.database")
    assert answer.headers["retry-after"] == "5"
    assert desk.ask("GET", "//docs", token=None).status_code == 200
    desk.engine = engine
    assert desk.ask("GET", "/namespaces").status_code == 200
    assert engine is not None
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE namespaces")
    answer = desk.ask("GET", "/namespaces")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (503, "ledger.database")
    assert str(desk.folder) not in answer.text
    assert "SELECT" not in answer.text
