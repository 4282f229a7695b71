"""The gate's file that the proofs write is one that the gate takes."""

import json
import sys
from pathlib import Path

import pytest

from bench.gate import program
from bench.proofs.fleet import Policy, Quota, settings
from bench.proofs.quota.overload import mixed
from bench.proofs.quota.used import fixed_bound, used
from harness.node import complaint


@pytest.fixture(autouse=True)
def _plain_gate(monkeypatch):
    """What checks the file is this environment's own program; to compile one takes minutes."""
    monkeypatch.setenv("BENCH_GATE", str(Path(sys.executable).with_name("tidegate")))


@pytest.mark.parametrize("policy", [Policy(), Policy(scheduler="weighted", pick="affinity"), Policy(alone=True)])
def test_check_accepts_it(tmp_path, policy):
    """Pools, tiers and all."""
    file = tmp_path / "tidegate.yaml"
    file.write_text(json.dumps(settings("http://127.0.0.1:9/openai/v1", Quota(), policy, mixed(Quota()))))
    assert complaint(file, [program()]) == ""


def test_a_refused_file_says_why(tmp_path):
    """With its field."""
    file = tmp_path / "tidegate.yaml"
    file.write_text(json.dumps(settings("http://127.0.0.1:9/openai/v1", Quota(), Policy(scheduler="none"), [])))
    assert complaint(file, [program()]).startswith("pools.main.scheduler")


def test_the_bound_of_a_window_of_unknown_phase():
    """A whole call and the jitter are lost: 2k of 240k and 0.25 s of a minute."""
    assert fixed_bound(2_000, 240_000, 0.25) == pytest.approx(98.76, abs=0.01)


def test_use_is_of_what_is_left_to_us():
    """Half of 60 tokens a second with half of them used by others."""
    quota = Quota(accounts=1, tpm=3_600, ghost=50)
    assert used([0, 30, 30, 15], quota, 1, 3) == pytest.approx(100)
    assert used([0, 30, 30, 15], quota, 3, 4) == pytest.approx(50)
