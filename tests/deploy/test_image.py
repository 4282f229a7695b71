"""The image and what `docker compose` starts beside it. No engine runs here: what one would be told is looked at."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import release
from tests.deploy.tools import DEPLOY, program, read, run
from tests.servers import needs_prometheus

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
LAST = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
COMPOSE = "compose/compose.yaml"
TIDY = "{extends: default, rules: {line-length: {max: 130}, document-start: disable, indentation: disable}}"
LEFT_OUT = {"redis", "semantic", "apprise"}  # the first is in `workers`; the others are large, and few want them
SECRETS = ("OPENAI_API_KEY", "POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "VALKEY_PASSWORD")


def test_hadolint_has_nothing_to_say() -> None:
    """Of the Dockerfile, at its strictest."""
    run(program("hadolint"), "--failure-threshold", "style", str(DEPLOY / "docker" / "Dockerfile"))


def test_the_image_has_what_a_gate_may_be_told_to_use() -> None:
    """Every extra that users install, but those that are built in on demand."""
    named = re.search(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, re.MULTILINE)[1].split(",")  # type: ignore[index]
    assert set(named) == set(release.EXTRAS) - LEFT_OUT


def test_the_last_stage_is_small_and_nobodys() -> None:
    """No compiler and no sources in it, a user by number, health, and the signal that drains."""
    assert not re.search(r"apt-get|gcc|pip install|COPY \. ", LAST)
    assert re.search(r"^USER (\d+):\1$", LAST, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in LAST
    assert "127.0.0.1:8081/readyz" in LAST


def test_the_command_is_one_that_the_gate_takes(tmp_path: Path) -> None:
    """Word for word, but that there is no file: so the words are right, and the file is what it asks for."""
    entry = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", LAST, re.MULTILINE)[1])  # type: ignore[index]
    words = json.loads(re.search(r"^CMD (\[\"serve\".*?\])$", LAST.replace("\\\n", ""), re.MULTILINE)[1])  # type: ignore[index]
    words = [word.replace("/var/lib/tidegate", str(tmp_path)) for word in [*entry, *words]]
    words += ["--port", "0", "--admin-port", "0"]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "/etc/tidegate/tidegate.yaml" in done.stderr


def test_what_the_image_needs_is_let_in() -> None:
    """Whatever the build takes is an exception of .dockerignore, and a secret that lies about is none."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert {"src", "web", "stubs", "hatch_build.py", "pyproject.toml", "constraints.txt"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert "*" in lines
    assert "**/.env*" in lines


def test_compose_is_one_that_the_specification_has() -> None:
    """By the schema that its makers publish."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert "ok" in run(program("check-jsonschema"), *schema, str(DEPLOY / COMPOSE))


def test_yaml_is_tidy() -> None:
    """Every file of it, but for templates."""
    files = [str(path) for path in DEPLOY.rglob("*.yaml") if "templates" not in path.parts]
    run(program("yamllint"), "--strict", "--config-data", TIDY, *files)


def test_each_service_is_asked_whether_it_is_well() -> None:
    """The gate by its image; who needs another waits until that one is."""
    services = read(COMPOSE)["services"]
    assert set(services) == {"gate", "valkey", "postgres", "rabbitmq", "prometheus", "grafana"}
    for name, service in services.items():
        assert name == "gate" or "healthcheck" in service, name
        assert re.search(r":[\w.\-]+$", service["image"]) or name == "gate", name
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}, needed


def test_only_this_machine_is_let_in_unless_asked_for() -> None:
    """Each port that is published is the loopback's by default; the gate's root is read-only and without rights."""
    services = read(COMPOSE)["services"]
    for service in services.values():
        for port in service.get("ports", ()):
            assert port.startswith(("127.0.0.1:", "${GATE_ADDRESS:-127.0.0.1}:"))
    gate = services["gate"]
    assert (gate["read_only"], gate["cap_drop"], gate["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])


def test_the_policy_beside_it_can_be_used() -> None:
    """With the variables that compose hands on, which the example of `.env` has, and no error."""
    gate = read(COMPOSE)["services"]["gate"]
    example = (DEPLOY / "compose" / ".env.example").read_text(encoding="utf-8")
    asked = {name for name, value in gate["environment"].items() if ":?" in value}
    assert asked == set(SECRETS)
    assert asked <= set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    policy = DEPLOY / "compose" / "gate" / "tidegate.yaml"
    said = run(sys.executable, "-m", "tidegate", "check", str(policy), **dict.fromkeys(SECRETS, "x"))
    assert ": ok, 1 provider, 1 strategy" in said


def test_a_drain_ends_before_the_container_does() -> None:
    """The time it is given is longer than the gate's own, which the policy leaves as it is."""
    gate = read(COMPOSE)["services"]["gate"]
    assert int(gate["stop_grace_period"].removesuffix("s")) > 30
    assert "server" not in read("compose/gate/tidegate.yaml")


def test_prometheus_and_grafana_find_what_they_are_given(tmp_path: Path) -> None:
    """The rules, the dashboards and the source of data lie where their files say."""
    needs_prometheus()
    config = tmp_path / "prometheus.yaml"
    config.write_text((DEPLOY / "compose" / "prometheus.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "alerts.yaml").write_bytes((DEPLOY / "prometheus" / "alerts.yaml").read_bytes())
    run("promtool", "check", "config", str(config))
    services = read(COMPOSE)["services"]
    inside = dict(volume.split(":")[:2][::-1] for volume in services["grafana"]["volumes"])
    folder = read("compose/grafana/dashboards.yaml")["providers"][0]["options"]["path"]
    assert (DEPLOY / "compose" / inside[folder]).resolve() == DEPLOY / "grafana"
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / "grafana" / Path(home).name).exists()
    assert read("compose/grafana/datasources.yaml")["datasources"][0]["type"] == "prometheus"


@pytest.mark.parametrize("service", ["gate", "valkey", "prometheus"])
def test_commands_are_lists_of_words(service: str) -> None:
    """So no shell cuts them up anew."""
    command = read(COMPOSE)["services"][service]["command"]
    assert all(isinstance(word, str) for word in command)
    assert service == "valkey" or all(shlex.split(word) == [word] for word in command)
