"""Keys and tokens as they are made: 256 bits of chance behind a prefix that leak scanners can look for."""

import secrets

from tidegate.model.keys import digest_of

KEY_PREFIX = "tgk_"
TOKEN_PREFIX = "tga_"  # noqa: S105 - how tokens begin
_BYTES = 32
_SHOWN = 4  # characters behind the prefix: enough to tell keys apart


class Secret:
    """Told once. `repr` shows how it begins."""

    __slots__ = ("digest", "hint", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = digest_of(text)
        self.hint = text[: len(KEY_PREFIX) + _SHOWN]

    def __repr__(self) -> str:
        return f"Secret({self.hint}…)"


def client_key() -> Secret:
    """A new key for applications."""
    return Secret(KEY_PREFIX + secrets.token_urlsafe(_BYTES))


def admin_token() -> Secret:
    """A new token for who manages the gate."""
    return Secret(TOKEN_PREFIX + secrets.token_urlsafe(_BYTES))
