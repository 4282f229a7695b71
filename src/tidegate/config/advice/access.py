"""What is worth saying of keys, users and what they may call: names that nothing matches, keys whose time is over."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.config.findings import Advice, Name, Path
from tidegate.config.resolve import serving
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import ClientKey, Provider, Snapshot


class Known(NamedTuple):
    """The names that a call may say in `model`."""

    strategies: dict[str, tuple[str, ...]]  # and the models that each may end at
    models: frozenset[str]
    providers: Sequence[Provider]

    def matched(self, pattern: str) -> bool:
        """Can a call say a name that `pattern` means?"""
        return self.open() or any(may(name, (pattern,)) for name in (*self.strategies, *self.models))

    def open(self) -> bool:
        """Is any model passed on, also one that nobody names?"""
        return bool(self.passing())

    def passing(self) -> tuple[Provider, ...]:
        """Who is asked for models that nobody names."""
        return tuple(found for dialect in ("openai", "anthropic") for found in serving("", self.providers, dialect))


def known(snapshot: Snapshot) -> Known:
    """The names of a snapshot."""
    models = frozenset(
        name
        for provider in snapshot.providers
        for name in (*provider.models, *(model for scope in provider.scopes for model in scope.limits))
    )
    strategies = {item.name: (item.primary_model, *item.fallback_models) for item in snapshot.strategies}
    return Known(strategies, models - {"*"}, snapshot.providers)


def may(name: str, patterns: Sequence[str]) -> bool:
    """May a call say this name? Without patterns it may say all."""
    return not patterns or any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in patterns
    )


def advise_access(config: Config, snapshot: Snapshot, wall: int) -> Iterator[Advice]:
    """Paths, messages and remedies; O(patterns × models)."""
    if snapshot.providers:
        names = known(snapshot)
        for path, patterns in _patterns(config):
            for index, pattern in enumerate(patterns):
                if not names.matched(pattern):
                    message = ("no model or strategy is called ", Name(pattern))
                    yield (*path, index), message, "check how it is spelt, or name it under a provider's models"
        for name, namespace in config.namespaces.items():
            for model in namespace.by_model:
                if not names.matched(model):
                    told = "no model or strategy of this name, so this bounds nothing"
                    yield ("namespaces", name, "by_model", model), told, "check how it is spelt"
    for name, namespace in config.namespaces.items():
        for user in namespace.users:
            if all(key.user != user for key in namespace.keys):
                yield ("namespaces", name, "users", user), "no key of the file names this user", ""
    yield from _ended(config, snapshot, wall)


def _patterns(config: Config) -> Iterator[tuple[Path, Sequence[str]]]:
    for index, key in enumerate(config.clients.keys):
        yield ("clients", "keys", index, "models"), key.models
    for name, namespace in config.namespaces.items():
        yield ("namespaces", name, "models"), namespace.models
        for user, item in namespace.users.items():
            yield ("namespaces", name, "users", user, "models"), item.models
        for index, key in enumerate(namespace.keys):
            yield ("namespaces", name, "keys", index, "models"), key.models


def _ended(config: Config, snapshot: Snapshot, wall: int) -> Iterator[Advice]:
    own = snapshot.clients[len(snapshot.clients) - len(config.clients.keys) :]  # behind those of the file of keys
    groups: list[tuple[Path, tuple[ClientKey, ...]]] = [(("clients", "keys"), own)]
    groups += [(("namespaces", item.name, "keys"), item.clients) for item in snapshot.namespaces]
    for path, clients in groups:
        for index, client in enumerate(clients):
            if 0 < client.expires_us <= wall:
                yield (*path, index, "expires"), "this key has expired", "remove it"
