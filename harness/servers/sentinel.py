"""A primary with a replica, and three sentinels that watch them and put the replica in its place."""

import contextlib
from typing import Final

import redis

from harness.ports import free_port
from harness.servers.redis import REDIS, Server, Several, until

NAME: Final = "quota"
DOWN_MS: Final = 1_000  # without an answer for so long a sentinel calls the primary down
_QUORUM: Final = 2


class Sentinels(Several):
    """Five processes on 127.0.0.1. `url` names the sentinels, not the servers."""

    def __init__(self) -> None:
        """Returns when the sentinels know the replica and each other. Raises `NotReady`."""
        super().__init__()
        try:
            self.primary = self._server()
            self.replica = self._server("--replicaof", f"127.0.0.1 {self.primary.port}")
            self.sentinels = [self._sentinel() for _ in range(3)]
            until(self._all_known, "the sentinels do not know each other")
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{places}/{NAME}/0"

    def leader(self) -> int:
        """The port of the primary that the sentinels name now, 0 = none."""
        for one in self.sentinels:
            with contextlib.suppress(redis.RedisError, OSError):
                return int(one.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])
        return 0

    def lag_bytes(self) -> int:
        """How many bytes of the primary's stream the replica has not acknowledged."""
        found = self.primary.info("replication")
        offset = int(found["master_repl_offset"])
        return offset - max((int(row["offset"]) for key, row in found.items() if key.startswith("slave")), default=0)

    def _server(self, *options: str) -> Server:
        return self._kept(Server(REDIS, "--repl-diskless-sync-delay", "0", *options))

    def _sentinel(self) -> Server:
        return self._kept(Sentinel(self.primary.port))

    def _all_known(self) -> bool:
        for one in self.sentinels:
            found = dict(_pairs(one.command("SENTINEL", "MASTER", NAME)))
            if found.get("num-slaves") != "1" or found.get("num-other-sentinels") != "2":
                return False
        return self.replica.info("replication").get("master_link_status") == "up"


class Sentinel(Server):
    """It keeps its own file up to date, and takes everything from there."""

    def __init__(self, watched: int) -> None:
        self._watched = watched
        super().__init__(REDIS, port=free_port())

    def _words(self) -> list[str]:
        file = self.home / "sentinel.conf"
        if not file.exists():
            lines = [
                f"port {self.port}",
                "bind 127.0.0.1",
                f"dir {self.home}",
                f"sentinel monitor {NAME} 127.0.0.1 {self._watched} {_QUORUM}",
                f"sentinel down-after-milliseconds {NAME} {DOWN_MS}",
                f"sentinel failover-timeout {NAME} 6000",
            ]
            file.write_text("\n".join(lines) + "\n")
        return [str(file), "--sentinel"]


def _pairs(found: object) -> list[tuple[str, str]]:
    if isinstance(found, dict):
        return [(str(name), str(value)) for name, value in found.items()]
    assert isinstance(found, list)
    return list(zip(found[::2], found[1::2], strict=True))
