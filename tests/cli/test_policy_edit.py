"""`tidegate policy show|apply|history|restore|schema`, against an admin port on a socket."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli import test_manage
from tests.cli.test_manage import Said
from tests.control.admin.desk import Desk
from tests.control.admin.policy import SECRET, file_of, with_policy

gate, said = test_manage.gate, test_manage.said  # fixtures


@pytest.fixture
def file(gate: Desk, said: Said, tmp_path: Path) -> Path:
    """What `show` printed."""
    with_policy(gate)
    path = tmp_path / "edited.yaml"
    path.write_text(said("policy show"), encoding="utf-8")
    return path


def test_the_round_trip(gate: Desk, said: Said, file: Path) -> None:
    """Shown without secrets, edited, tried, applied, and put back."""
    before = file_of(gate).read_bytes()
    assert SECRET not in file.read_text(encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace("max_retries: 3", "max_retries: 4"), encoding="utf-8")
    tried = said(f"policy apply {file} --dry-run")
    assert "+  retry_policy: {max_retries: 4}" in tried
    assert file_of(gate).read_bytes() == before
    assert "version 4 is in force after" in said(f"policy apply {file} --comment patient")
    assert file_of(gate).read_text(encoding="utf-8").count(SECRET) == 1
    assert "in force already" in said(f"policy apply {file}")
    (last, first) = said.json("policy history")
    assert (last["comment"], first["by"]) == ("patient", "")
    assert "-  retry_policy: {max_retries: 3}" in said(f"policy history {last['id']}")
    assert "version 5 is in force" in said(f"policy restore {first['id']}")
    assert file_of(gate).read_bytes() == before


def test_what_is_refused(gate: Desk, said: Said, file: Path) -> None:
    """Each error with its line; a base that is not in force any more; a file that is none."""
    base = said.json("policy show")["digest"]
    file.write_text(file.read_text(encoding="utf-8").replace("max_retries: 3", "max_retry: 3"), encoding="utf-8")
    assert ":10:" in said(f"policy apply {file} --dry-run", status=1)
    assert "text:10:18 model_strategy.retry_policy.max_retry" in said(f"policy apply {file}", status=1)
    file_of(gate).write_bytes(file_of(gate).read_bytes() + b"# mine\n")
    assert "somebody else has changed it" in said(f"policy apply {file} --base {base}", status=1)
    assert "No such file" in said("policy apply nowhere.yaml", status=2)


def test_the_schema_needs_no_gate(said: Said) -> None:
    """It is printed as JSON."""
    Draft202012Validator.check_schema(json.loads(said("policy schema")))
