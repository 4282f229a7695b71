"""Programs that are measured beside the gate, each in a folder of its own under `.bench/`, installed by name."""

import json
import os
import subprocess
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".bench"
_NPM = ["npm", "install", "--no-audit", "--no-fund", "--silent"]


class InstallFailed(Exception):
    """The package manager's own words."""


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Quietly. Raises `InstallFailed`."""
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        why = next((line for line in reversed(words) if "error" in line.lower()), words[-1] if words else "")
        raise InstallFailed(f"{' '.join(command[-3:])}: {why or done.returncode}")


def python_package(name: str, requirement: str) -> Path:
    """The `bin` folder of a virtual environment that holds `requirement`; made when it is missing."""
    home = HOME / name
    done = home / ".installed"
    if not done.exists():
        HOME.mkdir(exist_ok=True)
        venv.create(home, with_pip=True, clear=home.exists())
        run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", requirement])
        done.touch()
    return home / "bin"


def python_extra(extra: str) -> Path:
    """The `bin` folder of an environment with one of this project's extras, as pinned; made again when they change."""
    home = HOME / extra
    done = home / ".installed"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["optional-dependencies"][extra]
    pins = ROOT / "constraints.txt"
    stamp = "\n".join([*wanted, pins.read_text()])
    if not done.exists() or done.read_text() != stamp:
        HOME.mkdir(exist_ok=True)
        venv.create(home, with_pip=True, clear=home.exists())
        run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-c", str(pins), *wanted])
        done.write_text(stamp)
    return home / "bin"


def python_version(binaries: Path, distribution: str) -> str:
    """The version of a distribution in that environment."""
    program = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run(
        [binaries / "python", "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def node_packages(name: str, manifest: Path) -> Path:
    """The `node_modules` of what a `package.json` asks for, in its versions; installed again when it changes."""
    home = HOME / name
    mine = home / "package.json"
    if not mine.exists() or mine.read_bytes() != manifest.read_bytes():
        home.mkdir(parents=True, exist_ok=True)
        mine.write_bytes(manifest.read_bytes())
        try:
            run([*_NPM, "--no-package-lock", "--prefix", str(home)])
        except InstallFailed:
            mine.unlink()
            raise
    return home / "node_modules"


def node_version(folder: Path) -> str:
    """The version in the package's own description."""
    return str(json.loads((folder / "package.json").read_text())["version"])
