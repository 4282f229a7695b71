"""Parts in etcd ≥ 3.4, by the JSON gateway of its v3 API: transactions are linearizable and go through a quorum.

Source: etcd.io/docs, "gRPC gateway" and "API guarantees". Keys and values are base64, numbers are strings. Members are
asked one after the other until one answers; what was asked may then have been done twice, which is harmless: a put of
the same news, or a swap whose second try finds another revision.
"""

import asyncio
import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

from tidegate.model.region_url import Etcd as Place
from tidegate.regions.store import StoreAway, View

_TXN: Final = "/v3/kv/txn"
_LOGIN: Final = "/v3/auth/authenticate"
_MOST: Final = 64 * 1024 * 1024


class EtcdStore:
    """`Store`. One connection, in a thread; one call at a time."""

    __slots__ = ("_connection", "_lock", "_next", "_place", "_prefix", "_timeout_s", "_tls", "_token")

    def __init__(self, place: Place, prefix: str, timeout_us: int) -> None:
        """Raises `OSError` for authorities that cannot be read."""
        self._place = place
        self._prefix = f"{prefix}/regions/".encode()
        self._timeout_s = timeout_us / 1e6
        self._tls = ssl.create_default_context(cafile=place.authorities or None) if place.tls else None
        self._connection: http.client.HTTPConnection | None = None
        self._next = 0
        self._token = ""
        self._lock = asyncio.Lock()

    async def exchange(self, puts: Mapping[str, bytes]) -> View:
        wanted = [{"request_put": {"key": self._key(key), "value": _text(value)}} for key, value in puts.items()]
        end = self._prefix[:-1] + bytes([self._prefix[-1] + 1])
        every = {"request_range": {"key": _text(self._prefix), "range_end": _text(end)}}
        said = await self._ask({"success": [*wanted, every]})
        try:
            found = said["responses"][-1]["response_range"].get("kvs", [])
            items = {self._name(row["key"]): (int(row["mod_revision"]), _bytes(row.get("value", ""))) for row in found}
            return View(int(said["header"]["revision"]), items)
        except (KeyError, IndexError, TypeError, ValueError):
            raise StoreAway("the store's answer is not etcd's") from None

    async def swap(self, key: str, revision: int, value: bytes) -> bool:
        return await self._if(key, revision, {"request_put": {"key": self._key(key), "value": _text(value)}})

    async def drop(self, key: str, revision: int) -> bool:
        return await self._if(key, revision, {"request_delete_range": {"key": self._key(key)}})

    async def close(self) -> None:
        async with self._lock:
            self._hang_up()

    async def _if(self, key: str, revision: int, then: dict[str, Any]) -> bool:
        same = {"key": self._key(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}
        return bool((await self._ask({"compare": [same], "success": [then]})).get("succeeded"))

    def _key(self, key: str) -> str:
        return _text(self._prefix + key.encode())

    def _name(self, key: str) -> str:
        return _bytes(key)[len(self._prefix) :].decode()

    async def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        async with self._lock:
            return await asyncio.to_thread(self._posted, json.dumps(body).encode())

    def _posted(self, body: bytes) -> dict[str, Any]:
        """In a thread: ask members in turn. Raises `StoreAway`."""
        reason = ""
        for _ in self._place.hosts:
            try:
                if self._place.user and not self._token:
                    self._login()
                status, said = self._post(_TXN, body)
                if status == http.client.UNAUTHORIZED and self._place.user:
                    self._login()
                    status, said = self._post(_TXN, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = str(error) or type(error).__name__
            else:
                if status == http.client.OK:
                    return said
                reason = str(said.get("message") or said.get("error") or f"HTTP {status}")
            self._hang_up()
            self._next += 1
        raise StoreAway(reason)

    def _login(self) -> None:
        body = {"name": self._place.user, "password": self._place.password}
        status, said = self._post(_LOGIN, json.dumps(body).encode())
        if status != http.client.OK:
            raise StoreAway(f"user or password is refused (HTTP {status})")
        self._token = str(said["token"])

    def _post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        line = self._connection
        if line is None:
            host, port = self._place.hosts[self._next % len(self._place.hosts)]
            if self._tls is not None:
                line = http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
            else:
                line = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
            self._connection = line
        headers = {"content-type": "application/json"} | ({"authorization": self._token} if self._token else {})
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            said = json.loads(answer.read(_MOST))
        except BaseException:
            line.close()
            raise
        if not isinstance(said, dict):
            raise StoreAway("the store's answer is not etcd's")
        return answer.status, said

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
