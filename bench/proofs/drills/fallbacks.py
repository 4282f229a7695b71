"""A broken fallback is found by its drill before it is needed, a good one passes: real processes against twins.

The primary and five fallbacks of one strategy: one that understands; one that answers beside the question; one whose
provider speaks another dialect than the file says; one whose context is too small for a core question; and one that is
fine but whose provider answers errors. Then the judge is down.
"""

import http.client
import json
import re
import time
from pathlib import Path
from typing import Any, Final

from bench.figures import exactly, told
from bench.proofs.steps import Context, Row
from harness.gate import HUGE, Gate, provider
from harness.twin import Twin

_TOKEN: Final = re.compile(r'"token": "(tga_[^"]+)"')
_PATIENCE: Final = 90.0
_EN: Final = "A refund takes 7 days; please send form R1."
_ZH: Final = "退款需要 7 天,请填写 R1 表。"
_BESIDE: Final = "The weather is nice today, is it not?"
_GRADES: Final = (
    {"model": "judge", "when": _EN, "say": '{"score": 9, "reason": "it names both"}'},
    {"model": "judge", "when": _ZH, "say": '{"score": 9, "reason": "两者都提到"}'},
    {"model": "judge", "say": '{"score": 1, "reason": "beside the question"}'},
)
_UNDERSTANDS: Final = ("main", "good", "small", "away")
_MODELS: Final = ("main", "good", "beside", "away", "judge")
_FALLBACKS: Final = ("good", "beside", "wrong", "small", "away")
_BROKEN: Final = ("beside", "wrong", "small", "away")


class Stage:
    """A twin that plays all providers, and a gate with one drill."""

    def __init__(self, folder: Path, language: str) -> None:
        answers = [
            {"model": model, "when": word, "say": say}
            for model in _UNDERSTANDS
            for word, say in (("refund", _EN), ("退款", _ZH))
        ]
        models: list[dict[str, object]] = [{"name": name} for name in _MODELS]
        models += [{"name": "small", "context": 256}, {"name": "wrong", "provider": "anthropic"}]
        said = [*answers, {"model": "beside", "say": _BESIDE}, *_GRADES]
        timing = {"ttft_ms": 2, "tpot_ms": 0}
        self.twin = Twin(folder / "twin", {"models": models, "answers": said, "timing": timing})
        self.gate = Gate(folder / "gate", self._tree(language))
        self.token = self._first_token()

    def _tree(self, language: str) -> dict[str, Any]:
        url, limit = self.twin.url, {"rpm": HUGE, "tpm": HUGE}
        providers = {
            name: provider(url, f"sk-{name}", {name: limit})
            for name in ("main", "good", "beside", "wrong", "small", "away", "judge")
        }
        providers["small"]["models"] = {"small": {"context": 256}}
        fallbacks = [{"model": name} for name in _FALLBACKS]
        strategy = {"primary_model": "main", "fallback_models": fallbacks, "retry_policy": {"base_seconds": 0.01}}
        return {
            "providers": providers,
            "strategies": {"service": strategy},
            "drills": {"core": {"judge": "judge", "on_failure": "out", "prompts": prompts(language)}},
        }

    def _first_token(self) -> str:
        until = time.monotonic() + _PATIENCE
        while (found := _TOKEN.search(self.gate.log())) is None:
            assert time.monotonic() < until, "no admin token"
            time.sleep(0.05)
        return found[1]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The admin API's answer."""
        until = time.monotonic() + _PATIENCE
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.gate.admin_port, timeout=_PATIENCE)
            headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
            try:
                connection.request(method, f"/admin/v1{path}", None if body is None else json.dumps(body), headers)
                reply = connection.getresponse()
                status, data = reply.status, reply.read()
            finally:
                connection.close()
            if status < 300:
                return json.loads(data)
            assert status == 503, data
            assert time.monotonic() < until, data
            time.sleep(0.05)

    def run(self) -> dict[str, dict[str, Any]]:
        """Have the drill run, and wait for its end: its newest row of each target."""
        last = self._last()
        self.ask("POST", "/drills/core/run", {})
        until = time.monotonic() + _PATIENCE
        while True:
            found = self.ask("GET", "/drills/core/runs?limit=200")["runs"]
            new = {one["target"]: one for one in reversed(found) if one["cause"] == "demand" and int(one["id"]) > last}
            if len(new) == 1 + len(_FALLBACKS):
                return new
            assert time.monotonic() < until, f"only {sorted(new)} were asked"
            time.sleep(0.1)

    def _last(self) -> int:
        found = self.ask("GET", "/drills/core/runs?limit=1")["runs"]
        return int(found[0]["id"]) if found else 0

    def out(self) -> list[str]:
        """Who is left out."""
        (drill,) = self.ask("GET", "/drills")["drills"]
        return sorted(one["target"] for one in drill["targets"] if one["out"])

    def close(self) -> None:
        """End both."""
        self.gate.process.terminate()
        self.gate.process.wait()
        self.twin.close()


