"""What is wrong, or worth saying, about a configuration file. No finding ever holds a value read from the file."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

Path = tuple[str | int, ...]


class Name(NamedTuple):
    """A name or value of the file within words: who prints them knows whether it came from the environment."""

    text: str


Words = str | tuple[str | Name, ...]  # only its names hold anything that the file says
Advice = tuple[Path, Words, Words]  # path, message, remedy

_MAX_SHOWN = 80
_KEY_LIKE = re.compile(
    r"(?i)^(bearer\s|sk[-_]|pk[-_]|xai-|gsk_|ghp_|akia|aiza|hf_)"
    r"|(?=[a-z0-9_]*[0-9])(?=[a-z0-9_]*[a-z])[a-z0-9_]{24,}"
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One error or warning. `line` and `column` count from 1; `field` is a path such as `providers.openai.base_url`."""

    line: int
    column: int
    field: str
    message: str
    remedy: str = ""
    file: str = ""  # another file than the configuration, e.g. the file of client keys

    def text(self, file: str) -> str:
        """`FILE:LINE:COLUMN: field: message; remedy`."""
        return f"{self.file or file}:{self.line}:{self.column}: {self.sentence()}"

    def sentence(self) -> str:
        """`field: message; remedy` without the place."""
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.message}{'; ' if self.remedy else ''}{self.remedy}"


in_order: Final = attrgetter("line", "column", "field", "message", "remedy", "file")
"""To sort findings by: as they compare, in a fifth of the time."""


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong: in the file's order, then in files it names.

    `named` are the other files that would make it right when they change; None when it could not be read so far.
    """

    def __init__(self, file: str, findings: Iterable[Finding], named: tuple[str, ...] | None = None) -> None:
        self.file = file
        self.named = named
        self.findings = tuple(sorted(set(findings), key=lambda finding: (finding.file, *in_order(finding))))
        super().__init__(f"{file}: {len(self.findings)} error(s)")

    def lines(self) -> list[str]:
        """One line of text for each finding."""
        return [finding.text(self.file) for finding in self.findings]


def shown(name: str) -> str:
    """A name that a user chose, made safe to print: on one line, bounded, and hidden when it looks like a key."""
    if _KEY_LIKE.search(name):
        return "<hidden>"
    if len(name) <= _MAX_SHOWN and name.isprintable():
        return name
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[: _MAX_SHOWN + 1])
    return safe if len(safe) <= _MAX_SHOWN else safe[:_MAX_SHOWN] + "…"


def listed(names: Sequence[str], most: int) -> tuple[str | Name, ...]:
    """The first of them with commas between, and whether there are more."""
    words = [part for name in names[:most] for part in (", ", Name(name))][1:]
    return (*words, ", …") if len(names) > most else tuple(words)


def dotted(path: Path) -> str:
    """A path as it is printed: `providers.openai.scopes[0].keys[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}" if text else shown(part)
    return text
