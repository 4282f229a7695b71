"""What a gateway is told, and that the recipes' files say the same."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tidegate.cli.main import main
from tidegate.judge.client import BadHeaders, Headers
from tidegate.judge.faults import CELLS, rules
from tidegate.judge.play import Show, dealt
from tidegate.judge.recipes import litellm, portkey, tidegate
from tidegate.judge.recipes.table import RECIPES
from tidegate.judge.setup import FREE, ROUTES, Setup
from tidegate.judge.usage import summed
from tidegate.load.crowd import Member
from tidegate.load.visits import Manners
from tidegate.twin.config import convert
from tidegate.twin.faults import parse

ROOT = Path(__file__).parents[2]
SETUP = Setup("http://127.0.0.1:9100")


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_the_twin_and_our_gate_take_their_files(dialect: str, tmp_path: Path) -> None:
    """Each model has its limits at the twin, and `tidegate check` accepts what the recipe writes."""
    setup = Setup(SETUP.origin, dialect)
    twin = convert(setup.twin(1), "twin")
    assert {one.name for one in twin.models} == {name for one in ROUTES for name in (one.model, one.spare) if name}
    file = tmp_path / "tidegate.yaml"
    file.write_text(json.dumps(tidegate.settings(setup)))
    assert main(["check", str(file)]) == 0
    assert len(parse(json.dumps(rules()).encode())) == len(CELLS)


def test_every_recipe_states_every_limit_and_fallback() -> None:
    """The same for all, or it would be no comparison."""
    ours, theirs = tidegate.settings(SETUP), litellm.settings(SETUP, 6379)
    models = {one["model_name"]: one["litellm_params"] for one in theirs["model_list"]}
    for one in ROUTES:
        limits = ours["providers"][one.model]["scopes"][0]["limits"][one.model]
        assert limits == {"rpm": one.rpm, "tpm": one.tpm}
        assert models[one.model].get("rpm", FREE) == one.rpm
        assert models[one.model].get("tpm", FREE * 1_000) == one.tpm
        assert models[one.model]["api_key"] == one.key == f"sk-{one.model}"
        if one.spare:
            assert {one.model: [one.spare]} in theirs["router_settings"]["fallbacks"]
            assert ours["strategies"][one.model]["fallback_models"][0]["model"] == one.spare
            config = json.loads(dict(portkey.headers(SETUP).of(one.model))["x-portkey-config"])
            keys = [target["api_key"] for target in config["targets"]]
            assert keys == [f"sk-{one.model}", f"sk-{one.spare}"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("[]", "write"),
        ('{"judge-*": {"a:b": "c"}}', "no header"),
        ('{"judge-*": {"a": "b\\nc: d"}}', "no header"),
        ('{"judge-*": {"": "b"}}', "no header"),
    ],
)
def test_headers_that_cannot_be_sent(raw: str, said: str) -> None:
    """A line break would be a header of its own."""
    with pytest.raises(BadHeaders, match=said):
        Headers.read(raw.encode())


def test_headers_by_model() -> None:
    """The last pattern that fits wins, name by name, and `{model}` is the model's name."""
    found = Headers.read(b'{"*": {"a": "1", "b": "{model}"}, "judge-key": {"a": "2"}}')
    assert found.of("judge-key") == (("a", "2"), ("b", "judge-key"))
    assert found.of("x") == (("a", "1"), ("b", "x"))


@pytest.mark.parametrize("one_at_a_time", [False, True])
def test_replicas_share_the_same_calls(one_at_a_time: bool) -> None:
    """However many there are, together they get each call once; a client with one call at a time keeps its replica."""
    crowd = [Member(f"c{number}", "k", 1.0) for number in range(20)]
    manners = Manners(one_at_a_time=one_at_a_time)
    alone = {call.user for call in dealt(Show("", crowd, 30, manners=manners))}
    parts = [[*dealt(Show("", crowd, 30, manners=manners, part=(number, 3)))] for number in range(3)]
    assert sum(len(part) for part in parts) == len(alone)
    assert {call.user for part in parts for call in part} == alone
    assert all(part for part in parts)
    names = [{call.member.name for call in part} for part in parts]
    assert not one_at_a_time or not names[0] & names[1]


def test_counters_are_summed_by_name_and_label() -> None:
    """Of a Prometheus page: all samples that are named, and none other."""
    page = '# TYPE t counter\nt_total{kind="prompt",w="0"} 3\nt_total{kind="prompt",w="1"} 4\nt_total{kind="x"} 50\n'
    assert summed(page, ["t_total"]) == 57
    assert summed(page, ["t_total{kind=prompt}"]) == 7
    assert summed(page, ['t_total{kind="x", w="0"}', "other"]) == 0


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_is_one_command(name: str) -> None:
    """A script that may be executed, that the shell understands, and that hands its arguments on."""
    script = ROOT / "deploy" / "judge" / name / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=10)
    assert f"tidegate judge --recipe {name}" in script.read_text()
    assert '"$@"' in script.read_text()


def test_what_recipes_install_is_pinned() -> None:
    """To one version each, which the report names."""
    pins = (ROOT / "deploy" / "judge" / "litellm" / "requirements.txt").read_text().split()
    assert all("==" in pin for pin in pins)
    package = json.loads((ROOT / "deploy" / "judge" / "portkey" / "package.json").read_text())
    assert all(version[0].isdigit() for version in (package["dependencies"] | package["overrides"]).values())
