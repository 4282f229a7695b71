"""`${VAR}` and `${VAR:-default}` in the text of a value. `$${` stands for a literal `${`."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_REFERENCE = re.compile(r"\$?\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

UNREAD: Final[Mapping[str, str]] = MappingProxyType({})  # an environment that is not looked at: references stay


class BadReference(ValueError):
    """A reference that cannot be replaced: `message` says why, `remedy` what to do. Neither holds a value."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


def refers(text: str) -> bool:
    """Does `text` hold anything to be replaced?"""
    return "${" in text


def substitute(text: str, environ: Mapping[str, str]) -> str:
    """`text` with every reference replaced; replaced text is not looked at again.

    With `UNREAD` they stay as they are written.

    As in a shell, `:-` takes the default when the variable is unset or empty. Raises `BadReference`.
    """
    return _REFERENCE.sub(lambda match: _replacement(match, environ), text)


def _replacement(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match[0].startswith("$$"):
        return match[0][1:] if environ is not UNREAD else match[0]
    if not match[2]:
        raise BadReference("a ${ is never closed", "write ${NAME} or ${NAME:-default}, or $${ for a literal ${")
    name, marked, default = match[1].partition(":-")
    if not _NAME.fullmatch(name):
        raise BadReference(
            "what stands in ${…} is no name of a variable",
            "write ${NAME} or ${NAME:-default} with letters, digits and _ in the name, or $${ for a literal ${",
        )
    if environ is UNREAD:
        return match[0]
    value = environ.get(name)
    if marked:
        return value or default
    if value is None:
        raise BadReference(
            f"the environment variable {name} is not set", f"set it, or write ${{{name}:-default}} to give a default"
        )
    return value
