"""The build hook: it puts the web UI into wheel and sdist, and compiles the rooms that a call goes through.

The UI is built from `web/` where it is not there yet (web/build.py); TIDEGATE_SKIP_UI=1 leaves it out. An editable
install goes on without it where it cannot be built.

With TIDEGATE_COMPILE set, mypyc compiles: =1 for use; =debug compiles as fast as can be and with assertions, for tests.
Unset, and in editable installs, the package is plain Python: the sources are the same and need no compiler.

TIDEGATE_PROFILE=FOLDER lets gcc lay the code out by what ran: =counting compiles one that counts into FOLDER, and =1
is then compiled by these counts. `./dev wheel` does both (bench/wheel.py).

It runs itself as a program, `hatch_build.py OUT SWITCH MODULE...`, so that the compiler's talk and its global state
stay out of the build backend.
"""

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # as a program it needs no backend
    BuildHookInterface = object  # type: ignore[misc, assignment]

NEEDED = ["mypy[mypyc]>=2.4", "setuptools>=77"]  # it reads `project.license` of pyproject.toml
TYPED = ["httptools>=0.7", "uvloop>=0.22", "msgspec>=0.20"]  # mypyc reads their types
_COUNTING = "counting"
LEVELS = {"1": "2", "debug": "0", _COUNTING: "2"}
COUNTS = ["-fprofile-generate", "-fprofile-update=single"]  # a gate's worker has one thread that runs this code
# What the training did not reach is compiled as without counts.
COUNTED = ["-fprofile-use", "-fprofile-partial-training", "-fprofile-correction", "-Wno-missing-profile"]


class Build(BuildHookInterface):
    """What wheel and sdist carry beside the tracked sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build environment needs beside hatchling."""
        compiler = NEEDED + TYPED if self.target_name == "wheel" and _wanted() else []
        web = None if _without_site() else _web(Path(self.root))
        node = [web.NODE_PACKAGE] if web and not web.fresh() and not web.node_home() else []
        return compiler + node

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """The site, then the compiled modules. Raises `RuntimeError` with what the builder or the compiler said."""
        if not _without_site():
            self._site(editable=version == "editable")
            build_data["artifacts"].append("/src/tidegate/control/site/**")
        if self.target_name == "wheel" and version != "editable":
            self._compile(build_data)

    def _site(self, *, editable: bool) -> None:
        web = _web(Path(self.root))
        if web is None:
            return
        try:
            web.build()
        except web.Failed as problem:
            if not editable:
                raise RuntimeError(f"the web UI is not built: {problem}") from None
            self.app.display_warning(f"the web UI is not built: {problem}")

    def _compile(self, build_data: dict[str, Any]) -> None:
        """Adds the compiled modules beside their sources, which stay for tracebacks; the wheel names its platform."""
        switch = _wanted()
        if not switch:
            return
        self._out = tempfile.TemporaryDirectory(prefix="tidegate-compiled-")
        out = Path(self._out.name)
        modules = compiled_modules(Path(self.root), self.config["rooms"], self.config["interpreted"])
        command = [sys.executable, __file__, str(out), switch, *modules]
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


def _without_site() -> bool:
    return os.environ.get("TIDEGATE_SKIP_UI", "") not in {"", "0"}


def _web(root: Path) -> ModuleType | None:
    """`web/build.py`; None where the UI's sources are not there, as in a copy that somebody cut down."""
    place = root / "web" / "build.py"
    spec = importlib.util.spec_from_file_location("tidegate_web_build", place) if place.exists() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _wanted() -> str:
    switch = os.environ.get("TIDEGATE_COMPILE", "")
    if switch in {"", "0"}:
        return ""
    if switch not in LEVELS:
        raise RuntimeError(f"TIDEGATE_COMPILE={switch}: expected 1, debug, counting or 0")
    if switch == _COUNTING and not _profile():
        raise RuntimeError("TIDEGATE_COMPILE=counting needs TIDEGATE_PROFILE, the folder that is counted into")
    return switch


def _profile() -> str:
    return os.environ.get("TIDEGATE_PROFILE", "")


def _words(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stdout + done.stderr).splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return "\n".join((errors or lines)[-30:])


def main(out: str, switch: str, *modules: str) -> None:
    """Compile `modules` into `out`, beside the working directory's sources."""
    from mypyc.build import mypycify  # noqa: PLC0415 - the backend imports this file without it
    from setuptools import setup  # noqa: PLC0415

    os.environ.setdefault("MYPYPATH", "stubs")
    with contextlib.ExitStack() as stack:
        # Counts lie beside the object that counted, and are found by the same path.
        work = _profile() or stack.enter_context(tempfile.TemporaryDirectory(prefix="tidegate-c-"))
        extensions = mypycify(
            ["--config-file=pyproject.toml", f"--cache-dir={work}/mypy", *modules],
            opt_level=LEVELS[switch],
            debug_level="0",
            multi_file=True,  # one C file of all would take gcc three times as long
            group_name="tidegate",
            target_dir=f"{work}/c",
        )
        flags = COUNTS if switch == _COUNTING else COUNTED if _profile() else []
        for extension in extensions:
            extension.extra_compile_args = [*extension.extra_compile_args, *flags]
            extension.extra_link_args = [*extension.extra_link_args, *flags]
        words = ["build_ext", f"--build-lib={out}", f"--build-temp={work}/o", "--force"]
        setup(
            name="tidegate",
            packages=[],
            ext_modules=extensions,
            cmdclass={"build_ext": _side_by_side()},
            script_args=["-q", *words],
        )


def _side_by_side() -> Any:
    """Extensions are compiled side by side as it is, but not the files of one: here nearly all are of one."""
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    class SideBySide(build_ext):
        def build_extensions(self) -> None:
            alone = self.compiler.compile

            def together(sources: list[str], **how: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    return [made for each in pool.map(lambda source: alone([source], **how), sources) for made in each]

            self.compiler.compile = together
            super().build_extensions()

    return SideBySide


if __name__ == "__main__":
    main(*sys.argv[1:])
