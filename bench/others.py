"""Gateways of others, installed as `deploy/judge/` pins them, and how they start: one truth for benches and proofs."""

from pathlib import Path

from bench.install import ROOT, node_packages, python_package

_PINS = ROOT / "deploy" / "judge"
PORTKEY_ENV = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
LITELLM_ENV = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

# Who is not measured, and why: there is nothing of theirs that a package manager installs.
ABSENT = {
    "Bifrost": "its npm package only downloads the program from its maker's host; no package holds it",
    "Envoy AI Gateway": "it runs on Kubernetes; Envoy itself is measured",
    "Helicone AI Gateway": "no package of it on npm or PyPI",
    "Kong AI Gateway": "neither Debian nor PyPI nor npm has the server",
    "one-api, new-api": "neither Debian nor PyPI nor npm has the server",
    "TensorZero": "PyPI has its client; no package has the gateway",
}


def portkey_folder() -> Path:
    """Portkey's gateway with the one dependency overridden without which it answers every stream with 500."""
    return node_packages("judge-portkey", _PINS / "portkey" / "package.json") / "@portkey-ai" / "gateway"


def portkey_command(folder: Path, port: int) -> list[str | Path]:
    """Without its console."""
    return ["node", folder / "build" / "start-server.js", "--headless", f"--port={port}"]


def litellm_binaries() -> Path:
    """The `bin` folder with LiteLLM's proxy."""
    return python_package("judge-litellm", (_PINS / "litellm" / "requirements.txt").read_text().strip())


def litellm_command(binaries: Path, config: Path, port: int) -> list[str | Path]:
    """One process."""
    command: list[str | Path] = [binaries / "litellm", "--config", config, "--host", "127.0.0.1"]
    return [*command, "--port", str(port), "--num_workers", "1"]
