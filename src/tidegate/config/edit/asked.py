"""What the process that reads texts is asked, and what it tells: one record a line, as JSON.

Texts come from the file (`base`, with its secrets) and from people (`text`, with masks). Of the answers `Applicable`
alone holds secrets: it is made for a text that is right, asked for by `ApplyAsk`, and has nothing that anybody is shown
but counts and the text with masks.
"""

from typing import Any, TypeAlias

import msgspec

from tidegate.config.findings import Path


class _Ask(msgspec.Struct, frozen=True, tag=True, kw_only=True, forbid_unknown_fields=True):
    """What every question has."""

    key: bytes  # what masks are made with
    base: str  # what is in force
    file: str  # where it stands
    common: bool = False  # all nodes have it


class ShowAsk(_Ask, frozen=True, tag=True):
    """How is what is in force shown?"""

    checks: bool = True


class Step(msgspec.Struct, frozen=True):
    """A value that is to stand at a path, or nothing."""

    path: Path
    value: Any = None
    remove: bool = False


class EditAsk(_Ask, frozen=True, tag=True):
    """What would a text, or changes of it, come to?"""

    text: str | None = None  # None: what is in force
    changes: tuple[Step, ...] = ()
    alone: bool = False  # by itself: for somebody for whom neither the environment nor a file is read


class ApplyAsk(_Ask, frozen=True, tag=True):
    """What is to be written, for this text?"""

    text: str
    restores: bool = False  # masks of old secrets are filled by their place
    guards: bool = False  # not where it changes what only an administrator may


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong, or worth saying."""

    line: int
    column: int
    field: str
    message: str
    remedy: str
    file: str | None = None


class Shown(msgspec.Struct, frozen=True, tag=True):
    """A text without its secrets."""

    text: str
    form: Any  # None: it is no YAML
    errors: tuple[Told, ...] = ()
    warnings: tuple[Told, ...] = ()


class Preview(msgspec.Struct, frozen=True, tag=True):
    """What it would come to, without its secrets."""

    text: str
    diff: str
    form: Any
    errors: tuple[Told, ...]
    warnings: tuple[Told, ...]


class Applicable(msgspec.Struct, frozen=True, tag=True):
    """What is to be written: `plain` has its secrets. `text` is the same with masks."""

    plain: str
    text: str
    added: int
    removed: int


class Wrong(msgspec.Struct, frozen=True, tag=True):
    """The text is not right."""

    errors: tuple[Told, ...]
    warnings: tuple[Told, ...]


class Reserved(msgspec.Struct, frozen=True, tag=True):
    """The text is right, and these fields of it only an administrator may change."""

    fields: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The question was none, or the answer took too much."""

    kind: str


Ask: TypeAlias = ShowAsk | EditAsk | ApplyAsk
Answer: TypeAlias = Shown | Preview | Applicable | Wrong | Reserved | Failed
