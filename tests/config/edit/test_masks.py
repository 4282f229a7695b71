"""Secrets are hidden on the way out, whatever the text looks like, and put back where they belong, and only there."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.test_secrets import FULL
from tidegate.config.edit.masks import MASK, Masker, by_place, laid_bare, put_back
from tidegate.config.fields import all_fields
from tidegate.config.schema.base import only_inside

MASKER = Masker(b"k")
TEXT = """\
# an old one: sk-abcdefgh1234567
providers:
  openai:
    base_url: https://api.openai.com/v1
    proxy: http://me:HIDE@proxy:1/
    scopes:
      - name: main
        keys: ["HIDE1", "${OPENAI}", 'x${K:-HIDE2}']
      - {name: b, keys: [HIDE3]}
    api_key: HIDE4
clients: {keys: [HIDE5, {name: x, key: HIDE6}]}
strategies:
  s: {queue_backend: "redis://:HIDE7@h:1/0", primary_model: gpt-4o}
  t: {queue_backend: "redis://localhost:6379/0"}
alerts:
  channels:
    ops: {kind: slack, url: https://hooks.example/T/HIDE8}
telemetry:
  headers: {x-api-key: HIDE9}
jobs:
  webhooks:
    secret: |
      HIDE10
"""


def test_every_secret_is_hidden_and_comes_back() -> None:
    """Nothing of them is left, all else stands as it was, references too; the way back is the same text."""
    masked = MASKER.hide(TEXT)
    assert "HIDE" not in masked.text
    assert "sk-abc" not in masked.text
    for kept in ("${OPENAI}", "redis://localhost:6379/0", "http://me:«", "primary_model: gpt-4o", "name: x"):
        assert kept in masked.text
    assert masked.text.count("\n") == TEXT.count("\n")
    assert put_back(masked.text, masked.secrets) == (TEXT, [])


def test_a_broken_text_shows_none_either() -> None:
    """By the names of its lines, where nothing can be parsed."""
    masked = MASKER.hide(TEXT + "  : [\n")
    for name in ("HIDE1", "HIDE2", "HIDE3", "HIDE4", "HIDE5", "HIDE6", "HIDE7", "HIDE8", "HIDE9"):
        assert name not in masked.text
    assert put_back(masked.text, masked.secrets) == (TEXT + "  : [\n", [])


def test_all_secret_fields_of_the_schema() -> None:
    """A field that is marked is hidden wherever it stands: the schema is the one place that says so."""
    marked = [path for path, field in all_fields() if not field.repr]
    assert {"providers.NAME.scopes[].keys", "jobs.webhooks.secret", "alerts.channels.NAME.password"} <= set(marked)
    assert all(
        only_inside(field) for path, field in all_fields() if path.endswith(("queue_backend", ".proxy", "database"))
    )
    assert "user:password" not in MASKER.hide(json.dumps(FULL)).text
    assert '"key-1"' not in MASKER.hide(json.dumps(FULL)).text


def test_a_moved_line_keeps_its_secret() -> None:
    """Also into another provider, and twice."""
    masked = MASKER.hide("clients: {keys: [one, two]}\n")
    first, second = (match[0] for match in MASK.finditer(masked.text))
    text, lost = put_back(f"clients: {{keys: [{second}, {first}, {first}]}}\n", masked.secrets)
    assert (text, lost) == ("clients: {keys: [two, one, one]}\n", [])


def test_masks_that_stand_for_nothing() -> None:
    """Each is named with its line: one that nobody knows, one that was cut."""
    _, lost = put_back("a: 1\nb: «secret:0123456789abcdef»\n  c: «secret:12»\n", {})
    assert [(one.line, one.column) for one in lost] == [(2, 4), (3, 6)]


def test_a_secret_cannot_be_moved_to_where_it_would_be_seen() -> None:
    """Not into another field, and not into a comment; one that stood in a comment may stay there."""
    base = "# sk-abcdefgh1234567\nclients: {keys: [sk-secret-one]}\n"
    masked = MASKER.hide(base)
    mask = masked.text.partition("[")[2].partition("]")[0]
    for text in (masked.text + f"model_strategy: {{primary_model: {mask}}}\n", masked.text + f"# {mask}\n"):
        filled, lost = put_back(text, masked.secrets)
        assert lost == []
        (found,) = laid_bare(text, filled, base, MASKER)
        assert (found.line, found.message) == (3, "a secret cannot stand here")
    assert laid_bare(masked.text, base, base, MASKER) == []


def test_masks_by_place() -> None:
    """What is at the same place now stands for a mask that is not known any more."""
    old = MASKER.hide("clients: {keys: [one, two]}\n")
    now = "clients: {keys: [three]}\n"
    text, lost = put_back(old.text, by_place(old.text, now, MASKER.hide(now).secrets))
    assert text.startswith("clients: {keys: [three, «")
    assert len(lost) == 1


def test_digests_are_of_this_installation() -> None:
    """So nobody can try out short secrets on a mask."""
    assert Masker(b"a").digest("one") != Masker(b"b").digest("one")


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*TEXT.splitlines(keepends=True), "  : [\n", "- x\n", "'", "\t"]), max_size=12).map(
        "".join
    )
)
def test_any_text_comes_back(text: str) -> None:
    """Whatever stands in it, hiding is undone by putting back."""
    if "«secret:" in text:
        return
    masked = MASKER.hide(text)
    assert put_back(masked.text, masked.secrets) == (text, [])


@pytest.mark.parametrize(
    "value", ["HIDE-plain", '"HIDE"', "'HI''DE'", "&a HIDE", "|\n      HIDE\n      more", "!!str HIDE"]
)
def test_however_a_value_is_written(value: str) -> None:
    """In quotes, with an anchor or a tag, over several lines."""
    text = f"jobs:\n  webhooks:\n    secret: {value}\n"
    masked = MASKER.hide(text)
    assert "HI" not in masked.text
    assert put_back(masked.text, masked.secrets)[0] == text
