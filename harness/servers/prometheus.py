"""A real Prometheus: one process with a folder, and what it is asked."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from harness.ports import free_port
from harness.process import ROOT, NotReady, await_ready, end

RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yaml"
_START: Final = 60.0  # seconds of a busy machine


def installed() -> bool:
    """Whether there is one to start, with its tool."""
    return shutil.which("prometheus") is not None


class Prometheus:
    """It scrapes these ports once a second and evaluates the rules of `deploy/`."""

    def __init__(self, folder: Path, *ports: int) -> None:
        if not installed():
            raise NotReady("prometheus is not installed: apt-get install prometheus")
        folder.mkdir(parents=True, exist_ok=True)
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        config = folder / "prometheus.yaml"
        config.write_text(
            f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{RULES}]\n"
            f"scrape_configs:\n  - job_name: tidegate\n    static_configs: [{{targets: [{targets}]}}]\n",
            encoding="utf-8",
        )
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn",
                ],
                stdout=log, stderr=log, cwd=folder, env=os.environ | {"GOMAXPROCS": "1"},
            )  # fmt: skip
        await_ready(self.process, self._ready, self.log, _START)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def get(self, path: str, **words: str) -> Any:
        """The data of its answer; an error of the query fails with its words."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(address, timeout=20) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{words}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[float]:
        """The values of all series, at this moment."""
        found = self.get("query", query=expression)
        assert found["resultType"] == "vector", expression
        return [float(series["value"][1]) for series in found["result"]]

    def families(self) -> set[str]:
        """The metrics that its targets have told of, with samples or without; counters without their `_total`."""
        return {name.removesuffix("_total") for name in self.get("metadata")}

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, and how its last evaluation went."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def close(self) -> None:
        """End it."""
        end(self.process)
