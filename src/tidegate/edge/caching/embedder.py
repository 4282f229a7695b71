"""Questions embedded by a model of the configuration: a call of the gate's own, for the tenant whose question it is."""

import asyncio
from array import array
from collections.abc import Callable
from typing import Final

import msgspec

from tidegate.edge import spending
from tidegate.edge.pipeline import Pipeline
from tidegate.edge.request import Request
from tidegate.edge.runtime import Runtime
from tidegate.line.plan import Plan
from tidegate.model.call import Call, Kind
from tidegate.policy.quota.estimate import measure
from tidegate.ports import Clock
from tidegate.providers.answers.inputs import vectors
from tidegate.providers.dialects import CODECS, OPENAI

EMBEDDING: Final = Kind.EMBEDDING
LONGEST: Final = 8_192  # characters of a question; a longer one is not compared
_JSON: Final = b"content-type: application/json\r\n"
_floats = msgspec.json.Decoder(list[float]).decode


class ModelEmbedder:
    """It is governed as any call: by the model's quota and the tenant's limits, and it is in the ledger."""

    __slots__ = ("_clock", "_pipeline", "_runtime", "budget_us", "model")

    def __init__(
        self, runtime: Callable[[], Runtime], pipeline: Pipeline, clock: Clock, model: str, budget_us: int
    ) -> None:
        """`runtime`: as it is now."""
        self._runtime = runtime
        self._pipeline = pipeline
        self._clock = clock
        self.model = model
        self.budget_us = budget_us

    async def vector(self, request: Request, text: str) -> bytes:
        """Its embedding as float32, little-endian; b"" when there is none within the budget."""
        plan = self._runtime().book.plan(self.model, OPENAI)
        if plan is None or len(text) > LONGEST:
            return b""
        call = self._call(request, text)
        if request.caller.limits is not None and not await self._granted(call, plan, request):
            return b""
        answered = await self._pipeline.aside(call, plan)
        if answered is None or answered.status != 200:
            return b""
        if answered.lane.service.name != plan.targets[0].provider or answered.lane.model != plan.targets[0].model:
            return b""  # a fallback's vectors are near to nothing
        try:
            found = array("f", _floats(vectors(answered.body)[0]))
        except (ValueError, OverflowError):
            return b""
        return found.tobytes()

    async def _granted(self, call: Call, plan: Plan, request: Request) -> bool:
        """Whether its tenant's own limits allow it."""
        limits, job, clock = request.caller.limits, request.call.job, self._clock
        if limits is None:
            return True
        problem = spending.grant(call, plan, limits, call.arrived, clock.wall(), job)
        if problem is not None and limits.joined:
            problem = await spending.gathered(call, plan, limits, clock, asyncio.get_running_loop(), job)
        return problem is None

    def _call(self, request: Request, text: str) -> Call:
        body = msgspec.json.encode({"model": self.model, "input": text, "encoding_format": "float"})
        asked, caller, now = CODECS[EMBEDDING].read(body), request.caller, self._clock.now()
        return Call(
            self._pipeline.replies.ids.next(),
            now,
            min(request.call.deadline, now + self.budget_us),
            caller.client,
            EMBEDDING,
            b"POST",
            b"/embeddings",
            _JSON,
            body,
            asked.shape,
            measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images),
            False,
            caller.tenant,
            OPENAI,
            "",
            caller.user,
            caller.tag,
        )
