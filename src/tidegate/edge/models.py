"""`GET /v1/models`: what this gate serves by name."""

from collections.abc import Iterable

import msgspec

_encode = msgspec.json.Encoder().encode


def models_list(names: Iterable[str]) -> bytes:
    """OpenAI's list object. Strategies stand in it like models, since a call names them the same way."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "tidegate"} for name in names]
    return _encode({"object": "list", "data": data})
