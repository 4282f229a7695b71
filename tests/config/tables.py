"""The tables of docs/configuration.md and its Chinese twin as the schema would have them.

Print the English ones: `python -m tests.config.tables`. Write them into both pages, in the words of
`descriptions.zh.json`: `python -m tests.config.tables --write`.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tidegate.config.fields import all_fields, bare, literals

DOCS = Path(__file__).parents[2] / "docs"
NUMBERS = {int: "whole number", float: "number", Decimal: "number"}
KINDS = {**NUMBERS, bool: "true or false", str: "text", list: "list", dict: "mapping"}
RULE = "|---|---|---|---|"


class Language(NamedTuple):
    """How a page says it: what a text that is not in `words` means, it says as it stands."""

    page: Path
    top: str
    all_fields: str
    columns: str
    words: Mapping[str, str] = {}
    texts: Mapping[str, str] | None = None

    def meaning(self, description: str | None) -> str:
        """What a field means; KeyError where nobody has said it in this language."""
        text = description or ""
        return text if self.texts is None else self.texts[text]

    def path(self, heading: str) -> str:
        """The section that a heading of the third level is about."""
        name = heading.removeprefix("### ")
        return "" if name == self.top else name.strip("`")

    def word(self, word: str) -> str:
        return self.words.get(word, word)


CHINESE_TEXTS: dict[str, str] = json.loads((Path(__file__).parent / "descriptions.zh.json").read_text(encoding="utf-8"))
CHINESE_WORDS = {
    ", ": "、",
    "whole number": "整数",
    "number": "数",
    "true or false": "true 或 false",
    "text": "文本",
    "list": "列表",
    "mapping": "映射",
    "required": "必填",
}
ENGLISH = Language(DOCS / "configuration.md", "Top level", "All fields", "| field | type | default | meaning |")
CHINESE = Language(
    DOCS / "zh" / "configuration.md",
    "顶层",
    "所有字段",
    "| 字段 | 类型 | 默认值 | 含义 |",
    CHINESE_WORDS,
    CHINESE_TEXTS,
)


def sections() -> dict[str, dict[str, FieldInfo]]:
    """The fields of every part of the file by its path; the top level's path is empty."""
    found: dict[str, dict[str, FieldInfo]] = defaultdict(dict)
    for path, field in all_fields():
        parent, _, name = path.rpartition(".")
        found[parent][name] = field
    return found


def documented(language: Language) -> dict[str, str]:
    """The text below each heading of a section, by the section's path."""
    text = language.page.read_text(encoding="utf-8").partition(f"## {language.all_fields}\n")[2].partition("\n## ")[0]
    parts = re.split(r"^(### .*)$", text, flags=re.MULTILINE)
    return {language.path(heading): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def missing() -> list[str]:
    """What the schema says of its fields and nobody has said in Chinese."""
    return sorted({field.description or "" for _, field in all_fields()} - CHINESE_TEXTS.keys())


def kind(field: FieldInfo, language: Language = ENGLISH) -> str:
    annotation = bare(field.annotation)
    if words := literals(annotation):
        return language.word(", ").join(f"`{word}`" for word in words)
    return language.word(KINDS.get(get_origin(annotation) or annotation, "mapping"))


def default(field: FieldInfo, language: Language = ENGLISH) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return language.word("required")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value}"
    if isinstance(value, float | str):
        return f"{value:g}" if isinstance(value, float) else f"`{value}`"
    return "–"


def row(name: str, field: FieldInfo, language: Language = ENGLISH) -> str:
    meaning = language.meaning(field.description)
    return f"| `{name}` | {kind(field, language)} | {default(field, language)} | {meaning} |"


def table(fields: dict[str, FieldInfo], language: Language = ENGLISH) -> str:
    return "\n".join([language.columns, RULE, *(row(name, field, language) for name, field in fields.items())])


def written(language: Language) -> str:
    """The page with the tables that its sections have, whatever stood in them."""
    found = sections()
    old = re.compile(rf"^{re.escape(language.columns)}\n{re.escape(RULE)}(?:\n\|.*)*$", re.MULTILINE)
    parts = re.split(r"^(### .*)$", language.page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for place in range(1, len(parts), 2):
        path = language.path(parts[place])
        if path in found:
            parts[place + 1] = table(found[path], language).join(old.split(parts[place + 1], maxsplit=1))
    return "".join(parts)


def main() -> None:
    """Print the tables, or write them; where a Chinese text is missing say so."""
    if sys.argv[1:] != ["--write"]:
        for parent, fields in sections().items():
            print(f"### `{parent}`\n\n{table(fields)}\n")
    elif lacking := missing():
        sys.exit("say these in tests/config/descriptions.zh.json:\n" + "\n".join(lacking))
    else:
        for language in (ENGLISH, CHINESE):
            language.page.write_text(written(language), encoding="utf-8")


if __name__ == "__main__":
    main()
