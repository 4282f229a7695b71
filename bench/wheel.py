"""`./dev wheel`: the compiled wheel for this Python and this kind of machine, laid out by what calls really run.

    sources ──mypyc, gcc──► a wheel that counts ──bench/training.py──► counts ──mypyc, gcc──► dist/tidegate-….whl

A call runs through a twentieth of ten megabytes of machine code, most of which raises errors. By the counts gcc puts
what runs side by side and what does not elsewhere: an eighth of an answer's CPU. `./dev bench` and `./dev prove`
measure such a wheel. It takes ten minutes on two cores.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

from bench.install import HOME, ROOT, InstallFailed, run

_EXTRAS: Final = "[semantic,celery,workers,postgres,otel]"
_SITE: Final = ROOT / "src" / "tidegate" / "control" / "site"
_TOOLS: Final = ("hatchling", "setuptools>=77")  # beside mypy, which the environment has
_PINS: Final = ["--constraint", str(ROOT / "constraints.txt")]


def make(out: Path) -> Path:
    """The wheel, in `out`. Raises `InstallFailed`, also when there is no C compiler."""
    run(["uv", "pip", "install", "--quiet", "--python", sys.executable, *_PINS, *_TOOLS])
    with tempfile.TemporaryDirectory(prefix="tidegate-wheel-") as folder:
        work = Path(folder)
        counting = _built(work / "counting", "counting", work / "profile")
        _say("training …")
        program = _installed(work / "gate", counting) / "tidegate"
        run([sys.executable, "-m", "bench.training", str(program)], {"PYTHONPATH": str(ROOT)})
        return _built(out, "1", work / "profile")


def compiled_gate() -> Path:
    """The `bin` folder of an environment that holds the wheel of this tree. Raises `InstallFailed`.

    Made again when a source changed.
    """
    home = HOME / "tidegate"
    done = home / ".installed"
    wanted = _sources()
    if done.exists() and done.read_text() == wanted:
        return home / "bin"
    HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tidegate-gate-") as folder:
        binaries = _installed(home, make(Path(folder)), _EXTRAS)
    done.write_text(wanted)
    return binaries


def _built(out: Path, switch: str, profile: Path) -> Path:
    _say(f"compiling (TIDEGATE_COMPILE={switch}) …")
    how = {"TIDEGATE_COMPILE": switch, "TIDEGATE_PROFILE": str(profile)}
    if not _pages():
        how["TIDEGATE_SKIP_UI"] = "1"
    build = ["uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    run([*build, "--out-dir", str(out), str(ROOT)], how)
    return max(out.glob("tidegate-*.whl"), key=lambda path: path.stat().st_mtime)


def _installed(home: Path, wheel: Path, extras: str = "") -> Path:
    """The `bin` folder of a new environment with this wheel."""
    venv.create(home, clear=home.exists())
    run(["uv", "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), *_PINS, f"{wheel}{extras}"])
    return home / "bin"


def _pages() -> bool:
    """Whether the control room's pages are built, of the sources that are here."""
    fresh = [sys.executable, "web/build.py", "--ask", "fresh"]
    return subprocess.run(fresh, cwd=ROOT, capture_output=True, check=False).returncode == 0


def _sources() -> str:
    """A digest of all that the wheel is made from."""
    digest = hashlib.sha256()
    sources = [path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".yaml"}]
    sources += [path for path in _SITE.rglob("*") if path.is_file()] if _pages() else []
    tools = [ROOT / name for name in ("pyproject.toml", "hatch_build.py", "constraints.txt", "bench/training.py")]
    for path in [*sorted(sources), *tools]:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _say(words: str) -> None:
    print(f"./dev wheel: {words}", file=sys.stderr, flush=True)


def main(words: list[str]) -> int:
    """Makes it, and says where it is."""
    parser = argparse.ArgumentParser(prog="./dev wheel", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the wheel (default: dist)")
    try:
        print(os.path.relpath(make(parser.parse_args(words).out.absolute())))
    except InstallFailed as error:
        print(f"./dev wheel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
