"""`./dev release`: what is given to others, in `dist/`: sdist, wheel, pinned constraints, bills of material, checksums.

Two builds of one commit are equal byte for byte: the moment is the commit's (SOURCE_DATE_EPOCH), the tools are those of
this environment, which are pinned. The wheel is made from the sdist, which has the control room's pages in it and so
needs no Node.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
EXTRAS = ("postgres", "semantic", "redis", "workers", "celery", "otel", "apprise", "oidc")  # that users install
PAGES = "tidegate/control/site/index.html"
_BIN = Path(sys.executable).parent


class Failed(Exception):
    """A program's own words."""


def make(out: Path, say: Callable[[str], None] = print) -> list[Path]:
    """Everything, into `out`, which is emptied of former releases. Raises `Failed`."""
    out.mkdir(parents=True, exist_ok=True)
    for former in [*out.glob("tidegate-*"), *out.glob("SHA256SUMS")]:
        former.unlink()
    sdist, wheel = built(out)
    if _with_pages() and PAGES not in zipfile.ZipFile(wheel).namelist():
        raise Failed(f"{wheel.name} has no {PAGES}: build the pages with `./dev ui`, or set TIDEGATE_SKIP_UI=1")
    name = wheel.name.partition("-py3")[0]
    made = [sdist, wheel, out / f"{name}-constraints.txt"]
    shutil.copyfile(ROOT / "constraints.txt", made[-1])
    made += bills(out, name)
    sums = out / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made))
    for path in [*made, sums]:
        say(f"{path.name}, {path.stat().st_size:,} bytes")
    return [*made, sums]


def built(out: Path, root: Path = ROOT) -> tuple[Path, Path]:
    """The sdist of a tree, and the wheel of the sdist."""
    command = [str(_BIN / "uv"), "build", "--quiet", "--no-build-isolation", "--python", sys.executable]
    command += ["--out-dir", str(out)]
    _run([*command, "--sdist", str(root)])
    sdist = next(out.glob("tidegate-*.tar.gz"))
    with tempfile.TemporaryDirectory(prefix="tidegate-sdist-") as folder:
        with tarfile.open(sdist) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian 12's Python has none yet
            archive.extractall(folder)  # noqa: S202 - made two lines above
        _run([*command, "--wheel", str(next(Path(folder).iterdir()))])
    (out / ".gitignore").unlink(missing_ok=True)
    return sdist, next(out.glob("tidegate-*.whl"))


def bills(out: Path, name: str) -> list[Path]:
    """Bills of material (CycloneDX): what is installed with the package and its extras, and what the pages are made of.

    Registries are asked for the digests.
    """
    made = [out / f"{name}-python.cdx.json"]
    with tempfile.NamedTemporaryFile(suffix=".txt") as wanted:
        extras = [word for extra in EXTRAS for word in ("--extra", extra)]
        pins = ["--constraints", str(ROOT / "constraints.txt"), "--universal", "--no-header", "--no-annotate"]
        project = str(ROOT / "pyproject.toml")
        asked = ["pip", "compile", "--quiet", "--generate-hashes", *extras, *pins, "--output-file", wanted.name]
        _run([str(_BIN / "uv"), *asked, project])
        bill = [str(_BIN / "cyclonedx-py"), "requirements", "--pyproject", project, "--output-reproducible"]
        _run([*bill, "--output-format", "JSON", "--output-file", str(made[0]), wanted.name])
    if _with_pages():
        made.append(out / f"{name}-web.cdx.json")
        made[-1].write_text(bill_of_pages())
    return made


def _with_pages() -> bool:
    return os.environ.get("TIDEGATE_SKIP_UI", "") in {"", "0"}


def bill_of_pages() -> str:
    """What the pages are bundled of, by the lock of their packages: no Node and no registry is asked."""
    return _timeless(_of_pages(json.loads((ROOT / "web" / "package-lock.json").read_text())))


def _of_pages(lock: dict[str, Any]) -> str:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    bill = Bom()
    for place, package in sorted(lock["packages"].items()):
        if not place or package.get("dev") or package.get("devOptional"):
            continue
        path = place.rpartition("node_modules/")[2]
        scope, _, name = path.rpartition("/")
        purl = PackageURL("npm", scope or None, name, package["version"])
        algorithm, _, digest = package.get("integrity", "").partition("-")
        hashes = [HashType(alg=HashAlgorithm.SHA_512, content=b64decode(digest).hex())] if algorithm == "sha512" else []
        licenses = [LicenseFactory().make_from_string(package["license"])] if "license" in package else []
        words = {"name": name, "group": scope or None, "version": package["version"], "purl": purl}
        bill.components.add(Component(**words, bom_ref=f"{place}@{purl}", hashes=hashes, licenses=licenses))
    bill.metadata.component = Component(name="tidegate-control-room", type=ComponentType.APPLICATION)
    bill.metadata.component.bom_ref.value = "tidegate-control-room"
    bill.register_dependency(bill.metadata.component, bill.components)
    return JsonV1Dot6(bill).output_as_string()


def _timeless(text: str) -> str:
    """Without what differs each time it is made."""
    bill: dict[str, Any] = json.loads(text)
    bill.pop("serialNumber", None)
    bill.get("metadata", {}).pop("timestamp", None)
    return json.dumps(bill, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def moment() -> str:
    """Of the commit, unless the environment says another."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return given or _run(["git", "log", "-1", "--format=%ct"]).strip()


def _run(command: Sequence[str], folder: Path = ROOT) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    if command[0] != "git":
        environment["SOURCE_DATE_EPOCH"] = moment()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} {' '.join(command[1:3])}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def main() -> int:
    """0, or 1 with what a program said."""
    parser = argparse.ArgumentParser(prog="./dev release", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="default: dist/")
    try:
        make(parser.parse_args().out)
    except Failed as problem:
        sys.stderr.write(f"./dev release: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
