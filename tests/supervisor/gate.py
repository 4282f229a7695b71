"""A real supervisor whose children are fakes of these tests."""

import json
import os
import sys
from pathlib import Path
from typing import ClassVar

from harness.process import ROOT
from harness.supervised import Supervised

MODULES = {
    "worker_module": "tests.supervisor.fake_worker",
    "control_module": "tests.supervisor.fake_control",
    "loader_module": "tests.supervisor.fake_loader",
    "semantic_module": "tests.supervisor.fake_semantic",
    "desk_module": "tests.supervisor.fake_desk",
    "runner_module": "tests.supervisor.fake_runner",
}


class Gate(Supervised):
    """One supervisor and its children."""

    modules: ClassVar[tuple[str, ...]] = (".{}", "fake_{}")

    def __init__(self, folder: Path, text: str = "plain", **options: object) -> None:
        super().__init__(folder)
        self.config.write_text(text, encoding="utf-8")
        chosen: dict[str, object] = {
            "config": str(self.config),
            "port": 0,
            "admin_port": 0,
            "state_dir": str(self.state),
        }
        chosen |= {"watch_seconds": 0}  # what a test does not ask for must not happen
        command = [sys.executable, "-m", "tests.supervisor.run_gate", json.dumps(chosen | MODULES | options)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.launch(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path})

    def call(self, port: int = 0) -> tuple[int, str]:
        """One whole call: the worker's pid and snapshot."""
        with self.connect(port) as connection, connection.makefile("rwb") as stream:
            stream.write(b"start\nfinish\n")
            stream.flush()
            pid, _, snapshot = stream.readline().decode().strip().partition(" ")
            assert stream.readline() == b"end\n"
        return int(pid), snapshot
