"""Shadow traffic: what a client has been answered is asked of a candidate, too, and the answers are compared.

It begins when the client has its whole reply and the call its record, so the client can neither wait for it nor fail by
it. Its money is a budget like a namespace's: held before it is spent, kept over restarts, shared by a cluster.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import msgspec

from tidegate.edge import spending
from tidegate.edge.access.principals import Limiting
from tidegate.edge.bodies import CapturePolicy, Witness
from tidegate.line.plan import Plan, Shadow
from tidegate.model.bodies import BodyPolicy, Sample
from tidegate.model.call import Call, Kind
from tidegate.model.entitlements import Allowance, ClientKey, Namespace
from tidegate.model.facts import CallRecord
from tidegate.model.shadow import ANSWERED, FAILED, UNASKED, Compared
from tidegate.model.tenant import BATCH, Tenant
from tidegate.policy.drills.agree import Said, agreement
from tidegate.policy.quota.estimate import measure
from tidegate.policy.sampling import sampled
from tidegate.ports import Clock
from tidegate.providers.answers.finish import finish
from tidegate.providers.codec import BadRequest
from tidegate.providers.dialects import CODECS
from tidegate.wire.exchange import Exchange

if TYPE_CHECKING:
    from tidegate.edge.pipeline import Pipeline
    from tidegate.edge.sink import Sink

_log = logging.getLogger(__name__)

MOST: Final = 262_144  # bytes of a request, and of an answer; calls with more are left alone
KINDS: Final = (Kind.CHAT, Kind.MESSAGES)
_OK: Final = 200
_HEAR: Final = BodyPolicy(1_000_000, max_bytes=MOST)
_FORWARD: Final = b"content-type: application/json\r\n"


class Bill:
    """Remembers the record of a call. Fulfils `model.parts.Billing`."""

    __slots__ = ("record",)

    def __init__(self) -> None:
        self.record: CallRecord | None = None

    def booked(self, record: CallRecord) -> None:
        """It stands in the journal."""
        self.record = record


class Heard(Bill):
    """A call of the sample while its client is answered. It does not refer to the call, which refers to it.

    Fulfils `edge.bodies.BodyLog`.
    """

    __slots__ = ("dialect", "kind", "shadow", "shadows")

    def __init__(self, shadows: "Shadows", shadow: Shadow, call: Call) -> None:
        super().__init__()
        self.shadows = shadows
        self.shadow = shadow
        self.kind = call.kind
        self.dialect = call.dialect

    def append(self, sample: Sample, secret: bytes) -> None:
        """The client has its reply."""
        record, candidate = self.record, self.shadow.policy.model
        if record is None or record.status != _OK or not sample.complete or sample.answer_bytes > MOST:
            return
        if record.target.partition("/")[2].partition("/")[2] != candidate:  # else it would be compared with itself
            self.shadows.begin(self, record, sample)


class Shadows:
    """One a worker."""

    __slots__ = ("_clock", "_limiting", "_pipeline", "_running")

    def __init__(self, pipeline: "Pipeline", clock: Clock, limiting: Limiting) -> None:
        """`limiting` says what a namespace may spend."""
        self._pipeline = pipeline
        self._clock = clock
        self._running: dict[str, int] = {}
        self._limiting = limiting

    def watch(self, out: "Sink", call: Call, shadow: Shadow, asked: Exchange) -> "Sink":
        """Who stands for `out` while the call is served: itself, where the call is not of the sample."""
        if call.kind not in KINDS or len(asked.body) > MOST or not sampled(call.id, shadow.policy.ppm):
            return out
        heard = Heard(self, shadow, call)
        call.bill = heard
        return Witness(out, CapturePolicy(_HEAR, heard, self._clock.wall), call, asked, chosen=True)

    def begin(self, heard: Heard, record: CallRecord, sample: Sample) -> None:
        """Ask the candidate the same, unless enough are asked already."""
        name, running = heard.shadow.plan.name, self._running
        busy = running.get(name, 0)
        if busy < heard.shadow.policy.concurrent:
            running[name] = busy + 1
            self._pipeline.beside(self._follow(heard, record, sample))

    async def _follow(self, heard: Heard, record: CallRecord, sample: Sample) -> None:
        """All of it, and its end, whatever comes."""
        running, name = self._running, heard.shadow.plan.name
        try:
            compared = await self._compared(heard, record, sample)
        finally:
            running[name] -= 1
            if not running[name]:
                del running[name]
        if compared is not None:
            self._pipeline.replies.compared(compared)

    async def _compared(self, heard: Heard, record: CallRecord, sample: Sample) -> Compared | None:
        """None: the request is none that can be asked again."""
        policy, plan = heard.shadow.policy, heard.shadow.plan
        call = self._call(heard, plan, sample.request)
        if call is None:
            return None
        bill = call.bill = Bill()
        answered = await self._pipeline.aside(call, plan) if await self._granted(call, heard.shadow) else None
        cost, asked = bill.record, bill.record is not None and bool(bill.record.target or bill.record.tries)
        state, body = UNASKED if not asked else FAILED, b""
        if answered is not None and answered.status == _OK and answered.splice is None:
            state, body = ANSWERED, answered.body
        one, other = _said(heard.kind, sample.answer, streamed=record.streamed), _said(heard.kind, body)
        alike = agreement(one, other, policy.compare) if state == ANSWERED else 0
        return Compared(
            record.call_id,
            call.id if cost is not None else 0,
            self._clock.wall(),
            record.plan,
            policy.model,
            state,
            alike,
            state == ANSWERED and alike >= policy.agrees_permille,
            _lasted(record),
            0 if cost is None or state != ANSWERED else _lasted(cost),
            record.cost_nano,
            0 if cost is None else cost.cost_nano,
            len(one.text),
            len(other.text) if state == ANSWERED else 0,
        )

    async def _granted(self, call: Call, shadow: Shadow) -> bool:
        """Whether the day's money pays for it."""
        name, clock = shadow.plan.name, self._clock
        space = Namespace(name, allowance=Allowance(nano_day=shadow.policy.nano_day))
        limits = self._limiting(space, None, ClientKey(name, b""))
        if limits is None:
            return False
        problem = spending.grant(call, shadow.plan, limits, call.arrived, clock.wall())
        if problem is not None and limits.joined:
            problem = await spending.gathered(call, shadow.plan, limits, clock, asyncio.get_running_loop())
        return problem is None

    def _call(self, heard: Heard, plan: Plan, request: bytes) -> Call | None:
        """The same request, asked for a whole answer by nobody's tenant."""
        codec, now, name = CODECS[heard.kind], self._clock.now(), plan.name
        try:
            body = _whole(request, heard.shadow.policy.model)
            asked = codec.read(body)
        except (msgspec.DecodeError, BadRequest):
            return None
        size = measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images)
        return Call(
            self._pipeline.replies.ids.next(), now, now + plan.deadline_us, name, heard.kind, b"POST", codec.path,
            _FORWARD, body, asked.shape, size, tenant=Tenant(name, BATCH), dialect=heard.dialect, tag=name,
        )  # fmt: skip


def _whole(request: bytes, model: str) -> bytes:
    """The request for the candidate, without its wish for a stream."""
    fields = msgspec.json.decode(request, type=dict[str, msgspec.Raw])
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    fields.pop("stream", None)
    fields.pop("stream_options", None)
    return msgspec.json.encode(fields)


def _said(kind: Kind, body: bytes, *, streamed: bool = False) -> Said:
    ended = finish(kind, body, streamed=streamed)
    return Said(ended.text, ended.ended)


def _lasted(record: CallRecord) -> int:
    return max(0, record.duration_us - record.queued_us - record.waited_us)
