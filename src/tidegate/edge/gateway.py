"""What the wire calls: who comes, with what, and who answers. How a call is served is `pipeline.py`'s."""

from typing import Final
from urllib.parse import unquote

from tidegate.edge import errors
from tidegate.edge.access.door import Turned
from tidegate.edge.access.memo import HeadMemo, memo_of
from tidegate.edge.access.proofs import Proofs
from tidegate.edge.access.reception import guest_of, introduced, unproven, welcome, welcome_signer
from tidegate.edge.access.signatures import Nonce
from tidegate.edge.idempotency.elsewhere import Elsewhere
from tidegate.edge.intake import Caller, Refusal, check_signed, tag_of
from tidegate.edge.models import model, models_list
from tidegate.edge.pipeline import Pipeline
from tidegate.edge.plans import unknown_model
from tidegate.edge.replies import Replies
from tidegate.edge.routes import MODEL_PREFIX, Match, Route, dialect_of, match
from tidegate.edge.runtime import Runtime as Runtime
from tidegate.line.line import Line
from tidegate.model.errors import Problem
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.codec import Dialect
from tidegate.providers.dialects import DIALECTS
from tidegate.wire.exchange import BUFFER, STREAM, Exchange, Intake

CALL: Final = Route.CALL
FORWARD: Final = Route.FORWARD
_STREAMED: Final = frozenset((FORWARD, Route.MODEL, Route.DESK))


