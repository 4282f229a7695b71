"""An older gate's state directory, database, journal and policy file under the present program, and the way back."""

import subprocess
import sys
from pathlib import Path

from bench.figures import exactly, told
from bench.proofs.steps import Context, Row, passing
from bench.proofs.upgrade import older
from harness.upgrade import heirs
from harness.upgrade.life import Life

kept = passing("tests/e2e/test_upgrade.py", name="the same with what was kept of it: tests passed")


def live(context: Context, row: Row) -> None:
    """The older version lives, is killed, and the present one goes on; then the older one is started once more."""
    row.commands.append(f"git checkout {older.COMMIT}; tidegate serve; kill -9")
    folder = context.work / "upgrade"
    folder.mkdir()
    before, now = older.installed(), Path(sys.executable).with_name("tidegate")
    with older.twin(before, folder) as port:
        former = Life(before, folder, port)
        said = older.lived(former)
        heir = Life(now, folder, port)
        with heir.serving():
            found = [*heirs.kept(heir, said), *heirs.doors(heir, said)]
        back = _taken_back(before, heir.state)
    calls = sum(line["calls"] for line in said["spent"]) + said["tail"]
    row.figures.append(told("calls, lines of spend, keys, audit entries that were left", _counts(calls, said)))
    row.figures.append(exactly("of them that are otherwise afterwards", len(found), 0, "; ".join(found)))
    row.figures.append(exactly("the older version leaves the newer database alone, and says why", int(back), 1))


def _counts(calls: int, said: dict[str, list[object]]) -> str:
    return f"{calls}, {len(said['spent'])}, {len(said['acme'])}, {len(said['audit'])}"


def _taken_back(program: Path, state: Path) -> bool:
    words = [str(program), "db", "upgrade", "--state-dir", str(state)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode == 1 and "newer than" in done.stderr
