"""Which answers may be kept."""

import pytest

from tidegate.model.parts import Kind
from tidegate.policy.caching.storable import why_not


class Finish:
    def __init__(self, ended: str, text: str) -> None:
        self.ended = ended
        self.text = text


@pytest.mark.parametrize("ended", ["length", "filter", "refusal", "incomplete", "error", "cut"])
def test_what_did_not_end_well_is_not_kept(ended: str) -> None:
    """Whatever it said; the word is why."""
    assert why_not(Finish(ended, "text"), tools_allowed=True) == ended


@pytest.mark.parametrize(
    ("ended", "text", "tools", "word"),
    [
        ("stop", "Hello.", False, ""),
        ("stop", "", False, "empty"),
        ("stop", " \n", True, "empty"),
        ("tools", "", False, "tools"),
        ("tools", "Let me see.", False, "tools"),
        ("tools", "", True, ""),
        ("", "text", True, "error"),
        ("a word of next year", "text", True, "a word of next year"),
    ],
)
def test_what_ended_well(ended: str, text: str, tools: bool, word: str) -> None:
    """Is kept if it says something; tool calls only where that is allowed; nothing that is not known to be whole."""
    assert why_not(Finish(ended, text), tools_allowed=tools) == word


def test_embeddings_say_nothing() -> None:
    """They have no words, and are kept."""
    assert why_not(Finish("stop", ""), tools_allowed=False, kind=Kind.EMBEDDING) == ""
    assert why_not(Finish("error", ""), tools_allowed=False, kind=Kind.EMBEDDING) == "error"