class Gateway:
    """Fulfils `wire.exchange.Handler`. `runtime` is swapped on reload; calls in flight keep their plan."""

    __slots__ = ("_clock", "_observer", "draining", "pipeline", "proofs", "replies", "runtime")

    def __init__(
        self,
        runtime: Runtime,
        line: Line,
        clock: Clock,
        journal: Journal,
        observer: Observer,
        worker: int = 0,
    ) -> None:
        """Needs a running event loop. `worker` is its number among those that write into one ledger."""
        self.runtime = runtime
        self.draining = False
        self.replies = Replies(line, clock, journal, observer, worker)
        self.pipeline = Pipeline(line, self.replies, clock, observer)
        self.proofs: Proofs | None = None  # in a cluster: who knows which signatures were used elsewhere
        self._clock = clock
        self._observer = observer

    @property
    def open(self) -> int:
        """Calls whose record is not written."""
        return self.replies.open

    def share(self, elsewhere: Elsewhere, proofs: Proofs) -> None:
        """There are other workers, and what they share."""
        self.pipeline.share(elsewhere)
        self.proofs = proofs

    def review(self) -> None:
        """Who may call has changed: what is in flight ends with its key, where its namespace wants that."""
        self.replies.revoking.review(self.runtime.clients)

    def head(self, exchange: Exchange) -> Intake:
        """Refuse what needs no body; the rest is read whole when it is routed by its model, else as it arrives."""
        exchange.began = now = self._clock.now()
        try:
            caller = self._known(exchange)
            if caller is not None:
                door = self.runtime.door
                if caller.place is not None and door is not None:
                    door.again(caller.place, now)
                return BUFFER
            if welcome_signer(self.runtime, exchange, self._clock):
                return BUFFER
            found = self._match(exchange)
            dialect = _dialect(exchange, found)
            guest = welcome(self.runtime, exchange, found, dialect, now, self._clock.wall())
        except Turned as turned:
            self._turn_away(exchange, turned, _dialect(exchange, match(exchange.path)))
            return BUFFER
        if isinstance(guest, errors.Reply):
            memo_of(exchange).admit(None)
            self.replies.answer(exchange, guest)
        else:
            memo_of(exchange).admit(guest)
            if guest is not None and guest.digest is not None:
                return BUFFER  # its body belongs to what was signed
        return STREAM if found.route in _STREAMED else BUFFER

    def _turn_away(self, exchange: Exchange, turned: Turned, dialect: Dialect) -> None:
        self._observer.refused("", turned.word)
        self._refuse(exchange, turned.problem, dialect)

    def _refuse(self, exchange: Exchange, problem: Problem, dialect: Dialect) -> None:
        self.replies.answer(exchange, errors.of_problem(problem, dialect))

    def call(self, exchange: Exchange) -> None:
        """Answer the exchange, now or later."""
        caller = self._known(exchange)
        if caller is not None:
            self.pipeline.begin(self.runtime, exchange, caller)
            return
        proofs = self.proofs
        nonce = None if proofs is None else unproven(exchange)
        if proofs is None or nonce is None:
            self._admit(exchange)
        else:
            self.pipeline.beside(self._prove(exchange, proofs, nonce))

    async def _prove(self, exchange: Exchange, proofs: Proofs, nonce: Nonce) -> None:
        """Let in whose signature was not used at another worker."""
        try:
            await proofs.use(nonce)
        except Turned as turned:
            self._turn_away(exchange, turned, _dialect(exchange, match(exchange.path)))
        else:
            self._admit(exchange)

    def _admit(self, exchange: Exchange) -> None:
        """Answer who was let in, by what is asked for."""
        found = self._match(exchange)
        try:
            caller = self._routed(exchange, found)
        except Turned as turned:
            self._turn_away(exchange, turned, _dialect(exchange, found))
        except Refusal as error:
            self._refuse(exchange, error.problem, _dialect(exchange, found))
        else:
            if caller is not None:
                self.pipeline.begin(self.runtime, exchange, caller)

    def _routed(self, exchange: Exchange, found: Match) -> Caller | None:
        """Who calls; None where it is no call, and is answered. Raises `Turned` and `Refusal`."""
        route = found.route
        if route is Route.MODELS or route is Route.MODEL:
            return self._models(exchange, found)
        if route is Route.DESK:
            guest = guest_of(self.runtime, exchange, self._clock.now(), self._clock.wall())
            check_signed(guest, exchange.body)
            self.pipeline.jobs.pass_on(exchange, guest.client, tag_of(exchange), _dialect(exchange, found))
            return None
        if route is CALL or route is FORWARD:
            return introduced(self.runtime, exchange, found, self._clock.now(), self._clock.wall())
        if route is Route.READY and self.draining:
            exchange.respond(503, errors.JSON, b'{"status":"draining"}')
        else:
            exchange.respond(200, errors.JSON, b'{"status":"ok"}')
        return None

    def _models(self, exchange: Exchange, found: Match) -> Caller | None:
        """The gate's own names, as far as the key may use them; the rest is the providers' business."""
        dialect, names = _dialect(exchange, found), self.runtime.book.models
        now, wall = self._clock.now(), self._clock.wall()
        allowed = guest_of(self.runtime, exchange, now, wall).client.models
        if found.route is Route.MODELS:
            own = names if allowed is None else allowed.of(names)
            exchange.respond(200, errors.JSON, models_list(own, dialect.name))
            return None
        name = unquote(exchange.path[len(MODEL_PREFIX) :].decode("latin-1"))
        reads = exchange.method in (b"GET", b"HEAD")
        if reads and name in names and (allowed is None or allowed.allow(name)):
            exchange.respond(200, errors.JSON, model(name, dialect.name))
            return None
        if reads and allowed is not None:
            raise unknown_model(name)
        return introduced(self.runtime, exchange, found, now, wall)

    def _match(self, exchange: Exchange) -> Match:
        return match(exchange.path, patient=self.pipeline.takes_jobs(self.runtime))

    def _known(self, exchange: Exchange) -> Caller | None:
        """Who has sent this same head before, under this runtime."""
        memo = exchange.alike.note
        caller = memo.caller if isinstance(memo, HeadMemo) else None
        if caller is None or caller.mark is not self.runtime.mark:
            return None
        return caller if not caller.until_us or caller.until_us > self._clock.wall() else None

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The body of an error that the wire itself answers."""
        return errors.of_wire(status, code, message, DIALECTS[dialect_of(path, match(path).kind, None)])


def _dialect(exchange: Exchange, found: Match) -> Dialect:
    """Which maker's words the client understands."""
    return DIALECTS[dialect_of(exchange.path, found.kind, exchange.header(b"anthropic-version"))]
