"""A Redis Cluster of three primaries with a replica each, made by its own commands: nobody is asked anything."""

from typing import Final

import redis

from harness.ports import free_port
from harness.servers.redis import REDIS, Server, Several, until

SLOTS: Final = 16_384
PRIMARIES: Final = 3
TIMEOUT_MS: Final = 1_000  # a node that is silent for so long is called failed


class Slots(Several):
    """Six processes on 127.0.0.1; `nodes[n]` and `nodes[n + 3]` begin as primary and replica of the same slots."""

    def __init__(self) -> None:
        """Returns when all slots are served and each primary has its replica. Raises `NotReady`."""
        super().__init__()
        self.nodes: list[Server] = []
        try:
            for _ in range(2 * PRIMARIES):
                self.nodes.append(self._node())
            self._meet()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{one.port}' for one in self.nodes)}"

    def primaries(self) -> list[Server]:
        """Those that serve slots now."""
        return [one for one in self.nodes if _role(one) == "master"]

    def whole(self) -> bool:
        """Do all that live say that all slots are served?"""
        living = [one for one in self.nodes if one.process is not None and one.process.poll() is None]
        return all("cluster_state:ok" in str(one.command("CLUSTER", "INFO")) for one in living)

    def _node(self) -> Server:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(TIMEOUT_MS), "--cluster-port")
        return self._kept(Server(REDIS, *options, str(free_port()), "--repl-diskless-sync-delay", "0"))

    def _meet(self) -> None:
        first = self.nodes[0]
        step = SLOTS // PRIMARIES + 1
        for number, one in enumerate(self.nodes[:PRIMARIES]):
            last = min(SLOTS, (number + 1) * step) - 1
            one.command("CLUSTER", "ADDSLOTSRANGE", number * step, last)
        for epoch, one in enumerate(self.nodes, 1):
            one.command("CLUSTER", "SET-CONFIG-EPOCH", epoch)  # or all have the same, which takes them long to mend
        for one in self.nodes[1:]:
            first.command("CLUSTER", "MEET", "127.0.0.1", one.port, _bus(one))
        until(self._acquainted, "the cluster's nodes do not know each other")
        for number, one in enumerate(self.nodes[PRIMARIES:]):
            one.command("CLUSTER", "REPLICATE", self.nodes[number].command("CLUSTER", "MYID"))
        until(self._followed, "the cluster's replicas do not follow")
        until(self.whole, "the cluster does not serve all slots")

    def _acquainted(self) -> bool:
        return all(_known(one) == len(self.nodes) for one in self.nodes)

    def _followed(self) -> bool:
        return all(one.info("replication").get("master_link_status") == "up" for one in self.nodes[PRIMARIES:])


def _known(one: Server) -> int:
    found = one.command("CLUSTER", "NODES")
    rows = found if isinstance(found, dict) else str(found).strip().splitlines()
    return len(rows) if "handshake" not in str(found) else 0


def _bus(one: Server) -> int:
    return int(one.command("CONFIG", "GET", "cluster-port")["cluster-port"])


def _role(one: Server) -> str:
    try:
        return str(one.info("replication")["role"])
    except (redis.RedisError, OSError):
        return ""
