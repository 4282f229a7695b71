"""Headers of the gate's own are told to those who operate it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEADER = re.compile(r"x-tidegate-[a-z-]+[a-z]|idempot[a-z]+-[a-z]+")


def test_every_header_is_documented() -> None:
    """Each that the edge reads or writes, and none that it does not."""
    edge = "".join(path.read_text(encoding="utf-8").lower() for path in (ROOT / "src/tidegate/edge").glob("*.py"))
    told = (ROOT / "docs/operations.md").read_text(encoding="utf-8").partition("## Headers")[2].partition("\n## ")[0]
    assert set(HEADER.findall(edge)) == set(HEADER.findall(told.lower()))
