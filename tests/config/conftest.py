"""Writes configuration files and loads them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tidegate.config.findings import ConfigError
from tidegate.config.load import Loaded, load

Loads = Callable[..., Loaded]
Refusals = Callable[..., list[str]]


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """Loads a text as `gate.yaml`; keywords are the environment."""

    def loads(text: str | bytes, *, serving: bool = False, **environ: str) -> Loaded:
        path = tmp_path / "gate.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(str(path), environ, serving=serving)

    return loads


@pytest.fixture
def refusals(loads: Loads) -> Refusals:
    """The errors of a text that cannot be used, as `LINE:COLUMN: …`."""

    def refusals(text: str | bytes, *, serving: bool = False, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as refused:
            loads(text, serving=serving, **environ)
        return [line.removeprefix(f"{refused.value.file}:") for line in refused.value.lines()]

    return refusals
