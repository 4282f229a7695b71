"""The build hook of the wheel: with TIDEGATE_COMPILE set, mypyc compiles the rooms that a call goes through.

TIDEGATE_COMPILE=1 is the wheel that is distributed; =debug compiles as fast as can be and with assertions, for tests.
Unset, and in editable installs, the package is plain Python: the sources are the same and need no compiler.

It runs itself as a program, `hatch_build.py OUT OPTIMISE MODULE...`, so that the compiler's talk and its global state
stay out of the build backend.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # as a program it needs no backend
    BuildHookInterface = object  # type: ignore[misc, assignment]

NEEDED = ["mypy[mypyc]>=2.4", "setuptools"]
TYPED = ["httptools>=0.7", "uvloop>=0.22", "msgspec>=0.20"]  # mypyc reads their types
LEVELS = {"1": "2", "debug": "0"}


class CompiledWheel(BuildHookInterface):
    """Adds the compiled modules beside their sources, which stay for tracebacks."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build environment needs beside hatchling."""
        return NEEDED + TYPED if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel name its platform. Raises `RuntimeError` with the compiler's words."""
        level = _wanted()
        if not level or version == "editable":
            return
        self._out = tempfile.TemporaryDirectory(prefix="tidegate-compiled-")
        out = Path(self._out.name)
        modules = compiled_modules(Path(self.root), self.config["rooms"], self.config["interpreted"])
        command = [sys.executable, __file__, str(out), level, *modules]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mypyc failed; unset TIDEGATE_COMPILE for a plain wheel.\n{_words(done)}")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for made in out.rglob("*.so"):
            build_data["force_include"][str(made)] = made.relative_to(out).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Throw away what is in the wheel now."""
        if hasattr(self, "_out"):
            self._out.cleanup()


def compiled_modules(root: Path, rooms: list[str], interpreted: list[str]) -> list[str]:
    """Source files that the patterns of `rooms` find, but for those that stay plain Python.

    These are the ones that are named, and every module that defines a msgspec struct: mypyc drops the keywords of a
    class (`frozen`, `gc`, `eq`) and the annotations that decoding needs.
    """
    source = root / "src" / "tidegate"
    found = {path for room in rooms for path in source.glob(room) if path.name != "__init__.py"}
    stay = {source / name for name in interpreted}
    if strange := sorted(str(path.relative_to(source)) for path in stay - found):
        raise RuntimeError(f"pyproject.toml keeps modules interpreted that `rooms` does not find: {', '.join(strange)}")
    return [str(path.relative_to(root)) for path in sorted(found - stay) if "msgspec.Struct" not in path.read_text()]


def _wanted() -> str:
    switch = os.environ.get("TIDEGATE_COMPILE", "")
    if switch in {"", "0"}:
        return ""
    if switch not in LEVELS:
        raise RuntimeError(f"TIDEGATE_COMPILE={switch}: expected 1, debug or 0")
    return LEVELS[switch]


def _words(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stdout + done.stderr).splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return "\n".join((errors or lines)[-30:])


def main(out: str, level: str, *modules: str) -> None:
    """Compile `modules` into `out`, beside the working directory's sources."""
    from mypyc.build import mypycify  # noqa: PLC0415 - the backend imports this file without it
    from setuptools import setup  # noqa: PLC0415

    os.environ.setdefault("MYPYPATH", "stubs")
    with tempfile.TemporaryDirectory(prefix="tidegate-c-") as work:
        extensions = mypycify(
            ["--config-file=pyproject.toml", f"--cache-dir={work}/mypy", *modules],
            opt_level=level,
            debug_level="0",
            multi_file=True,  # one C file of all would take gcc three times as long
            group_name="tidegate",
            target_dir=f"{work}/c",
        )
        words = ["build_ext", f"--build-lib={out}", f"--build-temp={work}/o", f"--parallel={os.cpu_count()}"]
        setup(name="tidegate", packages=[], ext_modules=extensions, script_args=["-q", *words])


if __name__ == "__main__":
    main(*sys.argv[1:])
