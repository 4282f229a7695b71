"""A Debian that has nothing but git and python3-venv: what a newcomer types there, and in Chinese; the wheel alone."""

import functools
import re
from pathlib import Path

from bench.figures import at_least, exactly, told
from bench.proofs.release import image
from bench.proofs.release.root import REPOSITORY, Debian, debian
from bench.proofs.steps import Context, Row, outcomes

SUBSET = "tests/config tests/policy tests/cli tests/e2e/test_mission.py tests/e2e/test_quota.py"  # for a look
_CHINESE = "zh_CN.UTF-8"
_ANSWERED = re.compile(r"(\d[\d,]*) answered")
_LONG = 5_400.0  # seconds; all tests on two cores that others use, too


@functools.cache
def _root(work: Path) -> Debian:
    """One for the whole row, without any of what the project brings."""
    return debian(work / "debian")


def from_a_clone(context: Context, row: Row) -> None:
    """A clone, the demo, the tests; `--quick`: some of them, by name."""
    root = _root(context.work)
    clone = root.run(f"git clone --quiet {REPOSITORY} tidegate && cd tidegate && git log -1 --format=%h", {}, 300)
    row.figures.append(told("commit", clone.stdout.strip()))
    _demo(row, root, "cd tidegate; ./dev demo --seconds 20", {}, "./dev demo: calls answered in 20 s")
    command = f"./dev test -q {SUBSET if context.quick else ''}".strip()
    row.commands.append(command)
    done = root.run(f"cd tidegate; {command}", {}, _LONG)
    counts = outcomes(done.stdout)
    bad = counts.get("failed", 0) + counts.get("error", 0)
    row.figures.append(exactly("./dev test: failed", bad if counts else 1, 0, _failed(done.stdout)))
    row.figures.append(at_least("./dev test: passed", counts.get("passed", 0), 300 if context.quick else 3_000))
    row.figures.append(told("./dev test: skipped, each with its reason", str(counts.get("skipped", 0))))


def in_chinese(context: Context, row: Row) -> None:
    """The same where the system speaks Chinese; the locale is Debian's."""
    root, spoken = _root(context.work), {"LANG": _CHINESE, "LC_ALL": _CHINESE}
    wanted = f"apt-get update -qq && apt-get install -y -qq locales && localedef -i zh_CN -f UTF-8 {_CHINESE}"
    ready = root.run(wanted, {"DEBIAN_FRONTEND": "noninteractive"}, 600)
    spoken_there = root.run("locale -a", spoken, 60).stdout.lower()
    row.figures.append(exactly("locale zh_CN", int("zh_cn.utf8" in spoken_there), 1, ready.stdout[-200:]))
    _demo(
        row, root, "cd tidegate; ./dev demo --seconds 20", spoken, "LANG=zh_CN.UTF-8 ./dev demo: calls answered in 20 s"
    )
    command = f"./dev test -q {SUBSET}"
    row.commands.append(f"LANG={_CHINESE} {command}")
    counts = outcomes((done := root.run(f"cd tidegate; {command}", spoken, _LONG)).stdout)
    bad = counts.get("failed", 0) + counts.get("error", 0)
    row.figures.append(exactly("tests in Chinese: failed", bad if counts else 1, 0, _failed(done.stdout)))


def from_the_wheel(context: Context, row: Row) -> None:
    """The wheel and its pins, without Node and without the sources; with the control room's pages in it."""
    root = _root(context.work)
    row.commands.append("./dev release; pip install -c constraints.txt tidegate-*.whl; tidegate demo --seconds 20")
    made = _built(context.work / "dist", row)
    for path in made:
        (root.path / "srv" / path.name).write_bytes(path.read_bytes())
    wheel = next(path.name for path in made if path.suffix == ".whl")
    pins = next(path.name for path in made if path.name.endswith("constraints.txt"))
    done = root.run(f"python3 -m venv alone && alone/bin/pip install -q -c {pins} ./{wheel}", {}, 900)
    row.figures.append(exactly("pip install: exit", done.returncode, 0, done.stdout[-200:]))
    _demo(row, root, "alone/bin/tidegate demo --seconds 20", {}, "the wheel alone: calls answered in 20 s")
    node = root.run("command -v node npm || echo none", {}, 60).stdout.strip()
    row.figures.append(told("node in that root", node))
    look = "from tidegate.control.site import FOLDER as f; print(sum(p.is_file() for p in f.rglob('*')))"
    files = root.run(f'alone/bin/python -c "{look}"', {}, 60).stdout.strip()
    row.figures.append(at_least("files of the control room in it", int(files) if files.isdigit() else 0, 10))


def as_in_its_image(context: Context, row: Row) -> None:
    """What the Dockerfile says, without an engine."""
    row.commands.append("deploy/docker/Dockerfile: its RUN, CMD and HEALTHCHECK")
    image.carried_out(_root(context.work), row)


def _demo(row: Row, root: Debian, command: str, variables: dict[str, str], name: str) -> None:
    done = root.run(command, variables, 900)
    answered = [int(number.replace(",", "")) for number in _ANSWERED.findall(done.stdout)]
    good = done.returncode == 0 and bool(answered)
    row.figures.append(at_least(name, answered[-1] if good else 0, 100, note="" if good else done.stdout[-200:]))


def _failed(output: str) -> str:
    return "; ".join(re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE))[:600]


def _built(out: Path, row: Row) -> list[Path]:
    import release

    return release.make(out, say=lambda line: row.figures.append(told("release", line)))
