"""The file that is being made: providers with their scopes, found again by what tells them apart, and strategies."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tidegate.config.convert.makers import Maker

_ODD = re.compile(r"[^A-Za-z0-9._:@-]+")


@dataclass(slots=True)
class Draft:
    """`tree` is the file; `variables` are those that must be set before it can be used."""

    tree: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    _providers: dict[tuple[str, ...], str] = field(default_factory=dict)
    _secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def section(self, name: str) -> dict[str, Any]:
        """A part of the file by its dotted path, made where it is not there yet."""
        found = self.tree
        for part in name.split("."):
            found = found.setdefault(part, {})
        return found

    def provider(self, maker: Maker, base_url: str, version: str = "", name: str = "") -> str:
        """The name of the provider with this address; it is made when it is not there yet."""
        known = (maker.name, base_url, version)
        if known not in self._providers:
            chosen = self._free(name or maker.name, base_url)
            self._providers[known] = chosen
            item: dict[str, Any] = {"profile": maker.profile, "base_url": base_url}
            if version:
                item["api_version"] = version
            self.section("providers")[chosen] = item | {"scopes": []}
        return self._providers[known]

    def _free(self, wanted: str, base_url: str) -> str:
        taken = self.section("providers")
        host = "" if "${" in base_url else (urlsplit(base_url).hostname or "").partition(".")[0]
        names = [named(wanted), *([f"{named(wanted)}-{named(host)}"] if host else [])]
        number = 2
        while all(name in taken for name in names):
            names.append(f"{named(wanted)}-{number}")
            number += 1
        return next(name for name in names if name not in taken)

    def scope(self, provider: str, key: str) -> dict[str, Any]:
        """The scope of a provider that has this key."""
        scopes: list[dict[str, Any]] = self.tree["providers"][provider]["scopes"]
        for scope in scopes:
            if key in scope["keys"]:
                return scope
        made = {"name": "main" if not scopes else f"key-{len(scopes) + 1}", "keys": [key]}
        scopes.append(made)
        return made

    def model(self, provider: str, name: str) -> dict[str, Any]:
        """What is known of a model; being named here routes it there."""
        found: dict[str, Any] = self.tree["providers"][provider].setdefault("models", {}).setdefault(name, {})
        return found

    def variable(self, name: str) -> str:
        """A reference to a variable of the environment."""
        self.variables[name] = None
        return f"${{{name}}}"

    def secret(self, value: str, wanted: str) -> str:
        """The variable that stands for a secret; the same secret has the same one."""
        if value not in self._secrets:
            name, number = wanted, 2
            while name in self.variables:
                name, number = f"{wanted}_{number}", number + 1
            self.variable(name)
            self._secrets[value] = name
        return self._secrets[value]


def named(text: str) -> str:
    """`text` as a name of ours."""
    return _ODD.sub("-", text).strip("-._:@")[:100] or "unnamed"


def literal(text: str) -> str:
    """`text` such that nothing in it is taken for a variable."""
    return text.replace("${", "$${")


def upper(text: str) -> str:
    """`text` as a name of a variable."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper()
