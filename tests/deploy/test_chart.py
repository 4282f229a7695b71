"""The Helm chart, rendered by Helm's own engine and held against Kubernetes' own schemas."""

import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.tools import DEPLOY, run
from tidegate import __version__

helm = pytest.importorskip("helm_python", reason="extra `deploy`", exc_type=ImportError)
schemas = pytest.importorskip("kubernetes_validate", reason="extra `deploy`", exc_type=ImportError)

CHART = DEPLOY / "helm" / "tidegate"
VERSIONS = ("1.27", "1.31", "1.36")
SHARED = {"cluster": {"url": "redis://valkey:6379/0"}, "ledger": {"database": "postgresql://postgres/tidegate"}}
EVERYTHING: dict[str, Any] = {
    "replicas": 3,
    "policy": "volume",
    "secrets": {"OPENAI_API_KEY": 'sk-"quoted"'},
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"callers": [{"namespaceSelector": {}}], "admins": [{"podSelector": {}}]},
    "persistence": {"storageClass": "fast"},
    "adminHosts": ["gate.example.com"],
    "nodeSelector": {"disk": "fast"},
    "podLabels": {"team": "platform"},
    "podAnnotations": {"note": "x"},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraArgs": ["--port=8080"],
}


def rendered(values: dict[str, Any] | None = None) -> dict[tuple[str, str], Any]:
    """Every resource by its kind and name."""
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(values or {}, name="gate", namespace="prod")
    documents = [
        one for name, text in texts.items() if name.endswith(".yaml") for one in YAML(typ="safe").load_all(text)
    ]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents if one}


def everything() -> dict[tuple[str, str], Any]:
    return rendered(EVERYTHING | {"config": SHARED})


def pod(resources: dict[tuple[str, str], Any]) -> Any:
    return resources["StatefulSet", "gate-tidegate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, EVERYTHING | {"config": SHARED}], ids=["as it is", "everything"])
def test_kubernetes_takes_what_it_renders(values: dict[str, Any], version: str) -> None:
    """Strictly: no field that the schema of its kind does not have; a custom resource's schema is its operator's."""
    for (kind, _), resource in rendered(values).items():
        if "monitoring.coreos.com" not in resource["apiVersion"]:
            schemas.validate(resource, version, strict=True)
        assert kind


def test_it_is_of_this_version() -> None:
    """The chart, and the image that it takes unless told otherwise."""
    said = YAML(typ="safe").load(CHART / "Chart.yaml")
    assert (said["version"], said["appVersion"]) == (__version__, __version__)
    assert pod(rendered())["containers"][0]["image"] == f"tidegate:{__version__}"


def test_helm_finds_nothing_wrong() -> None:
    """Neither an error nor a warning."""
    found = helm.lint(str(CHART))
    assert found["errors"] == []
    assert [one for one in found["messages"] if one["severity"] > 1] == []


def test_what_it_renders() -> None:
    """Only what was asked for."""
    always = {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount", "StatefulSet"}
    assert {kind for kind, _ in rendered()} == always
    more = {"HorizontalPodAutoscaler", "PrometheusRule", "Secret", "ServiceMonitor"}
    assert {kind for kind, _ in everything()} == always | more


def test_its_policy_is_one_that_the_gate_takes(tmp_path: Path) -> None:
    """The ConfigMap's file, with the variables that the Secret would hold."""
    policy = tmp_path / "tidegate.yaml"
    policy.write_text(rendered()["ConfigMap", "gate-tidegate-policy"]["data"]["tidegate.yaml"], encoding="utf-8")
    assert ": ok, 1 provider" in run(sys.executable, "-m", "tidegate", "check", str(policy), OPENAI_API_KEY="x")


def test_a_pod_has_time_to_drain() -> None:
    """What Kubernetes allows is longer than to be forgotten by load balancers and to drain, also a longer drain."""
    for seconds in (30, 120):
        found = pod(rendered({"config": {"server": {"drain_timeout_seconds": seconds}}}))
        assert found["terminationGracePeriodSeconds"] == seconds + 5 + 10
        assert found["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "config.cluster.url"),
        ({"autoscaling": {"enabled": True}}, "config.cluster.url"),
        ({"replicas": 2, "config": {"cluster": SHARED["cluster"]}}, "PostgreSQL in config.ledger.database"),
        ({"policy": "somewhere"}, "policy"),
        ({"workers": 0}, "workers"),
    ],
)
def test_what_would_break_quietly_is_refused(values: dict[str, Any], said: str) -> None:
    """With the field that is missing, or wrong."""
    with pytest.raises(helm.HelmError, match=said):
        rendered(values)


@pytest.mark.parametrize("values", [{}, EVERYTHING | {"config": SHARED}], ids=["as it is", "everything"])
def test_a_pod_may_do_next_to_nothing(values: dict[str, Any]) -> None:
    """No root, no rights, a root that is read-only, no token of the cluster; what it writes has a volume."""
    found = pod(rendered(values))
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["automountServiceAccountToken"] is False
    for container in [*found["containers"], *found.get("initContainers", ())]:
        locked = container["securityContext"]
        assert (locked["readOnlyRootFilesystem"], locked["capabilities"]) == (True, {"drop": ["ALL"]})
    assert {mount["mountPath"] for mount in found["containers"][0]["volumeMounts"] if not mount.get("readOnly")} == {
        "/var/lib/tidegate",
        "/tmp",
    }


def test_a_policy_that_may_be_changed_lies_in_the_state() -> None:
    """The first one is copied there once; else the gate reads the ConfigMap's."""
    assert "--config=/etc/tidegate/tidegate.yaml" in pod(rendered())["containers"][0]["args"]
    found = pod(everything())
    assert "--config=/var/lib/tidegate/policy/tidegate.yaml" in found["containers"][0]["args"]
    assert "[ -e /var/lib/tidegate/policy/tidegate.yaml ] ||" in found["initContainers"][0]["command"][-1]


def test_a_secret_is_not_in_the_clear_elsewhere() -> None:
    """It stands in the Secret, whole, and in nothing else."""
    resources = everything()
    assert resources["Secret", "gate-tidegate-environment"]["stringData"] == EVERYTHING["secrets"]
    assert [kind for (kind, _), one in resources.items() if "quoted" in str(one)] == ["Secret"]
    there = rendered({"secrets": {"A": "b"}, "existingSecret": "mine"})
    assert not [kind for kind, _ in there if kind == "Secret"]
    assert pod(there)["containers"][0]["envFrom"] == [{"secretRef": {"name": "mine"}}]


def test_the_rules_are_those_of_prometheus() -> None:
    """The chart carries them, since Helm reads nothing beside it."""
    assert (CHART / "files" / "alerts.yaml").read_bytes() == (DEPLOY / "prometheus" / "alerts.yaml").read_bytes()
    rule = everything()["PrometheusRule", "gate-tidegate"]
    assert rule["spec"] == YAML(typ="safe").load(DEPLOY / "prometheus" / "alerts.yaml")
