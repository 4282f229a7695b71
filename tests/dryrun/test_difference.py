"""Two policies, told apart in words."""

from msgspec.structs import replace

from tests.dryrun.days import policy, provider, space
from tidegate.dryrun.difference import differences
from tidegate.model.snapshot import Strategy


def told(old: object, new: object) -> list[str]:
    return [one.text for one in differences(old, new)]  # type: ignore[arg-type]


def test_the_same_policy_has_no_difference() -> None:
    """Whatever its version and warnings are."""
    assert told(policy(), replace(policy(), version=9, warnings=("a",))) == []


def test_what_changed_is_named_by_its_field() -> None:
    """New, gone, another value, another order."""
    old = policy(provider(rpm=60), strategies=(Strategy("a", "x"), Strategy("b", "x")), namespaces=(space("n"),))
    new = policy(provider(rpm=90), strategies=(Strategy("b", "x"), Strategy("a", "y"), Strategy("c", "x")))
    assert told(old, new) == [
        "providers.openai.scopes.main.limits.gpt-4o.rpm: 60 → 90",
        "strategies.a.primary_model: x → y",
        "strategies.c is new",
        "strategies: the same in another order",
        "namespaces.n is gone",
    ]


def test_no_secret_is_told() -> None:
    """Another key is another one, and no more."""
    one, other = policy(provider()), policy(provider())
    scope = replace(other.providers[0].scopes[0], keys=("sk-secret",))
    other = replace(other, providers=(replace(other.providers[0], scopes=(scope,)),))
    found = differences(one, other)
    assert [found[0].text] == told(one, other) == ["providers.openai.scopes.main.keys is another one"]
    assert "sk-" not in repr(found)
