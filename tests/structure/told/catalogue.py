"""The Chinese words for what the gate says: a file for each room that says it, in web/src/i18n/told/zh/."""

import json
from collections.abc import Mapping
from typing import Final

from tests.structure.told.project import ROOT

PLACE: Final = ROOT / "web" / "src" / "i18n" / "told" / "zh"
Rooms = dict[str, dict[str, str]]
_ROOM_OF: Final = {  # where a sentence is put by who says it; a folder of this name has its own
    "policy": "drills", "worker": "calls", "line": "calls", "edge": "calls", "wire": "calls", "jobs": "calls",
    "model": "config", "supervisor": "control", "pydantic": "control",
}  # fmt: skip


def read() -> Rooms:
    """By room: templates, and what they are in Chinese."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(PLACE.glob("*.json"))}


def missing(said: Mapping[str, object], rooms: Rooms) -> list[str]:
    """Templates that have no Chinese words."""
    known = {text for room in rooms.values() for text, chinese in room.items() if chinese}
    return sorted(said.keys() - known)


def stale(said: Mapping[str, object], rooms: Rooms) -> list[str]:
    """What no source says any more."""
    return sorted({text for room in rooms.values() for text in room} - said.keys())


def renewed(said: Mapping[str, list[str]], rooms: Rooms) -> Rooms:
    """Without what is stale, and with an empty place for what is missing."""
    made = {room: {text: zh for text, zh in texts.items() if text in said} for room, texts in rooms.items()}
    there = {text for texts in made.values() for text in texts}
    for text in said.keys() - there:
        first = said[text][0].partition("/")[0]
        made.setdefault(_ROOM_OF.get(first, first), {})[text] = ""
    return made


def write(rooms: Rooms) -> None:
    """As the catalogue stands."""
    for room, texts in rooms.items():
        told = json.dumps(dict(sorted(texts.items())), ensure_ascii=False, indent=2)
        (PLACE / f"{room}.json").write_text(f"{told}\n", encoding="utf-8")
