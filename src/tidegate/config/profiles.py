"""Provider profiles: dated data on how a provider charges, resets and words its refusals.

A profile is a YAML file: those that come with the package, and the user's own, which may extend one of these. What is
wrong in one is told with its line, field and remedy, as in the configuration itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from pydantic import ValidationError

import tidegate
from tidegate.config import findings
from tidegate.config.explain import explain
from tidegate.config.findings import ConfigError
from tidegate.config.nodes import YamlError
from tidegate.config.schema.profile import VERSION, ProfileConfig, RefusalConfig
from tidegate.config.source import Document, as_list, as_mapping, decode, parse
from tidegate.config.words import choice
from tidegate.model.snapshot import Profile, RefusalRule

_FOLDER = Path(tidegate.__file__).parent / "providers" / "profiles"
_OWN = ("extends", "dated", "source", "versions")  # what a profile does not inherit


def profile_names() -> tuple[str, ...]:
    """The names of the profiles that come with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def shipped(name: str) -> ProfileConfig:
    """The profile `name` that comes with the package, read once. Raises `OSError` when there is none."""
    path = _FOLDER / f"{name}.yaml"
    return read_profile(path.read_bytes(), str(path), {})


def load_profile(name: str) -> Profile:
    """The same as the record that a worker is given."""
    return record(name, shipped(name))


def read_profile(raw: bytes, file: str, environ: Mapping[str, str]) -> ProfileConfig:
    """A profile from YAML. Raises `ConfigError` with everything that is wrong in `file`."""
    try:
        document = parse(decode(raw), environ)
    except YamlError as error:
        raise ConfigError(file, [replace(error.finding, file=file)]) from None
    profile = _validated(document)
    if document.findings or profile is None:
        raise ConfigError(file, [replace(finding, file=file) for finding in document.findings])
    return profile


def record(name: str, profile: ProfileConfig, api_version: str = "") -> Profile:
    """The record of a profile; `api_version` instead of its own."""
    version = api_version or profile.api_version
    return Profile(
        name=name,
        dialect=profile.dialect,
        dated=profile.dated,
        source=profile.source,
        charge=profile.charge,
        settles=profile.settles,
        window=profile.window,
        cached_free=profile.cached_free,
        jitter_us=profile.jitter_ms * 1_000,
        headers=profile.headers,
        auth_header=profile.auth_header,
        auth_prefix=profile.auth_prefix,
        refusals=tuple(rule for row in profile.refusals for rule in _rules(row)),
        version=profile.version,
        paths=dict(profile.paths),
        query=profile.query.replace(VERSION, version),
        adds=tuple((header, value.replace(VERSION, version)) for header, value in profile.adds.items()),
        responses=profile.responses,
        prefix=profile.prefix,
        split=profile.split,
    )


def takes_version(profile: ProfileConfig) -> bool:
    """Does it name the version of its API anywhere?"""
    return any(VERSION in text for text in (profile.query, *profile.adds.values()))


def _rules(row: RefusalConfig) -> Iterator[RefusalRule]:
    """One for each combination of the statuses, codes, types and texts that a row lists."""
    for status in row.status or [0]:
        for code in row.code or [""]:
            for kind in row.type or [""]:
                for text in row.text or [""]:
                    yield RefusalRule(row.reason, status, code, kind, text, row.scope or "", tuple(row.not_before))


def _validated(document: Document) -> ProfileConfig | None:
    if not isinstance(document.data, dict):
        if not document.findings:
            document.refuse((), "a profile must be a mapping", "start with `dialect:`; see docs/profiles.md")
        return None
    data = dict(document.data)
    base = _base(data.get("extends"), document)
    profile: ProfileConfig | None = None
    try:
        profile = ProfileConfig.model_validate(_extended(data, base))
    except ValidationError as error:
        for item in error.errors(include_url=False):
            document.findings.append(explain(item, document, ProfileConfig))
    _check_rows(as_list(data.get("refusals")), document)
    if profile is not None:
        _check_version(profile, document)
    return profile


def _base(name: object, document: Document) -> ProfileConfig | None:
    if not isinstance(name, str):
        return None
    if name in profile_names():
        return shipped(name)
    document.refuse(("extends",), "no such profile", choice(name, profile_names()))
    return None


def _extended(data: dict[str, object], base: ProfileConfig | None) -> dict[str, object]:
    """A profile's own fields over those of its base; its own rows stand before."""
    if base is None:
        return data
    inherited = base.model_dump(exclude=set(_OWN), exclude_unset=True)
    rows = data.get("refusals")
    if rows is None or isinstance(rows, list):
        data = {**data, "refusals": [*(rows or []), *inherited.get("refusals", [])]}
    return {**inherited, **data}


def _check_rows(rows: list[object], document: Document) -> None:
    for index, row in enumerate(rows):
        stated = [field for field in ("status", "code", "type", "text") if as_mapping(row).get(field) not in (None, [])]
        if not stated and isinstance(row, dict):
            document.refuse(("refusals", index), "matches every refusal", "state a status, code, type or text")


def _check_version(profile: ProfileConfig, document: Document) -> None:
    if takes_version(profile) and not profile.api_version:
        where: findings.Path = ("query",) if VERSION in profile.query else ("adds",)
        document.refuse(where, f"{VERSION} stands for nothing", "give api_version")