def prompts(language: str) -> list[dict[str, Any]]:
    """The core questions: a short one, and one that needs a context."""
    chinese = language == "zh"
    question = "退款要多久?需要填什么表?" if chinese else "How long does a refund take, and which form do I need?"
    rubric = "说明退款需要 7 天,并提到 R1 表" if chinese else "It names 7 days and form R1"
    filler = "请仔细阅读本店的条款。" * 60 if chinese else "Please read the terms of our shop carefully. " * 60
    expect = [
        {"contains": ["7 天" if chinese else "7 days", "R1"]},
        {"language": language},
        {"judge": {"rubric": rubric}, "weight": 2},
    ]
    return [
        {"name": "short", "prompt": question, "max_tokens": 64, "expect": expect},
        {"name": "long", "system": filler, "prompt": question, "max_tokens": 64, "expect": expect},
    ]


def drills(context: Context, row: Row) -> None:
    """In Chinese and English; then with the judge down."""
    for language in ("en", "zh"):
        stage = Stage(context.work / f"drills-{language}", language)
        try:
            _prove(stage, row, language)
            if language == "zh":
                _judge_down(stage, row)
        finally:
            stage.close()


def _prove(stage: Stage, row: Row, language: str) -> None:
    stage.twin.fault({"match": {"model": "away"}, "fault": "500"})
    found = stage.run()
    row.commands.append(f"tidegate drill run core: {1 + len(_FALLBACKS)} targets, questions in {language}")
    passed = sorted(name for name, one in found.items() if one["state"] == "passed")
    row.figures.append(exactly(f"{language}: good fallbacks that passed", int("good" in passed), 1))
    caught = [name for name in _BROKEN if found[name]["state"] == "failed"]
    row.figures.append(exactly(f"{language}: broken fallbacks found", len(caught), len(_BROKEN), ", ".join(caught)))
    row.figures += [told(f"{language}: {name}", found[name]["why"][:100]) for name in _BROKEN]
    ways = [one for one in found["good"]["answers"] if one["fault"]]
    held = [one for one in ways if not one["problem"] and all(verdict["met"] for verdict in one["verdicts"])]
    shown = ", ".join(sorted({f"{one['fault']}{' streamed' if one['streamed'] else ''}" for one in held}))
    row.figures.append(exactly(f"{language}: ways to the good one that held", len(held), len(ways), shown))
    row.figures.append(exactly(f"{language}: broken ones left out of the strategy", len(stage.out()), len(_BROKEN)))
    real = [one for one in stage.twin.calls("main") if one["status"] != 200]
    row.figures.append(exactly(f"{language}: refusals that the real primary saw", len(real), 0))
    checks = {(one["target"], one["code"]) for one in stage.ask("GET", "/drills/check") if one["level"] != "note"}
    row.figures.append(
        exactly(f"{language}: too small a context told before any call", int(("small", "context") in checks), 1)
    )
    stage.twin.fault()
    again = stage.run()["away"]["state"]
    row.figures.append(
        exactly(f"{language}: mended, it passes and is back", int(again == "passed" and "away" not in stage.out()), 1)
    )


def _judge_down(stage: Stage, row: Row) -> None:
    before = stage.out()
    stage.twin.fault({"match": {"model": "judge"}, "fault": "500"})
    found = stage.run()
    row.commands.append("the same, the judge answers 500")
    good = found["good"]
    row.figures.append(
        exactly("judge down: the good one is not judged", int(good["state"] == "not_judged"), 1, good["why"])
    )
    passed = sum(one["state"] == "passed" for one in found.values())
    row.figures.append(exactly("judge down: passes", passed, 0))
    row.figures.append(exactly("judge down: others left out than before", int(stage.out() != before), 0))
