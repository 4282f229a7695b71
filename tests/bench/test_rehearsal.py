"""The rehearsal of an outage says which channels it could not try."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import gate
from bench.figures import exactly
from bench.proofs.alerts import rehearsal
from bench.proofs.steps import Context, Row


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The Python beside the gate; what it exits with is whether it can import apprise."""
    monkeypatch.setattr(gate, "program", lambda: str(tmp_path / "tidegate"))
    rehearsal._kinds.cache_clear()
    yield tmp_path / "python"
    rehearsal._kinds.cache_clear()


def staged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs, and everybody was told."""

    class Scene:
        channels = ("slack",)

        def titles(self, _channel: str) -> list[str]:
            return list(rehearsal._WANTED)

    @contextlib.contextmanager
    def scene(*_: object) -> Iterator[Scene]:
        yield Scene()

    monkeypatch.setattr(rehearsal, "_scene", scene)
    monkeypatch.setattr(rehearsal, "_play", lambda *_: None)
    monkeypatch.setattr(rehearsal, "_judged", lambda *_: [exactly("channels told", 1, 1)])


@pytest.mark.parametrize("step", [rehearsal.alone, rehearsal.midway])
@pytest.mark.parametrize(("status", "unmeasured"), [(0, []), (1, ["apprise"])])
def test_a_channel_that_cannot_be_tried_is_named(
    imports: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    step: Callable[[Context, Row], None],
    status: int,
    unmeasured: list[str],
) -> None:
    """Not measured, with the remedy; and the row is not met by it."""
    imports.write_text(f"#!/bin/sh\nexit {status}\n")
    imports.chmod(0o755)
    staged(monkeypatch)
    row = Row("an outage")
    step(Context(tmp_path, tmp_path, quick=True, peers=False), row)
    found = [figure for figure in row.figures if figure.target and figure.met is None]
    assert [figure.name.rpartition(": ")[2] for figure in found] == unmeasured
    assert all("tidegate[apprise]" in figure.note for figure in found)
    assert (row.met is None) == bool(unmeasured)
