"""Which provider serves a model."""

from tidegate.config.resolve import serving
from tidegate.model.snapshot import Limits, ModelEntry, Profile, Provider, Scope

PROFILE = Profile(name="p", dialect="openai", dated="", source="")
OTHER = Profile(name="q", dialect="anthropic", dated="", source="")


def provider(
    name: str, profile: Profile = PROFILE, models: tuple[str, ...] = (), limits: tuple[str, ...] = ()
) -> Provider:
    scope = Scope("main", ("k",), {model: Limits(1) for model in limits})
    return Provider(name, "http://h/v1", profile, (scope,), {model: ModelEntry() for model in models})


def names(model: str, *providers: Provider) -> list[str]:
    return [found.name for found in serving(model, providers)]


def test_named_first() -> None:
    """A provider that names the model under `models` or `limits` comes before one that does not."""
    assert names("m", provider("a"), provider("b", models=("m",)), provider("c", limits=("m",))) == ["b", "c"]


def test_else_the_only_one_of_the_dialect() -> None:
    """A model that nobody names goes to the only provider of the dialect, and to nobody among several."""
    assert names("x", provider("a", models=("m",)), provider("b", OTHER)) == ["a"]
    assert names("x", provider("a"), provider("b")) == []
    assert names("x") == []


def test_what_was_asked_before_is_not_told_of_others() -> None:
    """A list that has grown, and another configuration, are looked at anew."""
    first, second = provider("a", models=("m",)), provider("b", limits=("m",))
    growing = [first]
    assert serving("m", growing) == (first,)
    growing.append(second)
    assert serving("m", growing) == (first, second)
    assert [serving("m", one) for one in ((first,), (second,), (first, second))] == [
        (first,), (second,), (first, second),
    ]  # fmt: skip
