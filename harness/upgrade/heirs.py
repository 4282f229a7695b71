"""What the present gate must know of what an older one left: asked of it as its users and its operator would."""

import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from harness.plain import exchange
from harness.upgrade.life import Life
from harness.wait import wait_until
from tidegate.client import Signer

TAIL = ("acme", "acme-web", "gpt-3.5-turbo")  # whose calls no database had when the older gate was killed
_PATH = "/v1/chat/completions"


def kept(life: Life, told: dict[str, Any]) -> Iterator[str]:
    """Each thing that is not as the older gate had it. Nobody needs to answer for its providers."""
    life.token = told["token"]
    expected = {line_of(row): row for row in told["spent"]}
    calls = sum(row["calls"] for row in told["spent"]) + told["tail"]
    wait_until(lambda: _answers(life), "the admin API")
    if not _limits_known(life):
        yield "no limit is known that was learnt from headers"
    wait_until(lambda: sum(row["calls"] for row in life.spent()) >= calls, "the calls of the journal in the database")
    yield from _ledger(life, expected, told["tail"], calls)
    yield from _managed(life, told)


def doors(life: Life, told: dict[str, Any]) -> Iterator[str]:
    """Each key, token and budget that is answered otherwise than the older gate answered it."""
    life.token, keys = told["token"], told["keys"]
    wait_until(lambda: _answers(life), "the admin API")
    wanted = {"web": 200, "turned": 200, "declared": 200, "legacy": 200, "gone": 401, "former": 401, "signed": 401}
    for name, status in wanted.items():
        reply = life.chat(keys[name], model="gpt-3.5-turbo")
        if reply.status != status:
            yield f"the key {name} is answered {reply.status}, not {status}: {reply.body[:200]!r}"
    body = json.dumps({"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "hi"}]}).encode()
    headers = Signer("acme-signed", keys["signed"]).headers("POST", _PATH, body)
    if exchange(life.port, _PATH, body, headers).status != 200:
        yield "what the key acme-signed signs is refused"
    viewer = {"authorization": f"Bearer {keys['viewer']}"}
    if exchange(life.admin, "/admin/v1/namespaces", headers=viewer).status != 200:
        yield "the viewer's token is refused"
    if exchange(life.admin, "/admin/v1/namespaces", b'{"name": "new"}', viewer).status != 403:
        yield "the viewer's token may change something"
    if told["acme"][0]["created"][:7] == datetime.now(UTC).strftime("%Y-%m"):
        yield from _budget(life, told)


def _budget(life: Life, told: dict[str, Any]) -> Iterator[str]:
    """What was left of it this month, and no more: calls of the same size until it is used up."""
    before = next(row for row in told["spent"] if row["key"] == "acme-spender")
    price = float(before["cost"]) / before["calls"]
    left = int((float(told["budget"]) - float(before["cost"])) / price) + 1  # the last may go beyond it
    for served in range(before["calls"]):
        reply = life.chat(told["keys"]["spender"], model="gpt-3.5-turbo", max_tokens=500)
        if b"insufficient_quota" in reply.body:
            if served > left:
                yield f"a budget of which {left} calls were left served {served}"
            return
    yield "a budget that was nearly spent is whole again"


def line_of(row: dict[str, Any]) -> tuple[str, str, str]:
    """Which line of the report."""
    return row["namespace"], row["key"], row["model"]


def _ledger(life: Life, expected: dict[Any, Any], tail: int, calls: int) -> Iterator[str]:
    found = {line_of(row): row for row in life.spent()}
    if sum(row["calls"] for row in found.values()) != calls:
        yield f"the ledger has {sum(row['calls'] for row in found.values())} calls, not {calls}"
    for line in sorted({*expected, *found}):
        before, now = expected.get(line, {"calls": 0}), found.get(line, {})
        if line == TAIL:
            if now.get("calls") != before["calls"] + tail:
                yield f"{line}: {now.get('calls')} calls, not those of the journal, too"
        elif changed := {name for name, value in before.items() if now.get(name) != value}:
            yield f"{line}: {sorted(changed)} of what it spent changed"
    listed = _all_calls(life)
    if len(listed) != calls:
        yield f"{len(listed)} single calls are found, not {calls}"


def _all_calls(life: Life) -> set[str]:
    found: set[str] = set()
    for namespace in ("acme", "declared", "legacy"):
        query = f"/calls?namespace={namespace}&since=2026-01-01&limit=500"
        page = life.ask(query)
        found |= {call["id"] for call in page["calls"]}
    return found


def _managed(life: Life, told: dict[str, Any]) -> Iterator[str]:
    audit = {entry["id"]: entry for entry in life.ask("/audit?limit=500")}
    for entry in told["audit"]:
        if audit.get(entry["id"], {}) | entry != audit.get(entry["id"]):
            yield f"the audit's entry {entry['id']} ({entry['action']}) changed"
    keys = {key["name"]: key for key in life.ask("/namespaces/acme/keys")}
    for key in told["acme"]:
        if not _holds(keys.get(key["name"], {}), key):
            yield f"the key {key['name']} changed"


def _holds(now: Any, before: Any) -> bool:
    """Is all that was said before still said? A later version may say more."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(_holds(now.get(name), value) for name, value in before.items())
    return bool(now == before)


def _limits_known(life: Life) -> bool:
    """Without having been called."""
    page = exchange(life.admin, "/metrics").body.decode()
    return any(line.startswith("tidegate_limit_known{") for line in page.splitlines())


def _answers(life: Life) -> bool:
    try:
        headers = {"authorization": f"Bearer {life.token}"}
        return exchange(life.admin, "/admin/v1/namespaces", headers=headers).status == 200
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)
        return False
