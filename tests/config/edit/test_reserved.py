"""What of a configuration only an administrator may change."""

from typing import Any

import pytest

from tidegate.config.edit.masks import Masker
from tidegate.config.edit.reserved import bent, rebound, reserved
from tidegate.config.findings import dotted
from tidegate.config.source import Document, parse

COMMAND = {"kind": "command", "command": ["/bin/more-quota"]}
OIDC = {"admin": {"oidc": {"issuer": "https://id.example", "roles": {"ops": "operator"}}}}


def channel(about: Any) -> dict[str, Any]:
    return {"alerts": {"channels": {"ops": about}}}


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({}, {}, []),
        ({}, {"admin": {}}, []),
        ({"admin": None}, {}, []),
        ({"money": {"currency": "USD"}}, {"money": {"currency": "EUR"}}, []),
        (OIDC, OIDC, []),
        (OIDC, {"admin": {"oidc": {**OIDC["admin"]["oidc"], "roles": {"ops": "admin"}}}}, ["admin.oidc.roles.ops"]),
        (OIDC, {}, ["admin.oidc"]),
        ({}, OIDC, ["admin.oidc"]),
        ({"admin": {"idle_seconds": 1}}, {"admin": {"idle_seconds": True}}, ["admin.idle_seconds"]),
        ({"ledger": {"database": "a"}}, {"ledger": {"database": "b", "keep_days": 2}}, ["ledger.database"]),
        ({"ledger": {"keep_days": 1}}, {"ledger": {"keep_days": 2}}, []),
        ({}, channel(COMMAND), ["alerts.channels.ops"]),
        (channel(COMMAND), channel({**COMMAND, "command": ["/bin/sh"]}), ["alerts.channels.ops"]),
        (channel({"kind": "slack", "url": "x"}), channel(COMMAND), ["alerts.channels.ops"]),
        (channel(COMMAND), channel(COMMAND), []),
        (channel(COMMAND), {}, []),
        ({}, channel({"kind": "slack", "url": "x"}), []),
        ({}, {"clients": {"keys_file": "/proc/self/environ"}}, ["clients.keys_file"]),
        (
            {"profiles": {"ours": "a.yaml"}},
            {"profiles": {"ours": "b.yaml", "new": "c"}},
            ["profiles.new", "profiles.ours"],
        ),
        ({}, {"jobs": {"gate_url": "https://mine.example"}}, ["jobs.gate_url"]),
        ("broken", {"admin": {"oidc": 1}}, ["admin.oidc"]),
        (None, [1], []),
    ],
)
def test_what_differs(before: object, after: object, fields: list[str]) -> None:
    """By what the texts mean: what stands there as it stood is nobody's change."""
    assert [dotted(path) for path in reserved(Document(data=before), Document(data=after))] == fields


def test_it_is_bounded() -> None:
    """However much is changed, a reader is told a page of it."""
    roles = {f"group-{number}": "admin" for number in range(50)}
    before, after = ({"admin": {"oidc": {"roles": one}}} for one in (dict.fromkeys(roles, "viewer"), roles))
    assert len(reserved(Document(data=before), Document(data=after))) == 20


MASKER = Masker(b"k" * 32)
ENVIRON = {"KEY": "sk-of-the-environment", "OTHER": "o" * 20, "HOST": "redis.example", "NAME": "acme"}
BASE = """\
providers:
  one:
    dialect: openai
    base_url: https://one.example/v1
    scopes: [{name: main, keys: ["sk-one-one-one-one", "${KEY}"]}]
  two:
    dialect: openai
    base_url: https://two.example/v1
    proxy: http://user:pa55word@proxy.example:3128
    scopes:
      - name: main
        keys: ["sk-two-two-two-two"]
clients: {keys: [{name: web, key: client-key-of-web}]}
namespaces: {acme: {keys: ["${OTHER}"]}}
telemetry: {endpoint: "https://otlp.example", headers: {x-api-key: otlp-secret}}
alerts:
  channels:
    ops: {kind: webhook, url: "https://hooks.example/ops", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3}
    mail: {kind: email, url: "smtps://mail.example", username: me, password: mail-password, receivers: [c@d]}
cluster: {url: "redis://:cluster-pass@${HOST}:6379/0"}
cache: {redis: {url: "redis://cache.example:6379/0"}}
jobs: {webhooks: {secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY4}}
"""


def blamed(*replaced: tuple[str, str]) -> list[str]:
    """Where secrets of the text are sent elsewhere, when it is sent changed so; masks are written as `<secret>`."""
    masked = MASKER.hide(BASE)
    text = masked.text
    for pair in replaced:
        before, after = pair
        for digest, secret in masked.secrets.items():
            before = before.replace(f"<{secret}>", f"«secret:{digest}»")
            after = after.replace(f"<{secret}>", f"«secret:{digest}»")
        assert before in text, before
        text = text.replace(before, after)
    assert "<" not in text
    return [dotted(path) for path in rebound(parse(masked.text, ENVIRON), parse(text, ENVIRON))]


