"""The results that are there, and the newest of them for each thing that the report asks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import KEPT
from bench.proofs.judge.judged import of_ours
from bench.report.parts import Ask

_IDLE = 0.5  # of the cores: with more load before a run began, others shared the machine
_NAMES = ("wire", "jobs", "sdk", "judge", *(f"prove-{number}" for number in range(1, 10)))


@dataclass(frozen=True, slots=True)
class Result:
    """A file of results."""

    name: str
    when: datetime
    data: Mapping[str, Any]

    @property
    def commit(self) -> str:
        """Empty where it was not told."""
        return str(self.data.get("commit", ""))

    @property
    def quick(self) -> bool:
        """A look, and no proof."""
        load = self.data.get("load")
        if isinstance(load, dict):
            return load.get("length") == "quick"
        return "--quick" in self.command.split() or "--calls" in self.command.split()

    @property
    def command(self) -> str:
        """The command line."""
        return str(self.data.get("command", ""))

    @property
    def machine(self) -> Mapping[str, Any]:
        """Cores, kernel and so on; of a judge's report its words."""
        found = self.data.get("machine", {})
        return found if isinstance(found, dict) else {"words": found}

    @property
    def load(self) -> tuple[str, str]:
        """Load average before and after; empty where it was not told."""
        after = self.data.get("load_after") or self.machine.get("load_average", "")
        return str(self.data.get("load_before", "")), str(after)

    @property
    def loaded(self) -> bool | None:
        """Did others work on the machine beside? None where nobody can know."""
        before, after = self.load
        cores = int(self.data.get("cores") or self.machine.get("cores", 0))
        if before and cores:
            return float(before.split()[0]) > _IDLE * cores
        if after and cores and float(after.split()[0]) > cores:
            return True
        return True if self.data.get("referee", {}).get("too_busy_to_judge_by") else None


@dataclass(frozen=True, slots=True)
class Found:
    """What a result says to an ask."""

    ask: Ask
    result: Result
    figures: Sequence[Mapping[str, Any]] = ()
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)  # of the judge


def read(folder: Path) -> list[Result]:
    """Every result in the folder and among those kept, oldest first. What is no result is left out."""
    found = []
    for path in [*folder.glob("*.json"), *(folder / KEPT).glob("*.json")]:
        name = next((one for one in _NAMES if path.stem == one or path.stem.startswith(f"{one}-")), "")
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if name and isinstance(data, dict):
            found.append(Result(name, _when(data, path), data))
    return sorted(found, key=lambda one: one.when)


def _when(data: Mapping[str, Any], path: Path) -> datetime:
    try:
        return datetime.fromisoformat(str(data["when"])).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def find(ask: Ask, results: Iterable[Result]) -> Found | None:
    """The newest answer, a whole run before a quick one of the same commit; None when there is none."""
    answers = [one for result in results if (one := _answer(ask, result))]
    if not answers:
        return None
    newest = answers[-1]
    if newest.result.quick:
        whole = [one for one in answers if not one.result.quick and one.result.commit == newest.result.commit]
        newest = whole[-1] if whole and newest.result.commit else newest
    return newest


def _answer(ask: Ask, result: Result) -> Found | None:
    if result.name != ask.bench:
        return None
    if ask.bench == "wire":
        return _section(ask, result)
    if ask.bench == "judge":
        return _judged(ask, result)
    if ask.bench.startswith("prove-"):
        row = next((row for row in result.data.get("rows", ()) if row["what"] == ask.title), None)
        return Found(ask, result, row["figures"]) if row and row["figures"] else None
    return Found(ask, result, result.data["figures"])


def _section(ask: Ask, result: Result) -> Found | None:
    section = result.data.get("sections", {}).get(ask.key)
    if section is None:
        return None
    titles, figures = section
    tables = result.data.get("tables", {})
    return Found(ask, result, figures, {title: tables[title] for title in titles if title in tables})


def _judged(ask: Ask, result: Result) -> Found | None:
    gateway = str(result.data.get("gateway", ""))
    if not gateway.startswith(ask.key):
        return None
    shape = gateway.partition(", ")[2]
    ours = [asdict(of_ours(shape, one)) for one in result.data["disciplines"]] if ask.key == "Tidegate" else []
    return Found(ask, result, ours, report=result.data)


def gateways(results: Iterable[Result]) -> dict[str, Result]:
    """The newest report of the judge on each gateway and shape, ours first."""
    newest = {str(one.data["gateway"]): one for one in results if one.name == "judge" and "gateway" in one.data}
    return dict(sorted(newest.items(), key=lambda one: (not one[0].startswith("Tidegate"), one[0])))
