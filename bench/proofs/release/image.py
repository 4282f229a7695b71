"""The image without an engine: its own lines, carried out in a Debian, and its command as a container has it."""

import json
import re
import shutil
from pathlib import Path

from bench.figures import exactly, told
from bench.proofs.release.root import Debian
from bench.proofs.steps import Row
from bench.upstreams import ROOT

_DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
_POLICY = """\
providers:
  openai: {dialect: openai, base_url: "http://127.0.0.1:9100/openai/v1", scopes: [{name: main, keys: [sk-demo]}]}
clients: {required: true}
jobs: {}
"""
_STATE = "/var/lib/tidegate"
_PATH = "/opt/tidegate/bin:/usr/bin:/bin"
_SCRIPT = """
touch /x 2>/dev/null && echo WRITABLE
tidegate COMMAND --workers 2 >/tmp/said 2>&1 & gate=$!
for n in $(seq 120); do CHECK 2>/dev/null && echo healthy && break; sleep 0.5; done
for n in $(seq 120); do grep -q 'FIRST ADMIN' /tmp/said && break; sleep 0.5; done
export TIDEGATE_ADMIN_TOKEN=$(tidegate admin token --state-dir /var/lib/tidegate)
tidegate namespaces create acme && echo managed
kill -TERM $gate; wait $gate && echo drained
tail -c 600 /tmp/said
"""


def carried_out(root: Debian, row: Row) -> None:
    """Built by what the first stage says, of what .dockerignore lets in; then served by the last one."""
    text = _DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", "")
    build = next(line for line in re.findall(r"^RUN (.*)$", text, re.MULTILINE) if "/opt/tidegate/bin/pip" in line)
    extras = re.search(r"^ARG EXTRAS=(\S+)", text, re.MULTILINE)
    assert extras
    _context(root.path / "source")
    made = root.run(f"cd /source; ln -sf python3 /usr/bin/python; {build}", {"EXTRAS": extras[1]}, 1_800)
    row.figures.append(exactly("the image's build: exit", made.returncode, 0, made.stdout[-300:]))
    size = root.run("du -sm /opt/tidegate", {}, 60).stdout.split()[0]
    row.figures.append(told("what it adds to its base", f"{size} MB"))
    root.run(f"install -d -o 10001 -g 10001 -m 0700 {_STATE}; install -d /etc/tidegate", {}, 60)
    (root.path / "etc" / "tidegate" / "tidegate.yaml").write_text(_POLICY)
    command, check = (_words(text, name) for name in ("\nCMD", "    CMD"))
    script = _SCRIPT.replace("COMMAND", command).replace("CHECK", check)
    done = root.locked(script, _PATH, _STATE, 300)
    wanted = ("healthy", "managed", "drained")
    found = sum(word in done.stdout.split() for word in wanted) - ("WRITABLE" in done.stdout)
    name = "as user 10001 without rights, root read-only: healthy, managed, drained"
    row.figures.append(exactly(name, found, len(wanted), "" if found == len(wanted) else done.stdout[-400:]))


def _context(folder: Path) -> None:
    """What a build is given."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source = ROOT / line[1:]
            if source.is_dir():
                left = shutil.ignore_patterns("__pycache__", "node_modules", ".env*")
                shutil.copytree(source, folder / source.name, ignore=left)
            else:
                shutil.copy(source, folder)


def _words(text: str, beginning: str) -> str:
    found = re.search(rf"{beginning} (\[.*?\])$", text, re.MULTILINE)
    assert found
    return " ".join(f"'{word}'" if "'" not in word else f'"{word}"' for word in json.loads(found[1]))
