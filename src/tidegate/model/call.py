"""The record of one request, from its arrival to its end.

It is read some sixty times a call: no msgspec struct, so that compiled code reaches its fields without looking them up.
"""

from typing import Final

from tidegate.model.facts import Try
from tidegate.model.parts import Attempt as Attempt
from tidegate.model.parts import Billing as Billing
from tidegate.model.parts import BodySource as BodySource
from tidegate.model.parts import Grant as Grant
from tidegate.model.parts import Keeping as Keeping
from tidegate.model.parts import Kind as Kind
from tidegate.model.story import Step
from tidegate.model.tenant import NOBODY, Tenant


class Size:
    """A measured prompt: its kind of text, its weight, and the tokens that are known without a ratio.

    Nobody changes one.
    """

    __slots__ = ("fixed", "kind", "weight")

    def __init__(self, kind: int = 0, weight: int = 0, fixed: int = 0) -> None:
        self.kind = kind
        self.weight = weight
        self.fixed = fixed


class Shape:
    """The few things of a body that are routed on."""

    __slots__ = ("images", "model", "output", "stream", "tools", "wants_usage")

    def __init__(
        self,
        model: str,
        stream: bool = False,
        output: int = 0,
        tools: bool = False,
        images: bool = False,
        wants_usage: bool = True,
    ) -> None:
        """`output` is the most new tokens it may produce, 0 = not stated."""
        self.model = model
        self.stream = stream
        self.output = output
        self.tools = tools
        self.images = images
        self.wants_usage = wants_usage  # the client asked for usage in the stream


_UNMEASURED: Final = Size()


class Call:
    """Who asks what, until when, and what has been tried. Times are the clock's microseconds."""

    __slots__ = (
        "account", "affinity", "answer_bytes", "arrived", "asking", "attempts", "bill", "body", "cache", "clamp",
        "client", "client_retry", "closed", "continued", "deadline", "degraded", "dialect", "dropped", "forward",
        "grant", "head_us", "hops", "id", "job", "keeping", "kind", "last_at", "left", "method", "on_cut", "path",
        "prefix", "queued_us", "read_us", "request", "reserved", "rung", "shape", "size", "smoothed", "span", "spent",
        "stale", "story", "tag", "tenant", "trace", "tries", "user", "waited_us",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - once a call: a record would be one more object
        self,
        id: int,  # noqa: A002 - the field's word
        arrived: int,
        deadline: int,
        client: str,
        kind: Kind,
        method: bytes,
        path: bytes,
        forward: bytes,
        body: bytes | BodySource,
        shape: Shape,
        size: Size = _UNMEASURED,
        client_retry: bool = False,
        tenant: Tenant = NOBODY,
        dialect: str = "openai",
        on_cut: str = "",
        user: str = "",
        tag: str = "",
        job: str = "",
    ) -> None:
        # What is asked. Who may write it after intake stands in tests/structure/test_asked.py.
        self.id = id
        self.arrived = arrived
        self.deadline = deadline
        self.client = client
        self.kind = kind
        self.method = method
        self.path = path  # below the provider's base URL, with the query: b"/chat/completions"
        self.forward = forward  # header lines that go to the provider as they are
        self.body = body
        self.shape = shape
        self.size = size
        self.client_retry = client_retry
        self.tenant = tenant
        self.dialect = dialect  # what the client speaks
        self.on_cut = on_cut  # what its client wants of a stream that is cut; "" = as its plan says
        self.user = user  # of its tenant, "" = none
        self.tag = tag  # the client's own words for what it is for
        self.job = job  # that it is the call of, and its fence: ID#FENCE; "" = its client waits for it
        self.affinity = 0  # digest of its session, or of what its prompt begins with; 0 = not wanted
        self.prefix = 0  # digest of what its prompt begins with; 0 = not wanted
        self.trace = self.request = ""  # as its client named it: `traceparent`, `x-request-id`
        # Whom its end concerns.
        self.grant: Grant | None = None  # what its tenant may spend on it, where that is bounded
        self.keeping: Keeping | None = None  # where its answer may be kept
        self.bill: Billing | None = None  # who waits for its record
        # How far it has come.
        self.read_us = 0  # until it was read
        self.cache = ""  # what the cache had to say, "" = it was not asked
        self.stale = False  # there is an answer whose time is over
        self.queued_us = self.waited_us = 0  # in the FIFO; back-off and smoothing
        self.smoothed = False
        self.rung = 0  # steps of the ladder that it has come down
        self.clamp = 0  # the most new tokens that it is allowed now; 0 = as it asked
        self.degraded: tuple[str, ...] = ()  # what it was given less of, to be served at all
        self.attempts: list[Attempt] = []
        self.tries: list[Try] = []  # as the ledger keeps them
        self.asking = 0  # attempts that run
        self.last_at = 0  # monotonic, when its last attempt was sent
        self.hops = 0  # attempts whose provider was told of the trace
        self.spent = 0  # tokens charged by attempts that brought no answer
        self.story: list[Step] | None = None  # what happened besides the obvious; None = nothing did
        self.continued = False  # its last message is the beginning of the answer
        self.left = False  # its client left, and what runs is the last attempt
        self.closed = False  # its record is written
        # Of the attempt that was answered.
        self.account = self.span = ""  # fingerprint of its key, its name in the trace
        self.head_us = 0  # until its head came
        self.reserved = 0  # tokens that it was charged before it left
        self.dropped: tuple[str, ...] = ()  # fields that the provider's dialect cannot say
        self.answer_bytes = 0
