"""The admin API over PostgreSQL: the same calls, the same answers."""

from pathlib import Path

from harness.servers.postgres import Postgres
from tests.control.admin.desk import Desk
from tests.control.admin.ledger import called, write_calls
from tidegate.store import partitions
from tidegate.store.engine import open_engine
from tidegate.store.upgrade import upgrade
from tidegate.units import DAY_US


def test_a_key_s_life_and_what_it_spent(tmp_path: Path) -> None:
    """Made, changed, rotated, revoked; spend by a grouping, calls, audit and status."""
    server = Postgres()
    try:
        desk = Desk(tmp_path)
        assert desk.engine is not None
        desk.engine.dispose()
        desk.engine = open_engine(server.database("admin"), tmp_path)
        upgrade(desk.engine)
        call = called(1, "team", tag="a")
        partitions.ahead(desk.engine, call.at_us // DAY_US)
        desk.made("/namespaces", {"name": "team", "budget": {"per_day": 1}})
        desk.made("/namespaces/team/users", {"name": "ann"})
        desk.made("/namespaces/team/keys", {"name": "app", "user": "ann"})
        assert desk.ask("PATCH", "/namespaces/team/keys/team-app", {"limits": {"rpm": 3}}).status_code == 200
        desk.made("/namespaces/team/keys/team-app/rotate", {})
        assert desk.ask("POST", "/namespaces/team/keys/team-app/revoke").json()["state"] == "revoked"
        desk.made("/namespaces/team/keys", {"name": "app"})
        assert desk.ask("POST", "/namespaces/team/keys", {"name": "app"}).status_code == 409
        write_calls(desk, call)
        assert desk.ask("GET", "/spend?by=key&by=day&tag=a").json()["lines"][0]["cost"] == "0.002"
        assert desk.ask("GET", "/spend/month").json()["spent"] == "0.002"
        assert desk.ask("GET", "/spend/utilisation").json()[-1]["used_of_reserved"] == 0.5
        assert desk.ask("GET", "/namespaces/team/use").json()[0]["money_today"] == {"used": "0.002", "limit": "1"}
        assert desk.ask("GET", "/calls?tag=a").json()["calls"][0]["id"] == "1"
        assert len(desk.ask("GET", "/calls/1").json()["tries"]) == 1
        assert desk.ask("GET", "/audit?action=key.re").json()[0]["action"] == "key.revoke"
        assert desk.ask("GET", "/status").json()["database"] == "postgresql"
        for path in ("/namespaces/team/users/ann", "/namespaces/team"):
            assert desk.ask("DELETE", path).status_code in {204, 409}
        desk.engine.dispose()
    finally:
        server.close()
