"""In the pure rooms every source file has a test file of the same name."""

from pathlib import Path

import pytest

from tests.structure.house import UNTESTED_ALONE

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tidegate"
ROOMS = ("model", "policy", "providers", "redaction", "line")


def room_files(room: str) -> list[Path]:
    return [path for path in sorted((SOURCE / room).rglob("*.py")) if path.name != "__init__.py"]


def mirror_of(path: Path) -> Path:
    inner = path.relative_to(SOURCE)
    return ROOT / "tests" / inner.parent / f"test_{inner.name}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_has_its_test(room: str) -> None:
    """`policy/quota/bucket.py` is tested by `tests/policy/quota/test_bucket.py`, and so on."""
    missing = {str(path.relative_to(SOURCE)) for path in room_files(room) if not mirror_of(path).exists()}
    assert missing - set(UNTESTED_ALONE) == set()


def test_no_exception_is_stale() -> None:
    """What is named as untested alone exists and still has no test file."""
    for name in UNTESTED_ALONE:
        assert (SOURCE / name).exists(), name
        assert not mirror_of(SOURCE / name).exists(), name
