"""What identity costs on the path of a call, measured by `./dev bench wire`."""

import json
import os
import subprocess
import sys

from bench.figures import RESULTS, Figure, missing
from bench.prove.steps import Context, Row, shown
from bench.upstreams import ROOT


def wire(context: Context, row: Row) -> None:
    """The section `identity`: a bare key, a key with every limit, a signed request, in turn."""
    command = [sys.executable, "-m", "bench", "wire", "--only", "identity", *(["--quick"] if context.quick else [])]
    row.commands.append(shown(command))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1_800, check=False, env=os.environ)
    path = RESULTS / "wire.json"
    if done.returncode == 2 or not path.exists():
        row.figures.append(missing("a key with every limit ÷ a bare key, worker", "≤ 1.05 ×", done.stderr[-200:]))
        return
    row.figures += [Figure(**one) for one in json.loads(path.read_text())["figures"]]