MINE = "  mine: {dialect: openai, base_url: https://mine.example/v1, scopes: [{name: a, keys: [%s]}]}\nclients"


@pytest.mark.parametrize(
    ("replaced", "fields"),
    [
        # Where it goes, or how, changes.
        (("https://one.example/v1", "https://mine.example/v1"), ["providers.one.base_url"]),
        (("https://two.example/v1", "https://mine.example/v1"), ["providers.two.base_url"]),
        (("proxy.example:3128", "mine.example:3128"), ["providers.two.proxy"]),
        (
            ("https://one.example/v1", "https://one.example/v1\n    proxy: http://mine.example:1"),
            ["providers.one.proxy"],
        ),
        (("https://one.example/v1", "https://one.example/v1\n    ca_file: mine.pem"), ["providers.one.ca_file"]),
        (("https://one.example/v1", "https://one.example/v1\n    profile: generic"), ["providers.one.profile"]),
        (("https://one.example/v1", "${HOST}"), ["providers.one.base_url"]),
        (("https://otlp.example", "https://mine.example"), ["telemetry.endpoint"]),
        (("mail.example", "x"), ["alerts.channels.mail.url"]),
        (("${HOST}:6379/0", "mine.example:6379/0"), ["cluster.url"]),
        (("${HOST}:6379/0", "${HOST:-mine.example}:6379/0"), ["cluster.url"]),
        # It is put where it goes elsewhere.
        (("clients", MINE % '"<sk-one-one-one-one>"'), ["providers.mine.scopes[0].keys[0]"]),
        (("clients", MINE % '"<client-key-of-web>"'), ["providers.mine.scopes[0].keys[0]"]),
        (("clients", MINE % '"${KEY}"'), ["providers.mine.scopes[0].keys[0]"]),
        (("clients", MINE % '"x${OTHER:-y}"'), ["providers.mine.scopes[0].keys[0]"]),
        (("clients", MINE % '"${TOKEN}"'), ["providers.mine.scopes[0].keys[0]"]),
        (("<otlp-secret>", "<sk-one-one-one-one>"), ["telemetry.headers.x-api-key"]),
        (("redis://cache.example", "redis://:${KEY}@cache.example"), ["cache.redis.url"]),
        (("receivers: [c@d]", 'receivers: [c@d], keyword: "${KEY}"'), ["alerts.channels.mail.keyword"]),
        (("name: web", 'name: "${KEY}"'), ["clients.keys[0].name"]),
        (("acme:", '"${NAME}":'), ["namespaces.acme"]),
        # It stays where it goes, wherever in the text that is.
        (("  one:", "  renamed:"), []),
        (("name: main, keys", "name: other, weight: 2, keys"), []),
        (('["<sk-one-one-one-one>", "${KEY}"]', '["${KEY}"]}, {name: b, keys: [<sk-one-one-one-one>]'), []),
        (("name: web", "name: app"), []),
        (("acme:", "globex:"), []),
        (("    ops:", "    operations:"), []),
        # Who writes it himself knows it.
        (("clients", MINE % "sk-mine"), []),
        (("<otlp-secret>", "new"), []),
        (("<cluster-pass>@${HOST}:6379/0", "new@mine.example"), []),
    ],
)
def test_where_secrets_are_sent(replaced: tuple[str, str], fields: list[str]) -> None:
    """A mask or a reference stays with where it goes; the field that changes that is told, else where it is put."""
    if replaced[0] == "mail.example":  # the address of a channel is a secret as a whole
        replaced = ("<smtps://mail.example>", "smtps://mine.example")
    assert blamed(replaced) == fields


def test_a_new_secret_goes_where_who_knows_it_likes() -> None:
    """Beside a new address, when nothing of the old stays there."""
    assert blamed(('<sk-one-one-one-one>", "${KEY}', "sk-mine"), ("https://one.example", "https://mine.example")) == []


def test_a_secret_breaks_out_of_no_quotes() -> None:
    """What is sent and what it becomes with its secrets are the same values, but for these."""
    evil = 'x"], y: ["z'
    assert bent(parse('a: ["«secret:0123456789abcdef»", 1]', {}), parse('a: ["secret", 1]', {})) is None
    sent = 'a: {scopes: [{keys: ["«secret:0123456789abcdef»"]}]}'
    assert bent(parse(sent, {}), parse(sent.replace("«secret:0123456789abcdef»", evil), {})) is not None
    assert bent(parse("a: «secret:0123456789abcdef»", {}), parse("a: 12", {})) == ("a",)
