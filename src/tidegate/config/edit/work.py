"""What the control process asks about a text: to show it, to try changes, to check it. Records of JSON in and out.

Texts come from the file (`base`, with its secrets) and from people (`text`, with masks). Answers hold no secret but in
`plain`, the text that is to be written.
"""

import os
from collections.abc import Mapping
from typing import Any

from tidegate.config.edit.changes import MOST, CannotChange, Change, apply
from tidegate.config.edit.difference import difference
from tidegate.config.edit.form import form_of
from tidegate.config.edit.masks import Masked, Masker, by_place, laid_bare, put_back
from tidegate.config.edit.reserved import reserved
from tidegate.config.edit.tree import Uneditable, composed, plain, tree_of
from tidegate.config.findings import ConfigError, Finding
from tidegate.config.load import Sharing, load
from tidegate.config.nodes import YamlError
from tidegate.config.parcels import Unshareable
from tidegate.config.source import Document, parse

_FINDINGS = 200  # told at a time


def answer(asked: Mapping[str, Any], environ: Mapping[str, str], wall: int) -> dict[str, object]:
    """One question. `wall`: microseconds since 1970."""
    masker = Masker(bytes.fromhex(str(asked["key"])))
    base = masker.hide(str(asked["base"]))
    if asked["what"] == "show":
        checked = _check(asked, str(asked["base"]), environ, wall) if asked.get("checks", True) else {}
        return {"text": base.text, "form": _form(base.text), **checked}
    return _edited(asked, masker, base, environ, wall)


def _edited(
    asked: Mapping[str, Any], masker: Masker, base: Masked, environ: Mapping[str, str], wall: int
) -> dict[str, object]:
    text = str(asked["text"]) if asked.get("text") is not None else base.text
    findings: list[Finding] = []
    changes = [
        Change(tuple(one["path"]), one.get("value"), bool(one.get("remove"))) for one in asked.get("changes", ())
    ]
    try:
        text = apply(text, changes[:MOST])
    except CannotChange as error:
        findings.append(error.finding)
    except YamlError as error:
        findings.append(error.finding)
    secrets = by_place(text, str(asked["base"]), base.secrets) if asked.get("restores") else base.secrets
    filled, lost = put_back(text, secrets)
    findings += lost
    form = _form(text)
    if not findings and form is not None and not asked.get("restores"):
        findings += laid_bare(text, filled, str(asked["base"]), masker)
    if asked.get("hides"):
        text = masker.hide(filled).text
    found = difference(base.text, text)
    made: dict[str, object] = {
        "text": text, "diff": found.text, "added": found.added, "removed": found.removed, "form": form,
        "plain": filled,
    }  # fmt: skip
    if asked.get("guards"):
        new = _document(filled, environ)
        made["reserved"] = list(map(new.label, reserved(_document(str(asked["base"]), environ).data, new.data)))
    checked = _check(asked, filled, environ, wall)
    return {**made, **checked, "errors": [*map(_record, findings), *checked["errors"]]}


def _check(asked: Mapping[str, Any], text: str, environ: Mapping[str, str], wall: int) -> dict[str, list[object]]:
    path = str(asked["file"])
    sharing = Sharing(text=text.encode(errors="surrogatepass"), packs=bool(asked.get("common")), read=composed)
    try:
        loaded = load(path, environ, serving=True, wall=wall, sharing=sharing)
    except ConfigError as error:
        return {"errors": [_record(one) for one in error.findings[:_FINDINGS]], "warnings": []}
    except (Unshareable, OSError) as error:
        return {"errors": [_record(_of(error))], "warnings": []}
    return {"errors": [], "warnings": [_record(one) for one in loaded.warnings[:_FINDINGS]]}


def _of(error: Exception) -> Finding:
    said = str(error)
    line = said.removeprefix("line ").partition(":")[0]
    at = int(line) if said.startswith("line ") and line.isdecimal() else 1
    return Finding(at, 1, "", f"cannot be shared with the other nodes: {said}", "see docs/scaling.md")


def _record(one: Finding) -> dict[str, object]:
    found: dict[str, object] = {"line": one.line, "column": one.column, "field": one.field, "message": one.message}
    return {**found, "remedy": one.remedy, **({"file": os.path.basename(one.file)} if one.file else {})}  # noqa: PTH119


def _document(text: str, environ: Mapping[str, str]) -> Document:
    """As the gate reads it; an empty one where it cannot."""
    try:
        return parse(text, environ, composed)
    except YamlError:
        return Document()


def _form(text: str) -> dict[str, object] | None:
    """None: the text is no YAML."""
    try:
        return form_of(plain(tree_of(text).root))
    except (YamlError, Uneditable):
        return None
