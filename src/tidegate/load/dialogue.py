"""Conversations that grow: every turn sends the whole history again, as chat applications do.

A conversation begins with a long instruction of its own, so that no two share a prefix; each turn adds a question and
the answer that came. A refused turn comes back when it was told to.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import msgspec

from tidegate.load.driver import Target
from tidegate.load.texts import TextKind, Texts
from tidegate.load.visits import End, Try, read
from tidegate.ports import Clock, Transport, TransportError

_PATIENCE_US = 180_000_000


@dataclass(frozen=True, slots=True)
class Talk:
    """The shape of every conversation: tokens of its instruction, of a turn's question, turns, and pauses."""

    instruction: int = 3_000
    question: int = 200
    turns: int = 12
    max_tokens: int = 50
    pause_us: int = 1_000_000
    model: str = "gpt-4o"
    deadline_ms: int = 20_000


class Turn(msgspec.Struct):
    """One turn that ended: when, its tries, and the provider's count of what was read and what came from the cache."""

    talk: int
    number: int
    tries: list[Try] = []
    prompt_tokens: int = 0
    cached_tokens: int = 0


class _Details(msgspec.Struct, frozen=True):
    cached_tokens: int = 0


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    prompt_tokens_details: _Details = _Details()


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Answer(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    usage: _Usage


_ANSWER = msgspec.json.Decoder(_Answer)


class Dialogues:
    """Holds `count` conversations at a time against one target, and begins a new one where one has ended."""

    __slots__ = ("_clock", "_heads", "_random", "_sent", "_talk", "_texts", "_transport", "begun", "turns")

    def __init__(
        self, transport: Transport, clock: Clock, targets: Sequence[Target], talk: Talk, seed: int = 1
    ) -> None:
        """Requests go to the targets in turn: several of them are a pool by round robin."""
        self._transport = transport
        self._clock = clock
        self._heads = [target.head("POST", "/chat/completions") for target in targets]
        self._talk = talk
        self._texts = Texts(seed)
        self._random = Random(seed)
        self._sent = 0
        self.begun = 0
        self.turns: list[Turn] = []

    async def hold(self, count: int, until_us: int) -> list[Turn]:
        """Talk until `until_us`; returns every turn that ended."""
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self._seat(until_us))
        return self.turns

    async def _seat(self, until_us: int) -> None:
        await self._clock.sleep(int(self._random.random() * self._talk.pause_us))
        while self._clock.now() < until_us:
            self.begun += 1
            await self._converse(self.begun, until_us)

    async def _converse(self, number: int, until_us: int) -> None:
        talk = self._talk
        history = [self._message("system", f"Conversation {number}. ", talk.instruction)]
        for index in range(talk.turns):
            history.append(self._message("user", "", talk.question))
            turn = Turn(number, index, [])
            answer = await self._ask(turn, b",".join(history), until_us)
            if answer is None:
                return
            self.turns.append(turn)
            history.append(b'{"role":"assistant","content":%b}' % msgspec.json.encode(answer))
            await self._clock.sleep(int(talk.pause_us * (0.5 + self._random.random())))

    def _message(self, role: str, lead: str, tokens: int) -> bytes:
        text = self._texts.cut(TextKind.ENGLISH, tokens, self._random)
        return b'{"role":"%b","content":"%b%b"}' % (role.encode(), lead.encode(), text)

    async def _ask(self, turn: Turn, history: bytes, until_us: int) -> str | None:
        """The answer, after as many refusals as it takes; None when time is over or something failed."""
        body = b'{"model":"%b","messages":[%b],"max_tokens":%d}'
        body %= self._talk.model.encode(), history, self._talk.max_tokens
        while self._clock.now() < until_us:
            one = Try(self._clock.now())
            turn.tries.append(one)
            self._sent += 1
            head = self._heads[self._sent % len(self._heads)]
            try:
                reply = await self._transport.send(head, body, stream=False, deadline=one.sent_us + _PATIENCE_US)
            except TransportError as error:
                one.kind = str(error)
                return None
            one.done_us, one.status = self._clock.now(), reply.status
            read(one, reply.status, reply.headers)
            if one.end is End.ANSWERED:
                answer = _ANSWER.decode(reply.body)
                turn.prompt_tokens = answer.usage.prompt_tokens
                turn.cached_tokens = answer.usage.prompt_tokens_details.cached_tokens
                return answer.choices[0].message.content or ""
            if one.end is End.FAILED:
                return None
            await self._clock.sleep(max(10_000, one.told_us))
        return None
