"""What a fallback's dialect cannot say is told before it is asked."""

import json

import msgspec

from tests.drills.test_runner import DRILL, GOOD, MAIN, PROMPT
from tidegate.drills.dialects import findings
from tidegate.model.drills import DrilledStrategy, DrillPrompt, DrillSettings

CLAUDE = msgspec.structs.replace(GOOD, model="claude", dialect="anthropic", base_url="https://c.example")


def codes(prompt: DrillPrompt, *, strict: bool = False) -> set[tuple[str, str]]:
    drill = msgspec.structs.replace(DRILL, prompts=(prompt,))
    settings = DrillSettings((drill,), (DrilledStrategy("s", (MAIN, CLAUDE), strict),))
    return {(one.level, one.code) for one in findings(settings)}


def test_what_can_be_said() -> None:
    """A plain question crosses without a loss."""
    assert not {one for one in codes(PROMPT) if one[1] == "dialect"}


def test_what_cannot() -> None:
    """Sound cannot be said to messages at all, or is left out: an error, or a warning."""
    parts = [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]
    prompt = msgspec.structs.replace(PROMPT, messages=json.dumps([{"role": "user", "content": parts}]))
    assert {code for _, code in codes(prompt)} >= {"dialect"}
