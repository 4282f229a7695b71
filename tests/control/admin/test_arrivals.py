"""`/arrivals` of the admin API. Who may ask for them, the matrix says."""

from tests.control.admin.accounts import with_accounts
from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import called, write_calls
from tidegate.control.admin.services.settings import as_moment

HOUR = 3_600_000_000


def test_pages_of_a_day(desk: Desk) -> None:
    """Page by page behind `next`, of the last day unless told otherwise."""
    write_calls(desk, called(1, "team"), called(2, "other", status=429), called(3, "team", at_us=WALL - 30 * HOUR))
    page = desk.ask("GET", "/arrivals?limit=1").json()
    assert [one["namespace"] for one in page["arrivals"]] == ["team"]
    page = desk.ask("GET", f"/arrivals?limit=1&behind={page['next']}").json()
    assert [one["status"] for one in page["arrivals"]] == [429]
    while page["next"]:
        page = desk.ask("GET", f"/arrivals?behind={page['next']}").json()
        assert page["arrivals"] == []
    since = (as_moment(WALL - 40 * HOUR) or "").replace("+", "%2B")
    assert len(desk.ask("GET", f"/arrivals?since={since}&namespace=team").json()["arrivals"]) == 2


def test_what_is_asked_wrongly_is_told(desk: Desk) -> None:
    """By the field that is at fault."""
    for query, field in (
        ("behind=calls-1-2", "query.behind"),
        ("limit=0", "query.limit"),
        ("limit=10001", "query.limit"),
        ("since=2099-01-01", "query.since"),
        ("since=2001-01-01", "query.since"),
        ("offset=1", "query.offset"),
    ):
        answer = desk.ask("GET", f"/arrivals?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_callers_are_told_without_what_their_keys_are_known_by(desk: Desk) -> None:
    """Their limits are; in parts, as many as are asked for."""
    desk.made("/namespaces", {"name": "team", "limits": {"rpm": 7}, "tier": "vip"})
    desk.made("/namespaces/team/users", {"name": "ann", "limits": {"rpm": 5}})
    desk.made("/namespaces/team/keys", {"name": "app", "user": "ann"})
    text = desk.ask("GET", "/arrivals/callers").text
    found = desk.ask("GET", "/arrivals/callers?limit=2").json()
    assert (len(found["callers"]), found["next"]) == (2, 2)
    rest = desk.ask("GET", f"/arrivals/callers?offset={found['next']}").json()
    every = [*found["callers"], *rest["callers"]]
    assert {one["type"] for one in every} == {"namespace", "user", "key"}
    assert (every[-1]["key"]["name"], every[-1]["key"]["digest"], rest["next"]) == ("team-app", "", 0)
    assert '"rpm":7' in text


def test_accounts_out_of_service_are_no_callers(desk: Desk) -> None:
    """A drain stands in the same log as callers do, and says nothing of them."""
    with_accounts(desk)
    desk.made("/namespaces", {"name": "team"})
    assert desk.ask("POST", "/accounts/openai/main/drain", {"reason": "a bill"}).status_code == 200
    found = desk.ask("GET", "/arrivals/callers").json()
    assert [one["type"] for one in found["callers"]] == ["namespace"]
