"""Names: those of the conventions are spelt as the SDK's own, and stand in one module."""

import ast
from pathlib import Path

from opentelemetry.semconv._incubating.attributes import (
    error_attributes,
    gen_ai_attributes,
    http_attributes,
    server_attributes,
    service_attributes,
)
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.schemas import Schemas

import tidegate
from tidegate.tracing import names

THEIRS = (
    error_attributes, gen_ai_attributes, http_attributes, server_attributes, service_attributes, gen_ai_metrics,
)  # fmt: skip
CONVENTIONS = ("gen_ai.", "error.", "http.", "server.", "service.")
LATER = {"moonshot_ai"}  # in the registry since the conventions have a repository of their own


def ours() -> dict[str, str]:
    return {name: value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def test_the_conventions_names_are_the_sdks() -> None:
    """Every name that is not our own is a constant of the SDK's package; so is the version that we say we follow."""
    known = {value for module in THEIRS for value in vars(module).values() if isinstance(value, str)}
    odd = {"http.request.resend_count", names.HEADER}  # of the stable package; and the start of a name
    told = {value for value in ours().values() if value.startswith(CONVENTIONS)}
    assert told - known - odd == set()
    assert len(told) > 20
    assert Schemas.V1_41_0.value == names.SCHEMA


def test_makers_and_operations_are_those_that_are_well_known() -> None:
    """Where one applies, it must be used: none that we map to is misspelt."""
    providers = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    assert {*names.PROVIDERS.values(), *names.HOSTS.values()} - providers == LATER
    operations = {one.value for one in gen_ai_attributes.GenAiOperationNameValues}
    assert set(names.OPERATIONS.values()) - operations == {"count_tokens", "forward"}
    assert {names.INPUT, names.OUTPUT} == {one.value for one in gen_ai_attributes.GenAiTokenTypeValues}


def test_they_stand_in_one_module() -> None:
    """No other source writes a name of the conventions, and no other of this room one of ours."""
    found = []
    root = Path(tidegate.__file__).parent
    for path in root.rglob("*.py"):
        ours_too = ("tidegate.",) if path.parent.name == "tracing" else ()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                told = node.value.startswith(("gen_ai.", "server.address", "server.port", *ours_too))
                if told and "\n" not in node.value and path.name != "names.py":
                    found.append((str(path.relative_to(root)), node.value))
    assert found == []
