"""What is kept of what calls say, in the file."""

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.config.build.bodies import bodies, of_bodies
from tidegate.config.schema.bodies import BodiesConfig
from tidegate.model.bodies import KINDS, BodyPolicy

HEAD = "providers:\n  a: {profile: generic, base_url: http://one.example, scopes: [{name: s, keys: [none]}]}\n"


def test_nothing_is_kept_unless_it_is_said(loads: Loads) -> None:
    """Neither for all nor for a namespace; an empty section says nothing."""
    snapshot = loads(f"{HEAD}namespaces: {{acme: {{}}, beta: {{bodies: }}}}\n").snapshot
    assert snapshot.bodies is None
    assert [item.bodies for item in snapshot.namespaces] == [None, None]
    empty = loads(f"{HEAD}bodies: {{}}\n").snapshot.bodies
    assert empty is not None
    assert not empty.sample_ppm
    assert not empty.errors


def test_as_it_is_said(loads: Loads) -> None:
    """For all, and for one namespace instead."""
    loaded = loads(
        f"{HEAD}bodies: {{sample: 0.01, always: [errors], max_bytes: 2048, keep_days: 3,\n"
        "  redact: [email, '/A-[0-9]{4}/']}\n"
        "namespaces: {acme: {bodies: {sample: 1}}, beta: {bodies: {}}}\n"
    )
    assert loaded.snapshot.bodies == BodyPolicy(10_000, True, 2_048, 3, ("email", "/A-[0-9]{4}/"))
    acme, beta = (item.bodies for item in loaded.snapshot.namespaces)
    assert acme == BodyPolicy(1_000_000)
    assert acme is not None
    assert acme.redact == KINDS
    assert beta == BodyPolicy()


def test_the_schema_and_the_record_agree() -> None:
    """By their defaults; and the record tells what it was made of."""
    said = BodiesConfig()
    assert bodies(said) == BodyPolicy()
    assert of_bodies(bodies(said)) == said.model_dump()
    assert bodies(None) is None
    assert of_bodies(None) is None


@pytest.mark.parametrize(
    ("line", "field", "remedy"),
    [
        ("sample: 1.5", "bodies.sample", "1"),
        ("sample: -1", "bodies.sample", "0"),
        ("always: [everything]", "bodies.always", "errors"),
        ("max_bytes: 1000000000", "bodies.max_bytes", "1"),
        ("keep_days: 0", "bodies.keep_days", "1"),
        ("redact: [emial]", "bodies.redact", "email"),
        ("redact: ['/a*/']", "bodies.redact", "{0,50}"),
        ("redact: ['/(/']", "bodies.redact", "character"),
        ("redact: ['/(a{1,9}){1,9}/']", "bodies.redact", "fixed length"),
        ("retain: 1", "bodies", "sample"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(refusals: Refusals, line: str, field: str, remedy: str) -> None:
    """By its line and field."""
    (refusal,) = refusals(f"{HEAD}bodies: {{{line}}}\n")
    assert refusal.startswith("3:")
    assert field in refusal
    assert remedy in refusal


def test_nothing_taken_out_is_worth_a_warning(loads: Loads) -> None:
    """Where something is kept."""
    loaded = loads(f"{HEAD}bodies: {{sample: 0.1, redact: []}}\nnamespaces: {{acme: {{bodies: {{redact: []}}}}}}\n")
    found = [warning for warning in loaded.warnings if "taken out" in str(warning)]
    assert len(found) == 1
