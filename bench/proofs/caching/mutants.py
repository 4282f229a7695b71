"""Request bodies that differ in one thing that counts, and the same body in other words: what keys are judged by.

It knows nothing of how the gate makes a key: the fields that do not count are listed here once more, by each maker's
API reference, and two bodies mean the same when their values are equal, numbers as decimals.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from tidegate.model.call import Kind

Body = dict[str, Any]

_OPENAI: Final[dict[str, list[Any]]] = {
    "model": ["gpt-5", "o3", 'm\u00e9"\\'],
    "stream": [True, False, None],
    "stream_options": [None, {"include_usage": True}, {"include_usage": False, "\U0001f600": "\ufb33"}],
    "user": ["", "u-1", 'a"b\\', "\u7528\u6237"],
    "safety_identifier": ["s", None],
    "prompt_cache_key": ["k", "K"],
    "prompt_cache_retention": ["24h", "in_memory"],
    "metadata": [None, {}, {"team": "red", "n": 1e-7}],
    "service_tier": ["auto", "flex"],
}
_ANTHROPIC: Final[dict[str, list[Any]]] = {
    "model": ["claude", "other"],
    "stream": [True, False],
    "metadata": [{}, {"user_id": "u"}],
    "service_tier": ["auto"],
}
COSMETIC: Final[dict[Kind, dict[str, list[Any]]]] = {
    kind: _ANTHROPIC if kind is Kind.MESSAGES else _OPENAI for kind in Kind
}

_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "turn",
        "parameters": {
            "type": "object",
            "properties": {"on": {"type": "boolean"}, "at": {"type": "number", "minimum": 0.5, "maximum": 1e21}},
        },
    },
}
BODIES: Final[tuple[tuple[Kind, Body], ...]] = (
    (
        Kind.CHAT,
        {
            "model": "gpt-5",
            "messages": [
                {"role": "system", "content": "Be brief. \u7b80\u77ed\uff0c\u597d\u3002"},
                {"role": "user", "content": 'What does "on" mean?\n\t\\ \u00e9 e\u0301 \U0001f600'},
            ],
            "temperature": 0.7,
            "seed": 9_007_199_254_740_993,
            "stop": ["\n", "END"],
            "stream": True,
        },
    ),
    (
        Kind.CHAT,
        {
            "model": "o3",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Turn it on."}]}],
            "tools": [_TOOL],
            "tool_choice": "auto",
            "response_format": {"type": "json_object"},
            "n": 1,
            "logit_bias": {"50256": -100},
            "\U0001f600": {"\ufb33": 0, "\U0001f600": 1},
        },
    ),
    (
        Kind.MESSAGES,
        {
            "model": "claude",
            "max_tokens": 1_024,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
            "thinking": {"type": "enabled", "budget_tokens": 1_024},
        },
    ),
    (Kind.RESPONSES, {"model": "o3", "input": "How much was it in Q3?", "store": False, "text": {"verbosity": "low"}}),
    (Kind.EMBEDDING, {"model": "e", "input": ["one", "two", "two"], "dimensions": 256, "encoding_format": "float"}),
    (Kind.COMPLETION, {"model": "m", "prompt": "2 + 2 =", "max_tokens": 1, "logprobs": 0, "top_p": 1e-7}),
)

_CHARACTERS: Final = 'aA1 \u00e9\u0301\u7684\uff0c\U0001f600"\\\n\x1f\u2028/'
_LEAVES: Final[tuple[Any, ...]] = (None, True, False, 0, 1, -1, 0.5, 1e-9, "", "0", "true", [], {})


def mutant(random: Random, kind: Kind, body: Body) -> Body:
    """The body with one to three things changed that count, at any depth."""
    for _ in range(random.choice((1, 1, 2, 3))):
        body = _object(random, body, COSMETIC[kind])
    return body


def _changed(random: Random, value: Any) -> Any:
    if isinstance(value, dict):
        return _object(random, value, {})
    if isinstance(value, list):
        return _list(random, value)
    if isinstance(value, str):
        return _text(random, value)
    if isinstance(value, bool) or value is None or random.random() < 0.2:
        return random.choice([leaf for leaf in _LEAVES if meaning(leaf) != meaning(value)])
    return _number(random, value)


def _object(random: Random, value: Body, apart: Any) -> Body:
    names = [name for name in value if name not in apart]
    chance, made = random.random(), dict(value)
    if not names or chance < 0.1:
        made[f"field_{random.getrandbits(40):x}"] = _leaf(random)
        return made
    name = random.choice(names)
    if chance < 0.15:
        del made[name]
    elif chance < 0.2:
        made[f"{name}{random.getrandbits(32):x}"] = made.pop(name)
    else:
        made[name] = _changed(random, made[name])
    return made


def _list(random: Random, value: list[Any]) -> list[Any]:
    at, chance = random.randrange(len(value) + 1), random.random()
    if not value or chance < 0.15:
        return [*value[:at], _leaf(random), *value[at:]]
    at %= len(value)
    if chance < 0.25:
        return [*value[:at], *value[at + 1 :]]
    if chance < 0.35 and meaning(value[at - 1]) != meaning(value[at]):
        made = list(value)
        made[at - 1], made[at] = made[at], made[at - 1]
        return made
    return [*value[:at], _changed(random, value[at]), *value[at + 1 :]]


def _text(random: Random, value: str) -> str:
    at, chance = random.randrange(len(value) + 1), random.random()
    if chance < 0.2 or not value:
        return value[:at] + random.choice(_CHARACTERS) + value[at:]
    at %= len(value)
    if chance < 0.3:
        return value[:at] + value[at + 1 :]
    if chance < 0.5:
        return value[:at] + chr(ord(value[at]) ^ 1 << random.randrange(5)) + value[at + 1 :]
    return f"{value[:at]}{random.getrandbits(40):x}{value[at:]}"


def _number(random: Random, value: float) -> float:
    if isinstance(value, int):
        near = value + random.getrandbits(20) / 2**20 if abs(value) < 2**30 else 0.25
        return random.choice((value + 1, -value - 1, value + random.getrandbits(50) + 1, value + 2**53 + 1, near))
    return random.choice((value * 2, -value, value + random.random(), value * (1 + 2**-51), 0))


def _leaf(random: Random) -> Any:
    new = f"{random.random()}", random.getrandbits(60)
    return random.choice(_LEAVES if random.random() < 0.3 else new)


def meaning(value: Any) -> Any:
    """What two values have in common that mean the same."""
    if isinstance(value, dict):
        return "object", frozenset((name, meaning(item)) for name, item in value.items())
    if isinstance(value, list):
        return "list", tuple(meaning(item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", Decimal(repr(value))
    return type(value).__name__, value


def counted(kind: Kind, body: Body) -> Any:
    """The meaning of the part that counts."""
    return meaning({name: value for name, value in body.items() if name not in COSMETIC[kind]})


def spelled(random: Random, kind: Kind, body: Body) -> bytes:
    """The body as another client would write it: order, white space, numbers, escapes, and fields that do not count."""
    return _Speller(random).of(_with_others(random, kind, body)).encode()


def ambiguous(random: Random, kind: Kind, body: Body) -> bytes:
    """The same with a name that stands twice in one of its objects."""
    speller = _Speller(random, doubled=random.randrange(3))
    text = speller.of(_with_others(random, kind, body))
    if speller.doubled >= 0:  # it has fewer objects
        speller = _Speller(random, doubled=0)
        text = speller.of(body)
    return text.encode()


def _with_others(random: Random, kind: Kind, body: Body) -> Body:
    free = COSMETIC[kind]
    made = {name: value for name, value in body.items() if name not in free}
    for name in random.sample(sorted(free), random.randrange(len(free) + 1)):
        made[name] = random.choice(free[name])
    return made


class _Speller:
    """Writes values in JSON, each in one of many ways."""

    def __init__(self, random: Random, doubled: int = -1) -> None:
        """`doubled`: so many objects are written before the one in which a name stands twice; -1 = there is none."""
        self._random = random
        self.doubled = doubled
        self._gaps = random.choice((("",), (" ",), ("", " ", "\n\t", "\r")))
        self._escaping: Callable[[str], str] = random.choice((_raw, _raw, json.dumps, _all_escaped))

    def of(self, value: Any) -> str:
        gap = self._gaps[0] if len(self._gaps) == 1 else self._random.choice(self._gaps)
        if isinstance(value, dict):
            items = self._items(value)
            inner = f",{gap}".join(f"{self._escaping(name)}{gap}:{gap}{self.of(item)}" for name, item in items)
            return f"{{{gap}{inner}{gap}}}"
        if isinstance(value, list):
            return f"[{gap}{f'{gap},'.join([self.of(item) for item in value])}{gap}]"
        if isinstance(value, str):
            return self._escaping(value)
        if isinstance(value, bool) or value is None:
            return json.dumps(value)
        return self._number(value)

    def _items(self, value: Body) -> list[tuple[str, Any]]:
        items = list(value.items())
        self._random.shuffle(items)
        if items and self.doubled >= 0:
            if self.doubled == 0:
                items.append((self._random.choice(items)[0], self._random.choice(_LEAVES)))
            self.doubled -= 1
        return items

    def _number(self, value: float) -> str:
        if abs(value) >= 2**53:
            return str(value)
        if isinstance(value, int):
            return self._random.choice((f"{value}", f"{value}.0", f"{value}e0", f"{value * 10}E-1", f"{value}.000e+00"))
        return self._random.choice((repr(value), f"{value:.17e}", repr(value).replace("e", "E")))


_raw: Final = json.JSONEncoder(ensure_ascii=False).encode


def _all_escaped(text: str) -> str:
    units = text.encode("utf-16-be").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'
