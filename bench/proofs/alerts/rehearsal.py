"""An outage is rehearsed: the primary model is limited, everybody is told once, worse, and that it is over.

Six minutes are scaled by 20: thresholds of three and fifteen seconds stand for one and five minutes. All channels are
at strict local imitations of what their makers document, and at a program. Judged is what the imitations took.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import gate
from bench.figures import Figure, at_most, exactly, missing, told
from bench.nodes import Node
from bench.proofs.steps import Context, Row
from bench.twin import twin
from harness import cpu
from harness.plain import exchange
from harness.servers.postgres import Postgres
from harness.servers.redis import VALKEY, Server
from harness.twin import Twin
from tidegate.testing.channels.stand import SECRET, SIGNING, Stand

SCALE: Final = 20
_WARN_S: Final = 60 / SCALE
_CRITICAL_S: Final = 300 / SCALE
_OUTAGE_S: Final = 360 / SCALE
_TAKEOVER_S: Final = 16.0  # a lease of ten seconds, and what comes with it
_LEASE_S: Final = 30.0  # of a message whose sender died: its channel's time-out, and more
_QUIET_S: Final = 2.0  # after the last message was taken
_OVER_S: Final = 60.0  # patience with the end: a model is limited until ten quiet seconds have passed
_PACE_S: Final = 0.2
_PROGRAM: Final = "command"
_KINDS: Final = ("dingtalk", "wecom", "feishu", "slack", "webhook", "email", "apprise")
_WANTED: Final = ["WARNING", "CRITICAL, was WARNING", "RESOLVED"]
_CHAT: Final = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Are you there?"}]}).encode()
_SAVE: Final = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read().replace(chr(10), ' ') + chr(10))"


@dataclass(slots=True)
class Scene:
    """Everything, running."""

    stand: Stand
    provider: Twin
    nodes: list[Node]
    program: Path  # what the command was told, a line each
    answered: int = 0
    failed: int = 0
    began: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def titles(self, channel: str) -> list[str]:
        """What one channel took, by the words in brackets that each message begins with."""
        if channel == _PROGRAM:
            lines = self.program.read_text().splitlines() if self.program.exists() else []
            return [_bracket(line) for line in lines]
        return [_bracket(f"{one.title} {one.text}") for one in self.stand.kept(channel)]

    @property
    def channels(self) -> list[str]:
        """All that are told."""
        return [*_kinds(), _PROGRAM]

    def kill_control(self) -> None:
        """SIGKILL to the first node's control process."""
        for pid in _controls(self.nodes[0]):
            os.kill(pid, signal.SIGKILL)

    def limit(self, *, on: bool) -> None:
        """The provider refuses the primary model from now on, or does not any more."""
        rule = {"fault": "429", "retry_after": "1", "match": {"model": "gpt-4o"}}
        self.provider.ask("faults", [rule] if on else [])
        if on:
            self.began = time.monotonic()

    def call(self) -> None:
        """One call after the other, each to the next node that lives."""
        turn = 0
        while not self.over.wait(_PACE_S):
            turn += 1
            node = self.nodes[turn % len(self.nodes)]
            if node.child is None:
                continue
            try:
                status = exchange(node.port, "/v1/chat/completions", _CHAT, seconds=10).status
            except OSError:
                status = 0
            self.answered += status == 200
            self.failed += status != 200

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Has it come true within so long?"""
        limit = time.monotonic() + seconds
        while not what():
            if time.monotonic() > limit:
                return False
            time.sleep(0.05)
        return True

    def all_told(self, count: int, channels: Sequence[str]) -> bool:
        """Has each of them taken so many messages?"""
        return all(len(self.titles(channel)) >= count for channel in channels)


def alone(context: Context, row: Row) -> None:
    """One node; nothing dies."""
    _rehearse(context, row, "one node", lambda _scene: None)


def killed(context: Context, row: Row) -> None:
    """One node whose control process is killed: before anything was told, after the warning, after the critical."""

    def kill(scene: Scene) -> None:
        for count in (0, 1, 2):
            scene.until(lambda told=count: scene.all_told(told, scene.channels), 40)  # type: ignore[misc]
            time.sleep(_QUIET_S)
            scene.kill_control()
        row.figures.append(told("its control process was killed", "3 times", "between messages"))

    _rehearse(context, row, "control process killed", kill)


def midway(context: Context, row: Row) -> None:
    """The control process is killed while messages are on their way: each is told, and once more at most."""

    def kill(scene: Scene) -> None:
        scene.until(lambda: bool(scene.stand.kept()), 40)
        scene.kill_control()

    row.commands.append("the same, control process killed at the first message that any imitation took")
    with _scene(context.work, "midway", 1) as scene:
        _play(scene, kill, _OUTAGE_S + _LEASE_S)
        row.figures += _not_told("killed while messages are on their way")
        found = {channel: scene.titles(channel) for channel in scene.channels}
        lost = [channel for channel, titles in found.items() if set(titles) != set(_WANTED)]
        most = max(titles.count(word) for titles in found.values() for word in _WANTED)
        twice = sum(len(titles) - len(set(titles)) for titles in found.values())
        row.figures += [
            exactly("killed while messages are on their way: channels that missed one", len(lost), 0, ", ".join(lost)),
            at_most("and how often one was told at most", most, 2, "", f"{twice} told a second time, by the same id"),
        ]


def two_nodes(context: Context, row: Row) -> None:
    """Two nodes on one PostgreSQL and one Valkey; the one that leads is killed, all of it, in the middle."""

    def kill(scene: Scene) -> None:
        scene.until(lambda: scene.all_told(1, scene.channels), 40)
        time.sleep(_QUIET_S)
        leader = next(node for node in scene.nodes if _judges(node))
        leader.stop(0)
        row.figures.append(told("the node that led was killed after", f"{time.monotonic() - scene.began:.1f} s"))

    _rehearse(context, row, "leader killed", kill, nodes=2)


def _rehearse(context: Context, row: Row, label: str, meanwhile: Callable[[Scene], None], nodes: int = 1) -> None:
    row.commands.append(f"primary limited for {_OUTAGE_S:.0f} s (6 min ÷ {SCALE}), {label}")
    with _scene(context.work, label.replace(" ", "-"), nodes) as scene:
        _play(scene, meanwhile, _OUTAGE_S + (_TAKEOVER_S if nodes > 1 else 0))
        row.figures += [*_judged(scene, label, scene.channels), *_not_told(label)]


def _play(scene: Scene, meanwhile: Callable[[Scene], None], seconds: float) -> None:
    """The outage, its end, and time for what should not come."""
    scene.limit(on=True)
    meanwhile(scene)
    time.sleep(max(0, scene.began + seconds - time.monotonic()))
    scene.until(lambda: scene.all_told(2, scene.channels), _LEASE_S)
    scene.limit(on=False)
    scene.until(lambda: scene.all_told(3, scene.channels), _OVER_S)
    time.sleep(5)


def _judged(scene: Scene, label: str, channels: Sequence[str]) -> Iterator[Figure]:
    wrong = {channel: found for channel in channels if (found := scene.titles(channel)) != _WANTED}
    refused = [f"{channel} {status} {body[:60]}" for channel, status, body in scene.stand.refused]
    yield exactly(
        f"{label}: channels told in order, each change once, and its end", len(channels) - len(wrong), len(channels),
        "; ".join(f"{channel}: {found}" for channel, found in wrong.items()) or ", ".join(_WANTED),
    )  # fmt: skip
    twice = sum(max(0, found.count(word) - 1) for found in wrong.values() for word in set(found))
    yield exactly(f"{label}: messages told twice", twice, 0)
    yield exactly(f"{label}: messages that an imitation refused", len(refused), 0, "; ".join(refused[:3]))
    first = min((one.at_s for one in scene.stand.kept()), default=0.0)
    began = time.time() - (time.monotonic() - scene.began)
    yield told(f"{label}: somebody was told after", f"{first - began:.1f} s", f"the threshold is {_WARN_S:.0f} s")
    yield at_most(f"{label}: calls that were not answered", scene.failed, 5 if len(scene.nodes) > 1 else 0, "",
                  f"{scene.answered:,} answered by the fallback or the primary")  # fmt: skip


@contextlib.contextmanager
def _scene(work: Path, name: str, count: int) -> Iterator[Scene]:
    home = work / f"rehearsal-{name}"
    home.mkdir()
    program = home / "told"
    with contextlib.ExitStack() as stack:
        stand = stack.enter_context(Stand())
        provider = stack.enter_context(twin(home, "--rpm", "100000", "--tpm", "100000000"))
        full = _settings(stand, provider, program)
        if count > 1:
            server, base = Server(VALKEY), Postgres()
            stack.callback(server.close)
            stack.callback(base.close)
            full |= {"cluster": {"url": server.url}, "ledger": {"database": base.database("rehearsal")}}
        scene = Scene(stand, provider, [], program)
        for number in range(count):
            scene.nodes.append(Node(home / f"node-{number}", full))
            stack.callback(scene.nodes[-1].stop)
            scene.nodes[-1].start()
        scene.until(lambda: any(_judges(node) for node in scene.nodes), 30)
        caller = threading.Thread(target=scene.call)
        caller.start()
        stack.callback(caller.join)
        stack.callback(scene.over.set)
        yield scene


def _settings(stand: Stand, provider: Twin, program: Path) -> dict[str, Any]:
    scope = {"name": "main", "keys": ["sk-bench"], "limits": {"gpt-4o": {}, "gpt-4o-mini": {}}}
    rule = {"warning": _WARN_S, "critical": _CRITICAL_S, "clear_seconds": 60 / SCALE}
    channels = {kind: _channel(stand, kind) for kind in _kinds()}
    channels[_PROGRAM] = {"kind": "command", "command": [sys.executable, "-c", _SAVE, str(program)]}
    route = {"channels": list(channels), "group_wait_seconds": 5 / SCALE, "group_interval_seconds": 60 / SCALE}
    return {
        "providers": {"openai": {"dialect": "openai", "base_url": provider.url, "scopes": [scope]}},
        "strategies": {"chat": {"primary_model": "gpt-4o", "fallback_models": [{"model": "gpt-4o-mini"}]}},
        "alerts": {"channels": channels, "rules": {"limited_seconds": rule}, "routes": [route]},
    }


def _channel(stand: Stand, kind: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {"kind": kind, "url": stand.address(kind)}
    if kind in {"dingtalk", "feishu"}:
        found["secret"] = SECRET
    elif kind == "webhook":
        found["secret"] = SIGNING
    elif kind == "email":
        found |= {"sender": "gate@example.com", "receivers": ["ops@example.com"]}
    return found


@functools.cache
def _kinds() -> tuple[str, ...]:
    """Those that the gate that is measured can speak to: apprise is an extra."""
    python = Path(gate.program()).with_name("python")
    there = subprocess.run([python, "-c", "import apprise"], capture_output=True, check=False).returncode == 0
    return _KINDS if there else _KINDS[:-1]


def _not_told(label: str) -> list[Figure]:
    """The others."""
    why = "the gate that is measured cannot import it: pip install 'tidegate[apprise]' beside it"
    return [missing(f"{label}: {kind}", "told as the others", why) for kind in _KINDS if kind not in _kinds()]


def _controls(node: Node) -> list[int]:
    return [pid for pid in cpu.tree(node.pid) if "tidegate.control" in cpu.command(pid)]


def _judges(node: Node) -> bool:
    if node.child is None:
        return False
    try:
        return b"\ntidegate_alerts_judged_here 1.0" in exchange(node.admin, "/metrics", seconds=5).body
    except OSError:
        return False


def _bracket(text: str) -> str:
    """`[CRITICAL, was WARNING] gpt-4o: …` begins with what happened."""
    return text.partition("[")[2].partition("]")[0]
