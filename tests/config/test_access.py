"""Who may call and for how much: what the snapshot holds, and what is worth saying."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.config.conftest import Loads
from tidegate.config.load import load
from tidegate.model.keys import digest_of, signing_key_of
from tidegate.model.snapshot import AddressLimits, Allowance, ClientKey, Isolation, SigningSettings, User

PROVIDERS = """\
providers:
  a: {profile: generic, base_url: http://one.example, scopes: [
    {name: s1, keys: [none], limits: {m-one: {rpm: 1}}}, {name: s2, keys: [other], limits: {m-one: {rpm: 1}}}]}
  b: {profile: generic, base_url: http://two.example, scopes: [{name: s1, keys: [none]}], models: {n: }}
"""
ACME = """\
namespaces:
  acme:
    timezone: Asia/Shanghai
    models: [m-*, n]
    limits: {rpm: 1, tpm: 2, concurrent: 3, tokens_per_day: 4}
    budget: {per_day: 0.15, per_month: "12.5"}
    by_model: {n: {limits: {rpm: 5}, budget: {per_day: 1}}}
    on_revoked: cut
    users: {ann: {models: [n], limits: {rpm: 6}, budget: {per_month: 2}}, bob: }
    keys:
      - {key: k1, user: ann, models: ["*"], addresses: [10.0.0.0/8, 2001:db8::1],
         limits: {rpm: 7}, budget: {per_day: 3}}
      - {name: two, key: k2, user: bob, signing: required, not_before: 2026-12-01, expires: 2026-12-31T18:00:00+01:00}
      - {key: k3, signing: optional}
    isolation: {port: 8081, cpu: 70%}
pools:
  own: {scopes: [a/s1], only: [acme]}
"""


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc]


def said(loads: Loads, text: str) -> list[str]:
    """Warnings of the places that these tests are about."""
    return [
        warning.sentence()
        for warning in loads(PROVIDERS + text).warnings
        if warning.field.partition(".")[0] in ("namespaces", "ledger", "money", "providers")
    ]


def test_a_namespace(loads: Loads) -> None:
    """All that it may use and spend, and who its users are."""
    (acme,) = loads(PROVIDERS + ACME).snapshot.namespaces
    assert acme.models == ("m-*", "n")
    assert acme.allowance == Allowance(1, 2, 3, 4, 150_000_000, 12_500_000_000)
    assert acme.by_model == {"n": Allowance(rpm=5, nano_day=10**9)}
    assert (acme.timezone, acme.on_revoked) == ("Asia/Shanghai", "cut")
    assert acme.users == (User("ann", ("n",), Allowance(rpm=6, nano_month=2 * 10**9)), User("bob"))


def test_its_keys(loads: Loads) -> None:
    """A day begins at midnight of the namespace; what signs is derived only for keys that take signatures."""
    one, two, three = loads(PROVIDERS + ACME).snapshot.namespaces[0].clients
    assert one == ClientKey(
        name="acme-1",
        digest=digest_of("k1"),
        user="ann",
        models=("*",),
        addresses=("10.0.0.0/8", "2001:db8::1/128"),
        allowance=Allowance(rpm=7, nano_day=3 * 10**9),
    )
    assert (two.name, two.user, two.signing, two.signing_key) == ("two", "bob", "required", signing_key_of("k2"))
    assert (two.not_before_us, two.expires_us) == (us(2026, 11, 30, 16), us(2026, 12, 31, 17))
    assert (three.signing, three.signing_key) == ("optional", signing_key_of("k3"))


def test_keys_of_clients(loads: Loads) -> None:
    """They have the same fields; their days are those of UTC."""
    (key,) = loads("clients: {keys: [{key: k, expires: 2027-01-01, budget: {per_day: 1}}]}").snapshot.clients
    assert key == ClientKey(
        "key-1", digest_of("k"), expires_us=us(2027, 1, 1), allowance=Allowance(nano_day=1_000_000_000)
    )


@pytest.mark.parametrize(
    ("cpu", "permille"), [("70%", 700), ("12.5%", 125), ("0.7", 700), ('"0.7"', 700), ("2", 2_000), ("150 %", 1_500)]
)
def test_isolation(loads: Loads, cpu: str, permille: int) -> None:
    """A part of one CPU, or more than one."""
    text = PROVIDERS + ACME.replace("70%", cpu)
    assert loads(text).snapshot.isolated == (Isolation("acme", 8081, permille),)


def test_isolation_without_a_bound(loads: Loads) -> None:
    """The CPU may be left out."""
    assert loads(PROVIDERS + ACME.replace(", cpu: 70%", "")).snapshot.isolated == (Isolation("acme", 8081, 0),)


def test_access(loads: Loads) -> None:
    """A burst that is left out is a minute's worth."""
    text = """\
access:
  per_address: {rpm: 600}
  per_key_and_address: {rpm: 60, burst: 7}
  per_user: {rpm: 90, burst: 9}
  prefix6: 48
  failures: 0
  trusted_proxies: [10.0.0.1, 2001:db8::/32]
signing: {skew_seconds: 1.5, max_nonces: 1000}
"""
    snapshot = loads(text).snapshot
    assert snapshot.access == AddressLimits(600, 600, 60, 7, 48, 0, ("10.0.0.1/32", "2001:db8::/32"), 90, 9)
    assert snapshot.signing == SigningSettings(1_500_000, 1_000)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("{x: {keys: [k], models: [m-one, m*, n]}}", ""),
        ("{x: {keys: [k], models: [m-one, o]}}", "namespaces.x.models[1]: no model or strategy is called o; "),
        ("{x: {keys: [k], models: [o*]}}", "namespaces.x.models[0]: no model or strategy is called o*; "),
        ("{x: {keys: [{key: k, models: [o]}]}}", "namespaces.x.keys[0].models[0]: no model or strategy is called o; "),
        ("{x: {keys: [{key: k, user: u}], users: {u: {models: [o]}}}}", "namespaces.x.users.u.models[0]: no model or"),
        ("{x: {keys: [k], by_model: {o: {limits: {rpm: 1}}}}}", "namespaces.x.by_model.o: no model or strategy of"),
        ("{x: {keys: [k], users: {u: }}}", "namespaces.x.users.u: no key of the file names this user"),
        ("{x: {keys: [{key: k, user: u}], users: {u: }}}", ""),
        ("{x: {keys: [k], budget: {per_day: 1}}}", "namespaces.x.budget: no price is known of m-one, n, so calls for"),
        ("{x: {keys: [k], models: [n], budget: {per_day: 1}}}", "namespaces.x.budget: no price is known of n, so"),
        (
            "{x: {keys: [k], by_model: {n: {budget: {per_day: 1}}}}}",
            "namespaces.x.by_model.n.budget: no price is known of n, so",
        ),
        (
            "{x: {keys: [{key: k, models: [m-one], user: u, budget: {per_day: 1}}], users: {u: }}}",
            "namespaces.x.keys[0].budget: no price is known of m-one, so",
        ),
        (
            "{x: {keys: [{key: k, user: u}], users: {u: {models: [m*], budget: {per_day: 1}}}}}",
            "namespaces.x.users.u.budget: no price is known of m-one, so",
        ),
        ("{x: {keys: [k], limits: {rpm: 1}}}", ""),
        (
            "{x: {keys: [k], models: [s], budget: {per_day: 1}}}\nstrategies: {s: {primary_model: n}}",
            "namespaces.x.budget: no price is known of n, so",
        ),
        ('{}\nledger: {database: "postgresql://u:secret@h/d"}', "ledger.database: a password stands in the file; "),
        ('{}\nledger: {database: "${URL:-postgresql://u:secret@h/d}"}', ""),
        ('{}\nledger: {database: "postgresql://u@h/d"}', ""),
    ],
)
def test_warnings(loads: Loads, text: str, warning: str) -> None:
    """Names that nothing matches, users without keys, budgets that count nothing, passwords in the file."""
    found = said(loads, f"namespaces: {text}\n")
    assert len(found) == bool(warning)
    assert all(each.startswith(warning) for each in found)


