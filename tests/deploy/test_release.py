"""What is given to others: the same bytes whoever builds it and wherever, and all in it that a user needs."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

import release
from tests.structure.test_tracked import ROOT
from tidegate import __version__

pytest.importorskip("hatchling", reason="extra `release`", exc_type=ImportError)
pytest.importorskip("cyclonedx", reason="extra `release`", exc_type=ImportError)

SITE = Path("src/tidegate/control/site")
MOMENT = "1780000000"
OURS = {"dev", "langchain", "ui", "judge", "deploy", "release"}  # extras of who builds and tests it


class Made(NamedTuple):
    sdist: Path
    wheel: Path

    def metadata(self) -> Message:
        with zipfile.ZipFile(self.wheel) as archive:
            return email.message_from_bytes(archive.read(f"tidegate-{__version__}.dist-info/METADATA"))


def copied(place: Path, umask: int) -> Path:
    """The tracked files as they are now, and the pages as they were built; each file is new, open to others or not."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    pages = [str(path.relative_to(ROOT)) for path in (ROOT / SITE).rglob("*") if path.is_file()]
    before = os.umask(umask)
    try:
        for name in [*filter(None, listed.split("\0")), *pages]:
            if (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, place / name)
    finally:
        os.umask(before)
    asked = (
        "import build; (build.SITE / '.source').write_text(build.digest())"  # whatever lies beside the tracked files
    )
    subprocess.run([sys.executable, "-c", asked], cwd=place / "web", check=True)
    shutil.rmtree(place / "web" / "__pycache__", ignore_errors=True)
    return place


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """One tree built twice: in different folders, by people with different habits."""
    if not (ROOT / SITE / "index.html").exists():
        pytest.skip("the control room's pages are not built: ./dev ui")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", MOMENT)
        patch.delenv("TIDEGATE_COMPILE", raising=False)
        made = []
        path = os.environ["PATH"]
        for name, umask in (("here", 0o022), ("elsewhere/and/deeper", 0o077)):
            tree = copied(tmp_path_factory.mktemp("release") / name, umask)
            out = tmp_path_factory.mktemp("dist")
            patch.setenv("PATH", str(out))  # nobody finds a Node
            made.append(Made(*release.built(out, tree)))
            patch.setenv("PATH", path)
    return made[0], made[1]


@pytest.mark.timeout(300)
def test_two_builds_are_the_same_bytes(two: tuple[Made, Made]) -> None:
    """Sdist and wheel; and the names of the files are those of this version."""
    for one, other in zip(*two, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.name.startswith(f"tidegate-{__version__}")


@pytest.mark.timeout(300)
def test_the_wheel_is_whole(two: tuple[Made, Made]) -> None:
    """Every module and every file of data, the control room's pages, and nothing of tests or tools."""
    names = set(zipfile.ZipFile(two[0].wheel).namelist())
    tracked = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    wanted = {name.removeprefix("src/") for name in tracked.split("\n") if name and (ROOT / name).is_file()}
    assert wanted - names == set()
    assert release.PAGES in names
    assert {name.partition("/")[0] for name in names} == {"tidegate", f"tidegate-{__version__}.dist-info"}


@pytest.mark.timeout(300)
def test_the_sdist_has_what_a_build_needs(two: tuple[Made, Made]) -> None:
    """The pages as they are built, so no Node; their sources too; nothing that was installed."""
    listed = subprocess.run(["tar", "tzf", str(two[0].sdist)], capture_output=True, check=True, text=True).stdout
    names = {name.partition("/")[2] for name in listed.split("\n")}
    assert {"pyproject.toml", "hatch_build.py", "LICENSE", "README.md", "web/package-lock.json"} <= names
    assert f"{SITE}/index.html" in names
    assert not [name for name in names if "node_modules" in name or name.startswith((".venv", "tests", ".git/"))]


@pytest.mark.timeout(300)
def test_it_says_of_itself_what_is_true(two: tuple[Made, Made]) -> None:
    """Version, licence, Python, its command, and no address that nobody has."""
    said = two[0].metadata()
    assert (said["Name"], said["Version"], said["Requires-Python"]) == ("tidegate", __version__, ">=3.11")
    assert said["License-Expression"] == "Apache-2.0"
    assert said.get_all("Project-URL") is None
    assert {"Programming Language :: Python :: 3.11", "Typing :: Typed"} <= set(said.get_all("Classifier") or ())
    assert set(release.EXTRAS) <= set(said.get_all("Provides-Extra") or ())


@pytest.mark.parametrize("page", ["docs/install.md", "docs/zh/install.md"])
def test_the_bill_is_of_every_extra_that_users_install(page: str) -> None:
    """All but those of who builds and tests it; and the page that newcomers read lists the same."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(release.EXTRAS) == set(named) - OURS
    table = (ROOT / page).read_text(encoding="utf-8").partition("| extra |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(release.EXTRAS)


def test_the_bill_of_the_pages_names_what_they_are_bundled_of() -> None:
    """Each package with version, licence and digest, also what bundles them; none that only checks."""
    text = release.bill_of_pages()
    assert text == release.bill_of_pages()
    bill = json.loads(text)
    parts = {part["purl"]: part for part in bill["components"]}
    names = {f"{part.get('group', '')}/{part['name']}".lstrip("/") for part in parts.values()}
    assert {"react", "@mantine/core", "uplot"} <= names
    assert not {"vitest", "eslint"} & names
    assert all(part["licenses"] and part["hashes"] for part in parts.values())
    assert "timestamp" not in bill["metadata"]


def test_the_pins_are_those_of_everything() -> None:
    """One version for each package that the project names."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split("\n")
    named = [line.partition("==")[0] for line in pins if line]
    assert all("==" in line for line in pins if line)
    assert {"msgspec", "hatchling", "uv", "sqlalchemy"} <= set(named)
