"""What is worth saying of keys, users and what they may call: names that nothing matches, keys whose time is over."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.config.advice.ends import Names
from tidegate.config.findings import Advice, Name, Path
from tidegate.config.resolve import serving
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import ClientKey, Provider, Snapshot


class Known(NamedTuple):
    """The names that a call may say in `model`."""

    strategies: dict[str, tuple[str, ...]]  # and the models that each may end at
    models: frozenset[str]
    passing: tuple[Provider, ...]  # who is asked for models that nobody names
    names: Names  # all

    def matched(self, pattern: str) -> bool:
        """Can a call say a name that `pattern` means? O(log names)."""
        return bool(self.passing) or self.names.means(pattern)


def known(snapshot: Snapshot) -> Known:
    """The names of a snapshot."""
    models = frozenset(
        name
        for provider in snapshot.providers
        for name in (*provider.models, *(model for scope in provider.scopes for model in scope.limits))
    )
    strategies = {item.name: (item.primary_model, *item.fallback_models) for item in snapshot.strategies}
    dialects = ("openai", "anthropic")
    passing = tuple(found for dialect in dialects for found in serving("", snapshot.providers, dialect))
    return Known(strategies, models - {"*"}, passing, Names((*strategies, *(models - {"*"}))))


def advise_access(config: Config, snapshot: Snapshot, wall: int) -> Iterator[Advice]:
    """Paths, messages and remedies; O((patterns + models) × log models)."""
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
        named = {key.user for key in namespace.keys}
        for user in namespace.users:
            if user not in named:
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
