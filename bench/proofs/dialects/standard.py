"""LangChain's published standard tests, through the gate, of both of its packages and each over both makers."""

import os
import subprocess
from pathlib import Path
from typing import Any

from bench.figures import exactly, told
from bench.install import python_extra, python_version
from bench.proofs.steps import Context, Row, last_line, outcomes
from bench.twin import gated, twin
from harness.process import ROOT
from harness.twin import Twin

TESTS = ROOT / "tests" / "langchain"
_MANY = 1_000_000_000
_MODELS = {"openai": ("gpt-4o", "gpt-4o-mini"), "anthropic": ("claude-3-haiku", "claude-sonnet")}
_RUNS = (
    ("openai", "gpt-4o"),
    ("openai", "claude-3-haiku"),
    ("anthropic", "claude-3-haiku"),
    ("anthropic", "gpt-4o"),
)


def standard_tests(context: Context, row: Row) -> None:
    """Each package against its own maker's model and, by translation, against the other's."""
    binaries = python_extra("langchain")
    quota = ["--rpm", str(_MANY), "--tpm", str(_MANY), "--otpm", str(_MANY), "--ttft-ms", "5", "--tpot-ms", "0"]
    quota += ["--cached-reads", "charged"]  # all long prompts are cached, as OpenAI caches them
    with twin(context.work, *quota) as provider, gated(context.work, both_makers(provider)) as url:
        for package, model in _RUNS:
            _suite(row, binaries, package, {"GATE_URL": url.removesuffix("/v1"), "MODEL": model})


def both_makers(provider: Twin) -> dict[str, Any]:
    """A gate file with the twin's two makers, without a limit that binds."""
    paths = {"openai": "/openai/v1", "anthropic": "/anthropic"}
    return {
        "providers": {
            name: {
                "profile": name,
                "base_url": f"http://127.0.0.1:{provider.port}{path}",
                "scopes": [
                    {"name": "main", "keys": [f"sk-{name}"], "limits": {model: {"rpm": _MANY} for model in models}}
                ],
            }
            for (name, path), models in zip(paths.items(), _MODELS.values(), strict=True)
        }
    }


def _suite(row: Row, binaries: Path, package: str, environment: dict[str, str]) -> None:
    words = ["-c", "standard.ini", "--rootdir", ".", "-q", f"standard_{package}.py"]
    shown = " ".join(f"{name}={value}" for name, value in environment.items() if name == "MODEL")
    row.commands.append(f"GATE_URL=… {shown} pytest {' '.join(words)}   (in tests/langchain)")
    done = subprocess.run(
        [binaries / "python", "-m", "pytest", *words],
        cwd=TESTS, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    counts = outcomes(done.stdout)
    passed, bad = counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0)
    distribution = f"langchain-{package}"
    version = python_version(binaries, distribution)
    name = f"{distribution} {version}, {environment['MODEL']}: standard tests passed"
    expected = f"{counts.get('xfailed', 0)} cannot, by what the judge is; {counts.get('skipped', 0)} do not apply"
    row.figures.append(exactly(name, passed, passed + bad or 1, expected if passed else last_line(done.stdout)))
    row.figures += [told("failed", line) for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
