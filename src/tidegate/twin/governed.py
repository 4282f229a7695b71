"""Calls that a quota governs: decode, strike, admit, answer. One straight line for every dialect and endpoint."""

from tidegate.twin import answers, headers, problems
from tidegate.twin.answers import Answer
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.customs import charge
from tidegate.twin.delivery import Stream, Unary
from tidegate.twin.dialect import Aside, Dialect
from tidegate.twin.directory import Seat
from tidegate.twin.faults import Rule
from tidegate.twin.meter import Refusal
from tidegate.twin.problems import Problem
from tidegate.twin.prompt_cache import Prefix, prefixes
from tidegate.twin.replies import Replies
from tidegate.twin.service import Service
from tidegate.twin.settings import Organisation, Rules
from tidegate.twin.state import State
from tidegate.twin.windows import SECOND
from tidegate.wire.exchange import Exchange


class Governed:
    """Answers the calls of one dialect; those that no quota governs are answered aside."""

    __slots__ = ("_aside", "_dialect", "_replies", "_state")

    def __init__(self, state: State, dialect: Dialect, replies: Replies, aside: Aside) -> None:
        self._state = state
        self._dialect = dialect
        self._aside = aside
        self._replies = replies

    def answer(self, exchange: Exchange, call: Call, owner: Organisation, endpoint: str) -> None:
        """Answer one call whose key is known."""
        state, dialect = self._state, self._dialect
        try:
            ask = dialect.ask(exchange, endpoint)
            if ask is None:
                self._aside.answer(exchange, call, endpoint)
                return
            prompt = counted(state, ask)
        except Problem as problem:
            state.directory.ledger.stray.called()
            self._replies.problem(exchange, call, problem)
            return
        scoped = dialect.scope + ask.model.name
        seat = state.directory.seat(call.key, owner, scoped, call.arrived_at)
        seat.entry.called()
        rules = state.directory.rules(scoped)
        cacheable = self._cacheable(rules, ask, prompt)
        cached = state.cache.read(owner.name, scoped, cacheable, call.arrived_at) if cacheable else 0
        free = cached if rules.cached_reads == "free" else 0
        _note(call, ask, prompt, charge(rules, prompt - free, ask.max_tokens * ask.n))
        _note_cache(call, cacheable, cached)
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
            state.cache.write(owner.name, scoped, cacheable, call.arrived_at)
            seat.entry.cached(cached)
        self._serve(exchange, call, seat, ask, rule)

    def _cacheable(self, rules: Rules, ask: Ask, prompt: int) -> list[Prefix]:
        if rules.cached_reads == "off" or prompt < rules.cache_least_tokens or ask.breakpoints == ():
            return []
        return prefixes(ask.texts, self._state.tokenizer.count, rules.cache_least_tokens, ask.breakpoints)

    def _refuse(self, exchange: Exchange, call: Call, seat: Seat, refusal: Refusal, rule: Rule | None) -> None:
        seat.entry.throttled(avoidable=refusal.label == "avoidable")
        seat.meter.shown(call.key, seat.meter.version, self._state.clock.now())
        call.label = refusal.label
        self._state.note(call)
        call.charged_tokens = call.cached_tokens = call.cache_written_tokens = 0
        limits = self._replies.limits(seat, call.arrived_at, refusal)
        told = b"" if seat.meter.hidden else self._dialect.retry(refusal)
        head = self._replies.lie(self._replies.head(call) + limits + told, rule, 429)
        self._replies.send(exchange, call, 429, head, self._dialect.limited(refusal, call))

    def _serve(self, exchange: Exchange, call: Call, seat: Seat, ask: Ask, rule: Rule | None) -> None:
        state = self._state
        if rule is not None and rule.replaces:
            seat.entry.charged(call.charged_tokens, call.arrived_at)
            self._replies.fault(exchange, call, rule, seat)
            return
        service = Service(call, seat, call.arrived_at)
        limits = self._replies.limits(seat, call.arrived_at)
        answer = self._draw(ask)
        head = self._replies.head(call, took=answer.ttft, kind=headers.EVENTS if ask.stream else headers.JSON)
        head = self._replies.lie(head + limits, rule, 200)
        script = self._dialect.script(call, ask, answer, (call.arrived_at + state.epoch) // SECOND)
        delivery = Stream if ask.stream else Unary
        delivery(exchange, service, state.pace, answer, head, rule, script).begin(call.arrived_at, _delay(rule))

    def _draw(self, ask: Ask) -> Answer:
        timing, rng = self._state.settings.timing, self._state.rng
        if ask.model.kind == "embedding":
            return Answer([], 1, "stop", int(answers.draw(timing.ttft_ms, rng) * answers.MILLISECOND), 0)
        scripts = self._state.settings.answers
        say = next((one.say for one in scripts if one.model in {"", ask.model.name} and one.when in ask.hint), "")
        return answers.answer(ask, timing, rng, say)


def counted(state: State, ask: Ask) -> int:
    """Tokens of a prompt. Raises `Problem` where it is longer than the model's context."""
    prompt = ask.extra + state.tokenizer.count(ask.texts)
    if prompt > ask.model.context * max(1, ask.inputs):
        raise problems.too_long(ask.model.context, prompt)
    return prompt


def _note(call: Call, ask: Ask, prompt: int, charge: int) -> None:
    call.model = ask.model.name
    call.stream = ask.stream
    call.user = ask.user
    call.include_usage = ask.include_usage
    call.prompt_tokens = prompt
    call.max_tokens = ask.max_tokens
    call.n = ask.n
    call.charged_tokens = charge


def _note_cache(call: Call, cacheable: list[Prefix], cached: int) -> None:
    call.cached_tokens = cached
    kept = [prefix.tokens for prefix in cacheable if prefix.kept]
    call.cache_written_tokens = max(0, kept[-1] - cached) if kept else 0


def _delay(rule: Rule | None) -> int | None:
    """What a fault adds before the first byte, microseconds; None = for ever."""
    if rule is None or (rule.fault == "stall" and rule.within):
        return 0
    if rule.fault == "stall":
        return None if rule.ms is None else int(rule.ms * 1_000)
    return int((rule.ms or 0) * 1_000) if rule.fault == "slow" else 0
