"""What no file of the project may say: where it was built."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In pieces, so that this file does not say it.
FORBIDDEN = {
    "a registry's host": r"py" + r"pi\.org|python" + r"hosted\.org|registry\." + r"npmjs|deb\." + r"debian\.org",
    "a path of one machine": r"(?<![\w.\-/])/(?:work|root|home/\w+|Users/\w+)/",
}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str, tracked: list[Path]) -> None:
    """No tracked file names a registry's host or a path that exists on one machine only."""
    pattern = re.compile(FORBIDDEN[what].encode())
    said = [
        f"{path.relative_to(ROOT)}: {found[0]!r}" for path in tracked if (found := pattern.search(path.read_bytes()))
    ]
    assert said == []


def test_the_patterns_find_what_they_forbid() -> None:
    """The two patterns match an example of each, and leave a plain URL path alone."""
    hosts, paths = (re.compile(pattern) for pattern in FORBIDDEN.values())
    assert hosts.search("https://" + "py" + "pi.org/simple")
    assert paths.search("see " + "/wo" + "rk/main")
    assert not paths.search("http://127.0.0.1/wo" + "rk/x")
    assert not paths.search("docs/wo" + "rk/x")
