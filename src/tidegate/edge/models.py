"""`GET /v1/models`: what this gate serves by name. Strategies stand there like models: calls name them the same way."""

from collections.abc import Collection

import msgspec

from tidegate.providers.dialects import ANTHROPIC

_encode = msgspec.json.Encoder().encode
_EPOCH = "1970-01-01T00:00:00Z"  # nobody knows when a name was first served


def models_list(names: Collection[str], dialect: str) -> bytes:
    """The list object of this dialect; Anthropic's is always one page."""
    data = [_entry(name, dialect) for name in names]
    if dialect != ANTHROPIC:
        return _encode({"object": "list", "data": data})
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return _encode({"data": data, "has_more": False, "first_id": first, "last_id": last})


def model(name: str, dialect: str) -> bytes:
    """One name as `GET /v1/models/{name}` answers it."""
    return _encode(_entry(name, dialect))


def _entry(name: str, dialect: str) -> dict[str, object]:
    if dialect == ANTHROPIC:
        return {"type": "model", "id": name, "display_name": name, "created_at": _EPOCH}
    return {"id": name, "object": "model", "created": 0, "owned_by": "tidegate"}
