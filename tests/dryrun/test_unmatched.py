"""Rules that no call met are named."""

from tests.dryrun.days import call, play, policy, provider, space
from tidegate.model.caching import CacheRule, CacheSettings
from tidegate.model.entitlements import Allowance, ClientKey, Namespace, TierEntry, User
from tidegate.model.snapshot import BUILT_IN_TIERS, DegradeStep, Limits, Pool, Scope, Strategy


def test_every_kind_of_dead_rule() -> None:
    """What was met is not among them."""
    wide = provider(models={}, rpm=1_000)
    spare = Scope("spare", ("sk-2",), {"gpt-4o": Limits(5)})
    strategies = (
        Strategy("chat", "gpt-4o", ("small",), degrade=(DegradeStep("clamp", ("free",), 64),)),
        Strategy("never", "small"),
    )
    busy = Namespace(
        "busy",
        clients=(ClientKey("busy-1", b"k" * 32, allowance=Allowance(rpm=9)),),
        users=(User("ann", allowance=Allowance(rpm=9)),),
        allowance=Allowance(rpm=9_000),
        by_model={"chat": Allowance(rpm=9_000)},
    )
    full = policy(
        type(wide)(wide.name, wide.base_url, wide.profile, (*wide.scopes, spare)),
        provider("azure", "small"),
        strategies=strategies,
        namespaces=(busy, space("quiet")),
        tiers=(*BUILT_IN_TIERS, TierEntry("slow", 7)),
        pools=(Pool("reserved", "openai", ("spare",), only=("vip",)),),
        cache=CacheSettings(rules=(CacheRule(1, models=("chat*",)), CacheRule(1, models=("old-*",)))),
    )
    day = [call(n, namespace="busy", key="busy-1", model="chat", plan="chat") for n in range(3)]
    named = {(one.kind, one.name) for one in play(day, full).unmatched}
    assert named == {
        ("strategy", "never"),
        ("fallback", "chat: small"),
        ("degrade", "chat: step 1 (max_tokens=64)"),
        ("tier", "slow"),
        ("namespace", "quiet"),
        ("limits", "busy"),
        ("limits", "busy: chat"),
        ("limits", "busy: user ann"),
        ("limits", "busy: key busy-1"),
        ("pool", "reserved"),
        ("scope", "openai/spare"),
        ("provider", "azure"),
        ("cache rule", "2"),
    }
