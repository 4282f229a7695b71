"""Which provider serves a model."""

from collections.abc import Sequence
from typing import Final

from tidegate.model.snapshot import Provider


class _Index:
    """Of the providers of one configuration, in their order: which name a model, and which speak a dialect."""

    __slots__ = ("naming", "providers", "speaking")

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = providers
        self.naming: dict[str, list[Provider]] = {}
        self.speaking: dict[str, list[Provider]] = {}
        for provider in providers:
            named = dict.fromkeys((*provider.models, *(model for scope in provider.scopes for model in scope.limits)))
            for model in named:
                self.naming.setdefault(model, []).append(provider)
            self.speaking.setdefault(provider.profile.dialect, []).append(provider)


_LATEST: Final = [_Index(())]


def serving(model: str, providers: Sequence[Provider], dialect: str = "openai") -> tuple[Provider, ...]:
    """The providers whose `models` or `limits` name `model`; else the only one of `dialect`; else none.

    O(1) for the tuple that was asked for last, whose index is kept: a configuration is built and judged by asking for
    each of its models. Else O(models).
    """
    index = _LATEST[0]
    if index.providers is not providers:
        index = _Index(providers)
        if isinstance(providers, tuple):  # what may change is not kept
            _LATEST[0] = index
    naming = index.naming.get(model)
    if naming:
        return tuple(naming)
    speaking = index.speaking.get(dialect, [])
    return tuple(speaking) if len(speaking) == 1 else ()
