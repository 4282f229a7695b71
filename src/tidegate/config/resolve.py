"""Which provider serves a model."""

from collections.abc import Sequence

from tidegate.model.snapshot import Provider


def serving(model: str, providers: Sequence[Provider], dialect: str = "openai") -> tuple[Provider, ...]:
    """The providers whose `models` or `limits` name `model`; else the only one of `dialect`; else none.

    O(providers × scopes): for configuration time.
    """
    naming = tuple(
        provider
        for provider in providers
        if model in provider.models or any(model in scope.limits for scope in provider.scopes)
    )
    if naming:
        return naming
    speaking = tuple(provider for provider in providers if provider.profile.dialect == dialect)
    return speaking if len(speaking) == 1 else ()
