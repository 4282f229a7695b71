"""What a request asks: its last question, and all that the question stands in.

Two questions can mean the same only where what they stand in is equal, so that has a digest: everything but the text of
the last turn. What cannot be taken apart so is no question: pictures and files, a turn that is no user's, prompts of
the older completions, and texts that are longer than an embedder looks at. Pure. O(bytes).
"""

from hashlib import blake2b
from typing import Final

from tidegate.model.parts import Kind
from tidegate.policy.caching import jcs
from tidegate.policy.caching.canonical import cosmetic_of, without

LONGEST: Final = 2_048  # bytes of a question: some 500 tokens, beyond which embedders do not read

_CHAT: Final = Kind.CHAT
_MESSAGES: Final = Kind.MESSAGES
_RESPONSES: Final = Kind.RESPONSES
_TURNS: Final = {_CHAT: "messages", _MESSAGES: "messages", _RESPONSES: "input"}
_SYSTEM: Final = {_MESSAGES: "system", _RESPONSES: "instructions"}
_TEXTS: Final = frozenset({"text", "input_text"})
_INSTRUCTING: Final = frozenset({"system", "developer"})
_TOOLS: Final = ("tools", "functions", "mcp_servers", "web_search_options")
_TAKEN_OUT: Final = True  # stands where the question stood: no text, so no question can look like it


class Question:
    """What a request asks. Nobody changes one."""

    __slots__ = ("context", "system", "text", "tools")

    def __init__(self, system: str, context: bytes, text: str, tools: bool) -> None:
        self.system = system  # what the model is told to be; several texts are lines of it
        self.context = context  # digest of everything but `text` and the model: 32 bytes, equal only where all is equal
        self.text = text  # what the user says last; "" = it cannot be compared
        self.tools = tools  # tools are offered


def question(kind: Kind, body: bytes) -> Question:
    """What this body asks. Raises `ValueError` as `canonical` does."""
    fields = _object(body)
    system = _system(kind, fields)
    tools = any(fields.get(name) for name in _TOOLS)
    without(fields, cosmetic_of(kind))
    text = _take_question(kind, fields)
    return Question(system, blake2b(jcs.write(fields), digest_size=32).digest(), text, tools)


def system_of(kind: Kind, body: bytes) -> str:
    """The system prompt alone, "" where there is none. Raises `ValueError` for what is no JSON object."""
    return _system(kind, _object(body))


def _object(body: bytes) -> dict[str, object]:
    """The body, if nobody can read it in two ways."""
    fields, longer = jcs.read_object(body)
    jcs.check_names(body, jcs.write(fields), b"{}", longer)
    return fields


def _system(kind: Kind, fields: dict[str, object]) -> str:
    texts: list[str] = []
    if kind in _SYSTEM:
        texts += _texts(fields.get(_SYSTEM[kind]))
    if kind in _TURNS:
        turns = fields.get(_TURNS[kind])
        if isinstance(turns, list):
            for turn in turns:
                if isinstance(turn, dict) and turn.get("role") in _INSTRUCTING:
                    texts += _texts(turn.get("content"))
    return "\n".join(texts)


def _texts(content: object) -> list[str]:
    """A text, or those of a list of parts."""
    if isinstance(content, str):
        return [content]
    found: list[str] = []
    if isinstance(content, list):
        for part in content:
            text = _text_of(part)
            if text is not None:
                found.append(text)
    return found


def _text_of(part: object) -> str | None:
    """What a part says; None where it is something else than a text."""
    if isinstance(part, dict) and part.get("type") in _TEXTS:
        text = part.get("text")
        return text if isinstance(text, str) else None
    return None


def _take_question(kind: Kind, fields: dict[str, object]) -> str:
    """The last thing that the user says; what is left of the fields is its context. "" where it cannot be compared."""
    name = _TURNS.get(kind)
    if name is None:
        return ""
    turns = fields.get(name)
    if isinstance(turns, str):
        return _taken(fields, name, turns)
    last = turns[-1] if isinstance(turns, list) and turns else None
    if not isinstance(last, dict) or last.get("role") != "user" or last.get("type", "message") != "message":
        return ""
    content = last.get("content")
    if isinstance(content, str):
        return _taken(last, "content", content)
    if not isinstance(content, list) or not content:
        return ""
    for part in content:
        if _text_of(part) is None:
            return ""
    part = content[-1]
    text = _text_of(part)
    return _taken(part, "text", text) if isinstance(part, dict) and text is not None else ""


def _taken(holder: dict[str, object], name: str, text: str) -> str:
    if not text.strip() or len(text.encode()) > LONGEST:
        return ""
    holder[name] = _TAKEN_OUT
    return text