OPEN = "providers: {p: {profile: generic, base_url: http://one.example, scopes: [{name: s, keys: [none]}]}}\n"


def test_a_budget_where_any_model_is_passed_on(loads: Loads) -> None:
    """What nobody names has no price where the provider is nobody known."""
    text = OPEN + "namespaces: {x: {keys: [k], models: [m*], budget: {per_day: 1}}}\n"
    (warning,) = loads(text).warnings
    assert warning.sentence().startswith("namespaces.x.budget: models that the file does not name are passed on, and")
    assert loads(text.replace("m*", "m")).warnings == ()
    assert loads(text.replace("generic", "openai")).warnings == ()


def test_a_key_whose_time_is_over(loads: Loads, tmp_path: Path) -> None:
    """It is told by who knows the time; the keys of a file stand before."""
    text = "clients: {keys_file: keys.txt, keys: [{key: a}, {key: b, expires: 2026-12-01}]}\n"
    text += "namespaces: {x: {keys: [{key: c, expires: 2026-12-02}]}}\n"
    path = str(tmp_path / "gate.yaml")
    (tmp_path / "keys.txt").write_text(f"filed {digest_of('d').hex()}\n")
    loads(text)
    for wall, fields in (
        (0, []),
        (us(2026, 12, 1) - 1, []),
        (us(2026, 12, 1), ["clients.keys[1].expires"]),
        (us(2027, 1, 1), ["clients.keys[1].expires", "namespaces.x.keys[0].expires"]),
    ):
        found = load(path, {}, wall=wall).warnings
        assert [warning.field for warning in found if warning.field != "providers"] == fields
