"""A key that is revoked on one node is refused by every worker of every node, within a second, a thousand times."""

import contextlib
import http.client
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench import gate
from bench.figures import at_most, below, exactly, median, told
from bench.nodes import Node, worker_of
from bench.proofs.cluster.stage import Plan, stage
from bench.proofs.fleet import MODEL, Quota
from bench.proofs.steps import Context, Row
from harness.process import NotReady
from harness.servers.postgres import Postgres
from harness.servers.redis import REDIS, Server

_WITHIN_S: Final = 1.0
_SHAPE: Final = (2, 2)
_PATIENCE_S: Final = 10.0
_BODY: Final = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Mine?"}], "max_tokens": 1})


def revoked(context: Context, row: Row) -> None:
    """Two nodes of two workers over one Redis and one PostgreSQL; each round makes a key and revokes it."""
    rounds = 50 if context.quick else 1_000
    row.commands.append(
        f"POST /admin/v1/namespaces/acme/keys/…/revoke at one node, {rounds} times, 2 nodes × 2 workers"
    )
    with contextlib.ExitStack() as stack:
        server, base = Server(REDIS), Postgres()
        stack.callback(server.close)
        stack.callback(base.close)
        more = {"ledger": {"database": base.database("cluster")}, "access": {"failures": 0}}
        quota = Quota(accounts=1, tpm=10**9, rpm=10**8, ttft_ms=1.0)
        run = stack.enter_context(stage(context.work, Plan("revoked", _SHAPE, quota, url=server.url, more=more), []))
        admin = Admin(run.nodes)
        admin.ask("POST", "/namespaces", {"name": "acme"})
        asked_first = admin.each()
        lines = [line for node in run.nodes for line in stack.enter_context(_each_worker(node, admin.first_key()))]
        made, ended = [], []
        for number in range(rounds):
            name, key = admin.key(f"k{number}")
            made.append(max(_until(lines, key, 200, time.monotonic())))
            asked = time.monotonic()
            admin.ask("POST", f"/namespaces/acme/keys/{name}/revoke", {}, number)
            ended.append(max(_until(lines, key, 401, asked)))
        slowest = max(ended)
        late = sum(1 for one in ended if one >= _WITHIN_S)
        row.figures += [
            exactly("workers that were asked", len(lines), sum(_SHAPE)),
            below("a revoked key is refused by all of them after, slowest of all rounds", slowest, _WITHIN_S, "s",
                  f"median {1e3 * median(ended):.0f} ms, {rounds:,} rounds"),
            at_most("rounds that took longer", late, 0),
            told("before all rounds, the slowest node's first admin request took", f"{max(asked_first):.2f} s"),
            told("a new key is known to all after", f"{1e3 * median(made):.0f} ms", f"slowest {max(made):.2f} s"),
        ]  # fmt: skip


class Admin:
    """The admin API of every node in turn, with a token of the first one's."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        command = [gate.program(), "admin", "token", "--state-dir", str(nodes[0].config.parent / "state")]
        done = subprocess.run([*command, "-c", str(nodes[0].config)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotReady(done.stderr[-300:])
        self._token = done.stdout.split()[-1]

    def ask(self, method: str, path: str, body: Mapping[str, Any], turn: int = 0) -> Any:
        """One request of it at node `turn`; while its store is not ready, again. Raises `RuntimeError`."""
        node = self._nodes[turn % len(self._nodes)]
        limit = time.monotonic() + _PATIENCE_S
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        while True:
            with contextlib.closing(http.client.HTTPConnection(node.place.host, node.admin, timeout=10)) as line:
                line.request(method, f"/admin/v1{path}", json.dumps(body), headers)
                reply = line.getresponse()
                said = reply.read()
            if reply.status < 300:
                return json.loads(said) if said else None
            if reply.status != 503 or time.monotonic() > limit:
                raise RuntimeError(f"{method} {path}: {reply.status} {said[-200:]!r}")
            time.sleep(0.05)

    def each(self) -> list[float]:
        """Seconds that a look at the namespaces takes at each node: its first one finds an API that is being built.

        A node builds it when it hears that keys are managed, a second before it can be used. The rounds are about
        gates that run, so they begin when all of them are ready, as they begin when all workers are.
        """
        found = []
        for turn in range(len(self._nodes)):
            began = time.monotonic()
            self.ask("GET", "/namespaces", {}, turn)
            found.append(time.monotonic() - began)
        return found

    def key(self, name: str) -> tuple[str, str]:
        """A new one of the namespace, made at the first node: its whole name, and itself."""
        made = self.ask("POST", "/namespaces/acme/keys", {"name": name})
        return str(made["name"]), str(made["key"])

    def first_key(self) -> str:
        """For finding out who answers."""
        return self.key(f"who-{time.monotonic_ns()}")[1]


@dataclass(slots=True)
class Line:
    """A connection to one worker."""

    connection: http.client.HTTPConnection
    worker: int = -1

    def status(self, key: str) -> int:
        """Of a call with this key."""
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self.connection.request("POST", "/v1/chat/completions", _BODY, headers)
        reply = self.connection.getresponse()
        reply.read()
        self.worker = worker_of({name.lower(): value for name, value in reply.getheaders()})
        return reply.status


@contextlib.contextmanager
def _each_worker(node: Node, key: str) -> Iterator[list[Line]]:
    """A connection to each worker of a node: new ones until all were met. Raises `NotReady`."""
    found: dict[int, Line] = {}
    limit = time.monotonic() + _PATIENCE_S
    try:
        while len(found) < node.size:
            if time.monotonic() > limit:
                raise NotReady(f"{node.name}: only {len(found)} of {node.size} workers answer")
            line = Line(http.client.HTTPConnection(node.place.host, node.port, timeout=30))
            status = line.status(key)
            if status != 200 or line.worker in found:
                line.connection.close()
                continue
            found[line.worker] = line
        yield list(found.values())
    finally:
        for line in found.values():
            line.connection.close()


def _until(lines: Sequence[Line], key: str, status: int, began: float) -> list[float]:
    """Seconds since `began` until each of them answers so. Raises `RuntimeError`."""
    found = dict[int, float]()
    while len(found) < len(lines):
        for number, line in enumerate(lines):
            if number not in found and line.status(key) == status:
                found[number] = time.monotonic() - began
        if time.monotonic() > began + _PATIENCE_S:
            raise RuntimeError(f"{len(lines) - len(found)} workers do not answer {status} after {_PATIENCE_S:.0f} s")
    return list(found.values())
