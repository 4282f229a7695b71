"""The twin as the referee reads it: its log and its books, over HTTP as anybody could."""

from typing import Any

import msgspec

from tidegate.load.client import FetchError, fetch
from tidegate.load.driver import Target
from tidegate.ports import Clock, Transport, TransportError

_PATIENCE_US = 30_000_000
_EMPTY = {"calls": 0, "served": 0, "throttled": 0, "avoidable": 0, "charged_tokens": 0, "billed_tokens": 0}


class Provider:
    """One twin. Raises `FetchError` where it does not answer."""

    def __init__(self, transport: Transport, clock: Clock, origin: str) -> None:
        self._transport = transport
        self._clock = clock
        self._target = Target(origin + "/twin")

    async def get(self, path: str) -> Any:
        """What `GET /twin/PATH` says."""
        return msgspec.json.decode(await fetch(self._transport, self._target, f"/{path}", self._clock))

    async def post(self, path: str, body: Any) -> Any:
        """What `POST /twin/PATH` says."""
        head, deadline = self._target.head("POST", f"/{path}"), self._clock.now() + _PATIENCE_US
        try:
            reply = await self._transport.send(head, msgspec.json.encode(body), stream=False, deadline=deadline)
        except TransportError as error:
            raise FetchError(f"the twin cannot be asked: {error}") from error
        if reply.status != 200:
            raise FetchError(f"the twin refuses {path}: {reply.body[:200].decode('utf-8', 'replace')}")
        return msgspec.json.decode(reply.body)

    async def reset(self) -> None:
        """Empty books and full windows."""
        await self.post("reset", {})

    async def faults(self, rules: list[dict[str, Any]]) -> None:
        """These, and no others."""
        await self.post("faults", {"rules": rules})

    async def books(self, model: str) -> dict[str, Any]:
        """The sums of a model."""
        found: dict[str, Any] = (await self.get("ledger?by_key=0&per_second=0"))["by_model"].get(model, {})
        return _EMPTY | found

    async def events(self, model: str) -> list[list[Any]]:
        """Every admission and refusal of a model: `[at_us, key, model, user, tokens, label]`."""
        found: list[list[Any]] = []
        while page := (await self.get(f"events?after={len(found)}"))["events"]:
            found += page
        return [row for row in found if row[2] == model]

    async def calls(self, model: str) -> list[dict[str, Any]]:
        """Of the last two thousand calls those of a model, oldest first."""
        return [row for row in await self.get("calls?limit=2000") if row["model"] == model]
