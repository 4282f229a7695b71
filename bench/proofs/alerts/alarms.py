"""Bad input of alerts: what the file gets wrong, a channel that never ends, ten thousand alerts at once."""

import json
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from bench import gate
from bench.figures import at_most, exactly, told
from bench.nodes import Node
from bench.proofs.steps import Context, Row
from harness.plain import exchange
from tidegate.alerts.database import AlertDatabase, Saving
from tidegate.model.alerts import AlertChannel, AlertRule, AlertSettings
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.policy.alerts.engine import Engine
from tidegate.store.engine import open_engine, writing
from tidegate.store.upgrade import upgrade
from tidegate.testing.channels.faults import DRIP
from tidegate.testing.channels.stand import SIGNING, Stand

_PROVIDERS: Final = {
    "openai": {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "scopes": [{"name": "main", "keys": ["x"]}]}
}
_OPS: Final = {"kind": "slack", "url": "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop"}
_ROBOT: Final = {"kind": "dingtalk", "url": "https://oapi.dingtalk.com/robot/send?access_token=abcdef"}
_WRONG: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("a rule on an unknown metric", {"rules": {"slow": {"metric": "queue_wait_sm", "critical": 5}}}, "queue_wait_ms"),
    ("a route to a channel that is not there", {"routes": [{"channels": ["opz"]}]}, "did you mean ops"),
    ("a robot without a secret", {"channels": {"ops": _OPS, "robot": _ROBOT}}, "secret"),
    ("a share above the whole", {"rules": {"error_rate_percent": {"warning": 500}}}, "half a per cent"),
)
_CROWD: Final = 10_000
_RULES: Final = 5
_SECOND_US: Final = 1_000_000


def wrong_files(context: Context, row: Row) -> None:
    """`tidegate check` names the field and the remedy."""
    row.commands.append("tidegate check FILE, each with one mistake")
    for what, alerts, word in _WRONG:
        path = context.work / f"wrong-{len(row.figures)}.yaml"
        path.write_text(json.dumps({"providers": _PROVIDERS, "alerts": {"channels": {"ops": _OPS}} | alerts}))
        done = subprocess.run([gate.program(), "check", str(path)], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        line = next((one for one in said.splitlines() if "error:" in one), said[-200:])
        named = done.returncode == 2 and word in said
        row.figures.append(exactly(f"{what}: refused, with the remedy", int(named), 1, line.partition("error: ")[2]))


def endless(context: Context, row: Row) -> None:
    """A webhook whose answer never comes to an end, byte by byte: the other channel is told in time, it is given up."""
    row.commands.append("a gate whose provider is away, one webhook that never ends beside another channel")
    with Stand() as stand:
        stand.fail("webhook", DRIP, 1_000)
        node = Node(context.work / "endless", _endless(stand))
        try:
            node.start()
            began = time.monotonic()
            _calls(node, 5)
            _until(lambda: bool(stand.kept("slack")), 40)
            heard = time.monotonic() - began
            _until(lambda: _metric(node, 'notices_failed_total{channel="endless"}') >= 1, 60)
            failed = _metric(node, 'notices_failed_total{channel="endless"}')
            row.figures += [
                exactly("endless webhook: the other channel was told", min(1, len(stand.kept("slack"))), 1,
                        f"after {heard:.1f} s"),
                exactly("endless webhook: messages given up, and counted", int(failed >= 1), 1, f"{failed:.0f}"),
                told("endless webhook: the log says", _line(node.home / "log")),
            ]  # fmt: skip
        finally:
            node.stop()


def crowd(context: Context, row: Row) -> None:
    """Ten thousand label sets beyond their thresholds at once: judged, kept and told in few messages."""
    row.commands.append(f"{_CROWD:,} alerts of {_RULES} rules in one look: policy/alerts and the database")
    rules = tuple(AlertRule(f"r{number}", f"r{number}", 1, clear_us=0) for number in range(_RULES))
    settings = AlertSettings(rules, (AlertChannel("a", "webhook"), AlertChannel("b", "webhook")))
    engine, base = Engine(settings, 1), open_engine("", context.work)
    upgrade(base)
    database = AlertDatabase(lambda: base, lambda: writing)
    own = NodeStanding("n", 1)
    database.turn(None, own, ["a", "b"], 1)
    slowest = 0.0
    told_to: Counter[str] = Counter()
    alerts = 0
    for second in range(1, 200, 10):
        value = 2.0 if second < 100 else 0.0
        samples = [Sample(f"r{n % _RULES}", (("n", str(n)),), value) for n in range(_CROWD)]
        began = time.monotonic()
        engine.step(samples, (), second * _SECOND_US)
        saving = Saving.of(engine.unsaved, (), ())
        database.turn(saving, own, ["a", "b"], second * _SECOND_US)
        slowest = max(slowest, time.monotonic() - began)
        for channel, notice in saving.notices:
            told_to[channel] += 1
            alerts += len(notice.items) + notice.more if notice.state == "firing" and channel == "a" else 0
        engine.saved()
    base.dispose()
    row.figures += [
        at_most("10,000 alerts at once: messages to one channel", max(told_to.values()), 2 * _RULES, "",
                "their beginning and their end"),
        exactly("10,000 alerts at once: alerts that these speak of", alerts, _CROWD),
        at_most("10,000 alerts at once: the slowest look, kept in SQLite", slowest, 5.0, "s"),
    ]  # fmt: skip


def _endless(stand: Stand) -> dict[str, Any]:
    channels = {
        "endless": {"kind": "webhook", "url": stand.address("webhook"), "secret": SIGNING, "timeout_seconds": 2},
        "ops": {"kind": "slack", "url": stand.address("slack")},
    }
    rule = {"warning": 1, "for_seconds": 0}
    route = {"channels": list(channels), "group_wait_seconds": 0}
    alerts = {"channels": channels, "rules": {"error_rate_percent": rule}, "routes": [route], "give_up_seconds": 15}
    return {"providers": _PROVIDERS, "defaults": {"deadline_seconds": 2}, "alerts": alerts}


def _calls(node: Node, count: int) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "?"}]}).encode()
    for _ in range(count):
        exchange(node.port, "/v1/chat/completions", body, seconds=30)


def _metric(node: Node, name: str) -> float:
    page = exchange(node.admin, "/metrics", seconds=10).body.decode()
    return sum(
        float(line.rpartition(" ")[2]) for line in page.splitlines() if name in line and not line.startswith("#")
    )


def _until(what: Any, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not what() and time.monotonic() < limit:
        time.sleep(0.1)


def _line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "given up" in line]
    return json.loads(lines[0])["problem"] if lines else ""
