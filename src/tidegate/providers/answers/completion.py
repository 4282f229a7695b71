"""Completions: a whole answer as the chunks of a stream, and a finished stream as a whole answer.

Source: OpenAI's API reference of completions, which stream objects of the same name.
"""

from typing import Final

from tidegate.providers.answers.chunks import Events, beside, gathered, note, written
from tidegate.providers.answers.fields import Fields, text_of
from tidegate.providers.answers.pieces import MOST, pieces

_NAME: Final = "text_completion"
_CHOICE: Final = frozenset({"index", "text", "logprobs", "finish_reason"})


def to_chunks(whole: Fields, *, usage: bool) -> Events:
    """The events. Raises `ValueError` when it is no completion."""
    return written(whole, _NAME, _said, usage=usage)


def whole_of(events: bytes) -> Fields:
    """The completion. Raises `Cut` when the stream is not finished, else `ValueError` when it is none."""
    return gathered(events, _NAME, _Choice)


def _said(choice: Fields, index: int) -> list[Fields]:
    """What the chunks of one choice say: its text, then why it ended."""
    text = text_of(choice.get("text"))
    silent = {"logprobs": None} if "logprobs" in choice else {}
    logprobs = choice.get("logprobs")
    told: list[Fields] = [
        {"index": index, "text": piece, **({"logprobs": columns} if columns else silent), "finish_reason": None}
        for piece, columns in _pieces(text, logprobs if isinstance(logprobs, dict) else {})
    ]
    end = {"finish_reason": choice.get("finish_reason"), **beside(choice, _CHOICE)}
    return [*told, {"index": index, "text": "", **silent, **end}]


def _pieces(text: str, logprobs: Fields) -> list[tuple[str, Fields]]:
    """With log-probabilities, a piece for a token and what the columns say of it, if the tokens are the text."""
    if not logprobs:
        return [(piece, {}) for piece in pieces(text)]
    columns = {name: value for name, value in logprobs.items() if isinstance(value, list)}
    tokens = [text_of(token) for token in columns.get("tokens", ())]
    if "".join(tokens) != text or not tokens or any(len(column) != len(tokens) for column in columns.values()):
        return [(text, logprobs)]
    step = -(-len(tokens) // MOST)
    return [
        (
            "".join(tokens[at : at + step]),
            logprobs | {name: column[at : at + step] for name, column in columns.items()},
        )
        for at in range(0, len(tokens), step)
    ]


class _Choice:
    """Fulfils `chunks.Growing`."""

    __slots__ = ("_choice", "_texts")

    def __init__(self, index: int) -> None:
        self._choice: Fields = {"text": "", "index": index, "finish_reason": None}
        self._texts: list[str] = []

    def add(self, part: Fields) -> None:
        self._texts.append(text_of(part.get("text")))
        note(self._choice, part, _CHOICE)

    def whole(self) -> Fields:
        return self._choice | {"text": "".join(self._texts)}
