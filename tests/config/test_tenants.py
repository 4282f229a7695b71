"""Tiers, namespaces, pools and degrade steps: what the snapshot holds, and what is worth saying."""

from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.config.schema.tenants import PickName
from tidegate.model.snapshot import BUILT_IN_TIERS, ClientKey, DegradeStep, Namespace, Pool, Share, TierEntry
from tidegate.model.tenant import PAID, VIP
from tidegate.policy.pick import STRATEGIES

PROVIDERS = """\
providers:
  a: {dialect: openai, base_url: http://one.example, scopes: [
    {name: s1, keys: [k1], max_concurrent: 7, window: fixed, weight: 3, limits: {m: {rpm: 1}}},
    {name: s2, keys: [k2], limits: {m: {rpm: 1}, n: {rpm: 1}}}]}
  b: {dialect: openai, base_url: http://two.example, scopes: [{name: s1, keys: [k3]}], models: {o: }}
"""


def said(loads: Loads, text: str) -> list[str]:
    """Warnings without the one about client keys."""
    return [warning.sentence() for warning in loads(PROVIDERS + text).warnings if warning.field != "clients"]


def test_the_four_tiers_are_there(loads: Loads) -> None:
    """Without a word about tiers."""
    assert loads(PROVIDERS).snapshot.tiers == BUILT_IN_TIERS


def test_tiers_extend_and_override(loads: Loads) -> None:
    """A new one between the built-in ones by rank; one that is built in keeps what the file does not say."""
    text = "tiers: {gold: {rank: 0, weight: 2.5, smoothed: false}, vip: {weight: 9}, late: {rank: 9, reserve: false}}\n"
    tiers = {tier.name: tier for tier in loads(PROVIDERS + text).snapshot.tiers}
    assert list(tiers) == ["vip", "gold", "paid", "free", "batch", "late"]
    assert tiers["gold"] == TierEntry("gold", VIP.rank, 2_500, smoothed=False)
    assert tiers["vip"] == TierEntry("vip", VIP.rank, 9_000, smoothed=False)
    assert tiers["late"] == TierEntry("late", VIP.rank + 9, 1_000, smoothed=True, reserve=False)
    assert tiers["paid"].rank == PAID.rank


def test_namespaces(loads: Loads) -> None:
    """Keys as digests, named or numbered; tier and weight."""
    text = "namespaces: {acme: {tier: vip, weight: 2, keys: [x, {name: web, key: y}]}, plain: {keys: [z]}}\n"
    acme, plain = loads(PROVIDERS + text).snapshot.namespaces
    digests = [sha256(key).digest() for key in (b"x", b"y", b"z")]
    assert acme == Namespace("acme", "vip", 2_000, (ClientKey("acme-1", digests[0]), ClientKey("web", digests[1])))
    assert plain == Namespace("plain", "paid", 1_000, (ClientKey("plain-1", digests[2]),))


def test_every_scope_is_in_a_pool(loads: Loads) -> None:
    """Of each provider; the defaults say how those serve of which the file says nothing."""
    text = "defaults: {scheduler: round_robin, pick: affinity}\n"
    assert loads(PROVIDERS + text).snapshot.pools == (
        Pool("a", "a", ("s1", "s2"), "round_robin", "affinity"),
        Pool("b", "b", ("s1",), "round_robin", "affinity"),
    )


def test_a_pool_over_providers(loads: Loads) -> None:
    """It becomes one record for each; pools of the chosen go first."""
    text = """pools:
  open: {scopes: [a/s2], pick: weighted, shares: {paid: 12.5%, vip: 87.5 %}, max_waiting: 9}
  kept: {scopes: [b/s1, a/s1], only: [vip], scheduler: weighted}
"""
    pools = loads(PROVIDERS + text).snapshot.pools
    shares = (Share("paid", 125), Share("vip", 875))
    assert pools == (
        Pool("kept", "b", ("s1",), "weighted", only=("vip",)),
        Pool("kept", "a", ("s1",), "weighted", only=("vip",)),
        Pool("open", "a", ("s2",), pick="weighted", shares=shares, max_waiting=9),
    )


def test_scopes(loads: Loads) -> None:
    """Bound, window and weight; without a word no bound, the provider's window, and one."""
    scopes = loads(PROVIDERS).snapshot.providers[0].scopes
    assert [(scope.max_concurrent, scope.window, scope.weight) for scope in scopes] == [(7, "fixed", 3), (0, "", 1)]


def test_degrade(loads: Loads) -> None:
    """Steps in their order; one without tiers is for all of them, the file's own too."""
    steps = "[{clamp_max_tokens: 256, tiers: [free, batch]}, {model: n}]"
    text = f"""tiers: {{gold: {{rank: 0}}}}
defaults: {{degrade: {steps}}}
model_strategy: {{primary_model: m, degrade: {steps}}}
"""
    snapshot = loads(PROVIDERS + text).snapshot
    everybody = ("vip", "gold", "paid", "free", "batch")
    expected = (DegradeStep("clamp", ("free", "batch"), max_tokens=256), DegradeStep("model", everybody, model="n"))
    assert snapshot.defaults.degrade == snapshot.strategies[0].degrade == expected


