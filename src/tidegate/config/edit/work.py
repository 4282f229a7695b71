"""Answers what the control process asks about a text: to show it, to try changes, to have what is to be written."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.config.edit.asked import (
    Answer,
    Applicable,
    ApplyAsk,
    Ask,
    EditAsk,
    Preview,
    Reserved,
    ShowAsk,
    Shown,
    Told,
    Wrong,
)
from tidegate.config.edit.changes import MOST, CannotChange, Change, apply
from tidegate.config.edit.difference import difference
from tidegate.config.edit.form import form_of
from tidegate.config.edit.masks import Masked, Masker, by_place, laid_bare, put_back
from tidegate.config.edit.reserved import bent, rebound, reserved
from tidegate.config.edit.tree import Uneditable, composed, plain, tree_of
from tidegate.config.findings import ConfigError, Finding
from tidegate.config.load import Sharing, judge, load
from tidegate.config.nodes import YamlError
from tidegate.config.parcels import Unshareable
from tidegate.config.source import Document, parse
from tidegate.config.uncollected import uncollected

_FINDINGS = 200  # told at a time
_BENT = "this secret means something else in these quotes"


class Around(NamedTuple):
    """What the process knows beside the question. `wall`: microseconds since 1970."""

    environ: Mapping[str, str]
    wall: int


@uncollected()
def answer(asked: Ask, environ: Mapping[str, str], wall: int) -> Answer:
    """One question. `wall`: microseconds since 1970."""
    masker, around = Masker(asked.key), Around(environ, wall)
    base = masker.hide(asked.base)
    if isinstance(asked, ShowAsk):
        found = _checked(asked, asked.base, around) if asked.checks else Wrong((), ())
        return Shown(base.text, _form(base.text), found.errors, found.warnings)
    if isinstance(asked, EditAsk):
        return _previewed(asked, masker, base, around)
    return _applicable(asked, masker, base, around)


def _previewed(asked: EditAsk, masker: Masker, base: Masked, around: Around) -> Preview:
    text, findings = asked.text if asked.text is not None else base.text, list[Finding]()
    try:
        text = apply(text, [Change(one.path, one.value, one.remove) for one in asked.changes[:MOST]])
    except (CannotChange, YamlError) as error:
        findings.append(error.finding)
    filled, found = _filled(asked, masker, text, base.secrets)
    checked = _checked(asked, filled, around)
    errors = (*_records([*findings, *found]), *checked.errors)
    return Preview(text, difference(base.text, text).text, _form(text), errors, checked.warnings)


def _applicable(asked: ApplyAsk, masker: Masker, base: Masked, around: Around) -> Applicable | Wrong | Reserved:
    secrets = by_place(asked.text, asked.base, base.secrets) if asked.restores else base.secrets
    filled, found = _filled(asked, masker, asked.text, secrets)
    checked = _checked(asked, filled, around)
    if found or checked.errors:
        return Wrong((*_records(found), *checked.errors), checked.warnings)
    text = masker.hide(filled).text
    if asked.guards:
        sent = text if asked.restores else asked.text  # a mask of old is that of what takes its place
        fields = _guarded(base.text, sent, asked.base, filled, around.environ)
        if fields:
            return Reserved(tuple(fields))
    found_difference = difference(base.text, text)
    return Applicable(filled, text, found_difference.added, found_difference.removed)


def _filled(
    asked: EditAsk | ApplyAsk, masker: Masker, text: str, secrets: Mapping[str, str]
) -> tuple[str, list[Finding]]:
    """The text with its secrets, and masks that stand for none, or where no secret may stand."""
    filled, findings = put_back(text, secrets)
    restores = isinstance(asked, ApplyAsk) and asked.restores
    if text != filled and not findings and not restores and _is_yaml(text):
        findings += laid_bare(text, filled, asked.base, masker)
        sent, whole = _document(text, {}), _document(filled, {})
        at = None if findings else bent(sent, whole)
        if at is not None:
            place = sent.place(at)
            remedy = "leave it in the quotes in which it stood, or write it anew"
            findings.append(Finding(place.line, place.column, sent.label(at), _BENT, remedy))
    return filled, findings


def _guarded(before: str, after: str, base: str, filled: str, environ: Mapping[str, str]) -> list[str]:
    """What only an administrator may change: of the texts themselves, and of those with masks."""
    old, new = _document(base, environ), _document(filled, environ)
    was = old if before == base else _document(before, environ)
    sent = new if after == filled else _document(after, environ)
    return list(dict.fromkeys([*map(new.label, reserved(old, new)), *map(sent.label, rebound(was, sent))]))


def _checked(asked: Ask, text: str, around: Around) -> Wrong:
    """Everything that is wrong with it, and what is worth saying."""
    raw = text.encode(errors="surrogatepass")
    try:
        if isinstance(asked, EditAsk) and asked.alone:
            warnings = judge(asked.file, raw, wall=around.wall, packs=asked.common, read=composed)
        else:
            sharing = Sharing(text=raw, packs=asked.common, read=composed)
            warnings = load(asked.file, around.environ, serving=True, wall=around.wall, sharing=sharing).warnings
    except ConfigError as error:
        return Wrong(_records(error.findings), ())
    except (Unshareable, OSError) as error:
        return Wrong(_records([_of(error)]), ())
    return Wrong((), _records(warnings))


def _of(error: Exception) -> Finding:
    said = str(error)
    line = said.removeprefix("line ").partition(":")[0]
    at = int(line) if said.startswith("line ") and line.isdecimal() else 1
    return Finding(at, 1, "", f"cannot be shared with the other nodes: {said}", "see docs/scaling.md")


def _records(found: Sequence[Finding]) -> tuple[Told, ...]:
    return tuple(
        Told(one.line, one.column, one.field, one.message, one.remedy, os.path.basename(one.file) or None)  # noqa: PTH119
        for one in found[:_FINDINGS]
    )


def _document(text: str, environ: Mapping[str, str]) -> Document:
    """As the gate reads it; an empty one where it cannot."""
    try:
        return parse(text, environ, composed)
    except YamlError:
        return Document()


def _is_yaml(text: str) -> bool:
    try:
        plain(tree_of(text).root)
    except (YamlError, Uneditable):
        return False
    return True


def _form(text: str) -> dict[str, object] | None:
    """None: the text is no YAML."""
    try:
        return form_of(plain(tree_of(text).root))
    except (YamlError, Uneditable):
        return None
