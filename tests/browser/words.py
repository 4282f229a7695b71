"""What the pages say, read from their catalogues: a test looks for a word of the language that it asked for."""

import json
import re
from functools import cache
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
LANGS = {"en": "en", "zh-CN": "zh"}  # as a browser asks, and the catalogues' folder
BELOW = (  # below the pages; `{call}`, `{job}` and `{alert}` are numbers of what a room has
    "/calls?mode=search", "/calls/{call}",
    "/alerts/history", "/alerts/notices", "/alerts/rules", "/alerts/channels", "/alerts/silences", "/alerts/{alert}",
    "/policies/changes", "/policies/dryrun", "/policies/history",
    "/tenants/web", "/tenants/web/users", "/tenants/web/keys", "/tenants/web/spend",
    "/jobs/{job}",
    "/drills/check", "/drills/shadows", "/drills/runs/core",
    "/settings/status", "/settings/tokens", "/settings/sessions", "/settings/audit",
)  # fmt: skip
_ENTRY = re.compile(r'^  (\w+):\s*("(?:[^"\\]|\\.)*")', re.MULTILINE)
_PAGE = re.compile(r'^  (\w+): \{\s*path: "([^"]+)"', re.MULTILINE)


@cache
def words(lang: str, catalogue: str) -> dict[str, str]:
    """The texts of a catalogue that have one form."""
    text = (WEB / "src" / "i18n" / LANGS[lang] / f"{catalogue}.ts").read_text(encoding="utf-8")
    return {name: json.loads(value) for name, value in _ENTRY.findall(text)}


@cache
def pages() -> dict[str, str]:
    """Every page's path, by its name."""
    return dict(_PAGE.findall((WEB / "src" / "app" / "pages.ts").read_text(encoding="utf-8")))