def test_picks_are_those_that_there_are() -> None:
    """What the file may say is what the pool can do."""
    assert set(get_args(PickName)) == STRATEGIES.keys()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("namespaces: {acme: {tier: free}}", "namespaces.acme: no key, so nobody calls as it; give it keys"),
        ("pools: {p: {scopes: [a/s2], only: [vip]}}", "pools.p.only: no namespace with a key may draw on this pool; "),
        ("namespaces: {x: {keys: [k]}}\npools: {p: {scopes: [a/s2], only: [vip]}}", "pools.p.only: no namespace with"),
        ("pools: {p: {scopes: [a/s2], only: [paid]}}", ""),
        ("clients: {keys: [{name: c, key: k}]}\npools: {p: {scopes: [a/s2], only: [c]}}", ""),
        ("clients: {keys: [k]}\npools: {p: {scopes: [a/s2], only: [free]}}", "pools.p.only: no namespace with a key"),
        ("pools: {p: {scopes: [a/s1], only: [paid]}}", "pools.p.scopes: no scope of this pool limits n, so nothing"),
        (
            "namespaces: {x: {tier: free, keys: [k]}, y: {keys: [l]}}\npools: {p: {scopes: [b/s1], only: [paid]}}",
            "namespaces.x: every pool of providers.b is kept for others",
        ),
        ("namespaces: {x: {keys: [a-key-that-is-a-real-one]}}", "namespaces.x.keys[0]: a key stands in the file; "),
        ("model_strategy: {primary_model: m, degrade: [{model: q}]}", "model_strategy.degrade[0].model: no provider"),
        ("defaults: {degrade: [{model: q}]}", "defaults.degrade[0].model: no provider serves q, so it is skipped"),
        ("strategies: {s: {primary_model: m, degrade: [{model: t}]}, t: {primary_model: n}}", ""),
        ("strategies: {s: {primary_model: m, fallback_models: [{model: t}]}, t: {primary_model: n}}", ""),
    ],
)  # fmt: skip
def test_what_is_worth_saying(loads: Loads, text: str, warning: str) -> None:
    """One thing at a time."""
    found = said(loads, text)
    assert len(found) == (1 if warning else 0), found
    assert not warning or found[0].startswith(warning)


def test_a_namespace_with_keys_is_enough(loads: Loads) -> None:
    """The gate is then no open house."""
    assert not any(warning.field == "clients" for warning in loads(PROVIDERS + "namespaces: {x: {keys: [k]}}").warnings)


def test_a_client_with_the_name_of_a_tier(refusals: Refusals, loads: Loads) -> None:
    """It must not be let in where the tier is; as long as no pool names the tier it may keep its name."""
    text = "clients: {keys: [{name: vip, key: k}]}\n"
    loads(PROVIDERS + text)
    (line,) = refusals(PROVIDERS + text + "pools: {p: {scopes: [a/s1], only: [vip]}}\n")
    assert "clients.keys[0].name: a pool names a tier of the same name; rename the client" in line


def test_who_is_in_a_file_of_keys(loads: Loads, tmp_path: Path) -> None:
    """Counts like who is in the configuration: its names may be those of namespaces."""
    (tmp_path / "keys").write_text(f"x {'0' * 64}\n")
    text = "clients: {keys_file: keys}\npools: {p: {scopes: [a/s2], only: [vip]}}\n"
    assert [line.partition(":")[0] for line in said(loads, text)] == ["pools.p.only"]
    assert said(loads, text + "namespaces: {x: {tier: vip}}\n") == []


@pytest.mark.parametrize(
    ("only", "share", "allowed"),
    [
        ("x", "x", True),
        ("x", "free", True),
        ("x", "batch", False),
        ("free", "x", True),
        ("free", "free", True),
        ("vip", "x", False),
        ("vip", "paid", False),
        ("c", "paid", True),
        ("paid", "c", True),
    ],
)
def test_a_share_of_a_kept_pool(loads: Loads, refusals: Refusals, only: str, share: str, allowed: bool) -> None:
    """Who may not draw on a pool has no share of it; a tier may when one of its namespaces may."""
    text = f"""{PROVIDERS}namespaces: {{x: {{tier: free, keys: [k]}}}}
clients: {{keys: [{{name: c, key: l}}]}}
pools: {{p: {{scopes: [a/s2], only: [{only}], shares: {{{share}: 10%}}}}}}
"""
    if allowed:
        loads(text)
    else:
        (line,) = refusals(text)
        assert f"pools.p.shares.{share}: may not draw on this pool" in line
