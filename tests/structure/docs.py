"""A document, followed from top to bottom by somebody who types what it says."""

import os
import re
import shlex
import string
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.ports import free_ports

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("bench/*.md"),
        *ROOT.glob("examples/*/*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}((?:\./dev|tidegate) .*\n)", re.MULTILINE)
PORTS = ("9100", "8080", "8081", "8090")
KNOWN = {"./dev", "pip", "tidegate", "curl", "export"}
TAKEN = re.compile(r"export (\w+)=\$\((.+)\)")
READY = re.compile(r"https?://")
# What other gateways have, in a document about how to leave them, and the file that the document takes it for.
OTHERS = {
    "yaml": (re.compile(r"model_list:"), "config.yaml"),
    "json": (re.compile(r'\[\{"id": \d+, "type"'), "channels.json"),
}


def fresh_ports() -> dict[str, str]:
    return dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))


def commands(text: str) -> Iterator[str]:
    """The commands of a shell block; in a console block only what stands after the prompt."""
    prompted = any(line.startswith("$ ") for line in text.splitlines())
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        command = re.sub(r"\s+# .*", "", line).strip()
        if prompted:
            command = command.removeprefix("$ ") if line.startswith("$ ") else ""
        if command and not command.startswith("#"):
            yield command


@dataclass
class Reader:
    """Somebody at a terminal in an empty folder; what the document starts runs until `leave`."""

    place: Path
    ports: dict[str, str] = field(default_factory=fresh_ports)
    running: list["subprocess.Popen[str]"] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.taken["TIDEGATE_ADMIN_URL"] = f"http://127.0.0.1:{self.ports['8081']}"

    def follow(self, document: str) -> None:
        for language, text in FENCE.findall(INDENTED.sub(r"```sh\n\1```\n", document)):
            if language == "yaml" and re.search(r"^providers:", text, re.MULTILINE):
                (self.place / "gate.yaml").write_text(self.translated(text), encoding="utf-8")
            elif (other := OTHERS.get(language)) and other[0].match(text):
                (self.place / other[1]).write_text(text, encoding="utf-8")
            elif language == "python" and "import" in text:
                self._run([sys.executable, "-c", self.translated(text)])
            elif language in {"sh", "console", "bash"}:
                typed = list(commands(text))
                if any(command.split()[0] in KNOWN for command in typed):
                    for command in typed:
                        self._type(command)
                else:
                    self._run(["sh", "-ec", self.translated(text)])

    def translated(self, text: str) -> str:
        """The same with free ports, so that documents can be followed side by side."""
        return re.sub(r"\b(" + "|".join(PORTS) + r")\b", lambda found: self.ports[found[1]], text)

    def _type(self, command: str) -> None:
        self.done.append(command)
        if taken := TAKEN.fullmatch(command):
            self.taken[taken[1]] = self._run(tidegate(shlex.split(self.translated(taken[2])))).strip()
            return
        words = shlex.split(string.Template(self.translated(command)).safe_substitute(self.taken))
        match words:
            case ["./dev", *_]:
                known_to_dev(words[1])
                if words[1] == "bench" and len(words) > 2:
                    known_to_bench(words[2])
            case ["export", assignment] if "=" in assignment:
                name, _, value = assignment.partition("=")
                self.taken[name] = value
            case ["pip", "install", "tidegate"]:
                assert 'name = "tidegate"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
            case ["pip", "install", "."]:
                assert "pip install" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
            case ["tidegate", "demo", *_]:
                self._run([*tidegate(words), "--seconds", "1"])
            case ["tidegate", "twin" | "serve", *_]:
                self._start(tidegate(words))
            case ["tidegate", *_]:
                self._run(tidegate(words))
            case ["curl", *_]:
                self._run(["curl", "--fail", "--silent", "--show-error", *words[1:]])
            case _:
                raise AssertionError(f"nobody knows how to try this: {command}")

    def _run(self, words: list[str]) -> str:
        ended = subprocess.run(
            words, cwd=self.place, env=os.environ | self.taken, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, f"{shlex.join(words)}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def _start(self, words: list[str]) -> None:
        if words[1] == "serve" and "--port" not in words:
            words += ["--port", self.ports["8080"], "--admin-port", self.ports["8081"]]
        started = subprocess.Popen(words, cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.running.append(started)
        said = []
        assert started.stdout
        for line in started.stdout:
            said.append(line)
            if READY.search(line):
                return
        raise AssertionError(f"{shlex.join(words)} ended before it was ready:\n{''.join(said)}")

    def leave(self) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.communicate(timeout=20)


def tidegate(words: list[str]) -> list[str]:
    return [str(Path(sys.executable).with_name("tidegate")), *words[1:]]


def known_to_dev(name: str) -> None:
    listed = _listed(str(ROOT / "dev"), "help")
    assert re.search(rf"^\./dev {name}\b", listed, re.MULTILINE), f"./dev help does not list {name}"


def known_to_bench(name: str) -> None:
    listed = _listed(sys.executable, "-m", "bench")
    assert re.search(rf"^\./dev bench {name}\b", listed, re.MULTILINE), f"./dev bench does not list {name}"


@cache
def _listed(*words: str) -> str:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
