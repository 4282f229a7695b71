"""The calls a trace stands for: when each is due and the bytes of its body.

Everything that plays a trace (the replay, the benches and their peers) takes its calls from `plan_calls`, so that all
of them offer the same bytes at the same moments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

import msgspec

from tidegate.load.texts import TextKind, Texts
from tidegate.load.trace import TraceRow

FRAMING_TOKENS = 7  # what one message of the chat format costs besides its text
_KINDS = (TextKind.ENGLISH,) * 5 + (TextKind.CHINESE,) * 3 + (TextKind.CODE,) * 2


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How a trace becomes calls. `speed` divides time; `stream_share` in [0, 1] is the share of streamed calls."""

    model: str = "gpt-4o"
    speed: float = 1.0
    stream_share: float = 0.3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class LoadCall:
    """One call: due `offset_us` after the first one, sized about `context_tokens`, asking for `max_tokens`."""

    index: int
    offset_us: int
    context_tokens: int
    max_tokens: int
    streamed: bool
    kind: TextKind
    body: bytes


def plan_calls(rows: Iterable[TraceRow], settings: CallSettings, texts: Texts | None = None) -> Iterator[LoadCall]:
    """One chat completion for each row, made when it is asked for; the same rows and settings give the same bytes.

    A prompt is one message of a kind drawn per call: English (half of them), Chinese or code. `max_tokens` is what
    the trace says was generated, at least 1. O(body) per call; nothing is kept. Without `texts` they are written before
    this returns (0.2 s), not when the first call is due.
    """
    return _plan(rows, settings, texts or Texts(settings.seed))


def _plan(rows: Iterable[TraceRow], settings: CallSettings, texts: Texts) -> Iterator[LoadCall]:
    random = Random(settings.seed)
    before, between = _frame(settings.model)
    for index, row in enumerate(rows):
        kind = _KINDS[int(random.random() * len(_KINDS))]
        streamed = random.random() < settings.stream_share
        text = texts.cut(kind, max(1, row.context_tokens - FRAMING_TOKENS), random)
        max_tokens = max(1, row.generated_tokens)
        body = b"%b%b%b%d%b" % (before, text, between, max_tokens, b',"stream":true}' if streamed else b"}")
        yield LoadCall(index, int(row.at_us / settings.speed), row.context_tokens, max_tokens, streamed, kind, body)


def _frame(model: str) -> tuple[bytes, bytes]:
    name = msgspec.json.encode(model)
    return b'{"model":%b,"messages":[{"role":"user","content":"' % name, b'"}],"max_tokens":'
