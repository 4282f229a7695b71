"""OpenAI's dialect: authenticate, decode, strike, admit, answer. One straight line for every governed endpoint."""

from typing import Final

from tidegate.twin import answers, embeddings, headers, problems
from tidegate.twin.answers import Answer
from tidegate.twin.calls import Call
from tidegate.twin.delivery import Stream, Unary
from tidegate.twin.directory import Seat
from tidegate.twin.faults import Rule
from tidegate.twin.meter import Refusal
from tidegate.twin.problems import Problem
from tidegate.twin.prompt_cache import Prefix, prefixes
from tidegate.twin.replies import Replies
from tidegate.twin.requests import Ask, Parser
from tidegate.twin.scripts import Script
from tidegate.twin.service import Service
from tidegate.twin.settings import Organisation
from tidegate.twin.state import State
from tidegate.twin.windows import SECOND
from tidegate.wire.exchange import Exchange

CHAT: Final = "/chat/completions"
TEXT: Final = "/completions"
EMBEDDING: Final = "/embeddings"


class OpenAI:
    """The governed endpoints."""

    __slots__ = ("_parsers", "_replies", "_state")

    def __init__(self, state: State, replies: Replies) -> None:
        self._state = state
        self._replies = replies
        parser = Parser(state.settings.models)
        self._parsers = {CHAT: parser.chat, TEXT: parser.text, EMBEDDING: parser.embedding}

    def answer(self, exchange: Exchange, call: Call, owner: Organisation, endpoint: str) -> None:
        """Answer one call whose key is known."""
        state = self._state
        try:
            ask = self._parsers[endpoint](exchange.body)
            prompt = ask.extra + state.tokenizer.count(ask.texts)
            if prompt > ask.model.context * max(1, ask.inputs):
                raise problems.too_long(ask.model.context, prompt)
        except Problem as problem:
            state.directory.ledger.stray.called()
            self._replies.problem(exchange, call, problem)
            return
        seat = state.directory.seat(call.key, owner, ask.model.name, call.arrived_at)
        seat.entry.called()
        cacheable = self._cacheable(ask, prompt)
        cached = state.cache.read(owner.name, ask.model.name, cacheable, call.arrived_at) if cacheable else 0
        free = cached if state.settings.rules.cached_reads == "free" else 0
        _note(call, ask, prompt, state.charge(prompt - free, ask.max_tokens, ask.n))
        call.cached_tokens = cached
        rule = state.faults.hit(call)
        if rule is not None:
            call.fault = rule.fault
            if rule.replaces and not rule.charged:
                self._replies.fault(exchange, call, rule, seat)
                return
        refusal = seat.meter.admit(call.key, call.charged_tokens, call.arrived_at)
        if refusal is not None:
            self._refuse(exchange, call, seat, refusal, rule)
            return
        state.note(call)
        if cacheable:
            state.cache.write(owner.name, ask.model.name, cacheable, call.arrived_at)
            seat.entry.cached(cached)
        self._serve(exchange, call, seat, ask, endpoint, rule)

    def _cacheable(self, ask: Ask, prompt: int) -> list[Prefix]:
        rules = self._state.settings.rules
        if rules.cached_reads == "off" or prompt < rules.cache_least_tokens:
            return []
        return prefixes(ask.texts, self._state.tokenizer.count, rules.cache_least_tokens)

    def _refuse(self, exchange: Exchange, call: Call, seat: Seat, refusal: Refusal, rule: Rule | None) -> None:
        seat.entry.throttled(avoidable=refusal.label == "avoidable")
        seat.meter.shown(call.key, seat.meter.version, self._state.clock.now())
        call.label = refusal.label
        self._state.note(call)
        call.charged_tokens = 0
        limits = self._replies.limits(seat, call.arrived_at, refusal)
        told = b"" if self._state.settings.rules.hide_headers else headers.retry(refusal)
        head = self._replies.lie(self._head(call, seat, limits) + told, rule, 429)
        self._replies.send(exchange, call, 429, head, problems.limited(refusal, call.model, call.organisation))

    def _serve(
        self, exchange: Exchange, call: Call, seat: Seat, ask: Ask, endpoint: str, rule: Rule | None
    ) -> None:  # fmt: skip
        state = self._state
        if rule is not None and rule.replaces:
            seat.entry.charged(call.charged_tokens, call.arrived_at)
            self._replies.fault(exchange, call, rule, seat)
            return
        service = Service(call, seat, call.arrived_at)
        limits = self._replies.limits(seat, call.arrived_at)
        answer = self._draw(ask)
        head = self._replies.lie(self._head(call, seat, limits, answer, stream=ask.stream), rule, 200)
        if endpoint == EMBEDDING:
            body = embeddings.unary(
                ask.texts, ask.inputs, ask.dimensions, call.model, call.prompt_tokens, base64=ask.base64
            )
            Unary(exchange, service, state.pace, answer, head, rule, body).begin(call.arrived_at, _delay(rule))
            return
        script = self._script(call, ask, answer, chat=endpoint == CHAT)
        if ask.stream:
            Stream(exchange, service, state.pace, answer, head, rule, script).begin(call.arrived_at, _delay(rule))
        else:
            body = script.unary()
            Unary(exchange, service, state.pace, answer, head, rule, body).begin(call.arrived_at, _delay(rule))

    def _draw(self, ask: Ask) -> Answer:
        timing, rng = self._state.settings.timing, self._state.rng
        if ask.model.kind == "embedding":
            ttft = int(answers.draw(timing.ttft_ms, rng) * answers.MILLISECOND)
            return Answer(0, 1, b"", "stop", ttft, 0)
        return answers.answer(ask, timing, rng)

    def _script(self, call: Call, ask: Ask, answer: Answer, *, chat: bool) -> Script:
        created = (call.arrived_at + self._state.epoch) // SECOND
        name = (b"chatcmpl-%b" if chat else b"cmpl-%b") % call.request_id[4:].encode()
        return Script(
            answer, name, created, call.model, call.prompt_tokens, chat=chat, include_usage=ask.include_usage,
            cached_tokens=call.cached_tokens,
        )  # fmt: skip

    def _head(
        self, call: Call, seat: Seat, limits: bytes, answer: Answer | None = None, *, stream: bool = False
    ) -> bytes:
        took = answer.ttft if answer is not None else self._state.clock.now() - call.arrived_at
        who = headers.identity(call.request_id, seat.organisation, took // 1_000)
        return (headers.EVENTS if stream else headers.JSON) + who + limits


def _note(call: Call, ask: Ask, prompt: int, charge: int) -> None:
    call.model = ask.model.name
    call.stream = ask.stream
    call.user = ask.user
    call.include_usage = ask.include_usage
    call.prompt_tokens = prompt
    call.max_tokens = ask.max_tokens
    call.n = ask.n
    call.charged_tokens = charge


def _delay(rule: Rule | None) -> int | None:
    """What a fault adds before the first byte, microseconds; None = for ever."""
    if rule is None or (rule.fault == "stall" and rule.after_bytes is not None):
        return 0
    if rule.fault == "stall":
        return None if rule.ms is None else int(rule.ms * 1_000)
    return int((rule.ms or 0) * 1_000) if rule.fault == "slow" else 0
