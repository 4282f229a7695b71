"""Which profile each provider has: reads those that are used, and says what does not fit."""

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import TypeAlias

from tidegate.config.base_url import BadUrl, clean_base_url
from tidegate.config.files import read_named
from tidegate.config.findings import ConfigError, Path
from tidegate.config.profiles import profile_names, read_profile, shipped, takes_version
from tidegate.config.schema.profile import ProfileConfig
from tidegate.config.source import Document, as_list, as_mapping

Chosen: TypeAlias = dict[str, tuple[str, ProfileConfig]]  # by the provider's name

_DIALECTS = ("openai", "anthropic")


def check_profiles(document: Document, folder: FilePath, environ: Mapping[str, str]) -> Chosen:
    """The profile of each provider, by the provider's name; what is wrong is added to `document`.

    Profiles of the user's own are all read, those that come with the package when they are used.
    """
    data = as_mapping(document.data)
    known = _own(as_mapping(data.get("profiles")), document, folder, environ)
    chosen: Chosen = {}
    for name, item in as_mapping(data.get("providers")).items():
        provider, at = as_mapping(item), ("providers", name)
        found = _chosen(provider, at, known, document)
        if found is not None:
            chosen[name] = found
            _check_provider(provider, at, *found, document)
        elif document.blind:
            chosen[name] = (_DIALECTS[0], shipped(_DIALECTS[0]))  # something to build with
    return chosen


_Known: TypeAlias = "dict[str, ProfileConfig | None]"  # None: it could not be read, which is told


def _own(files: dict[str, object], document: Document, folder: FilePath, environ: Mapping[str, str]) -> _Known:
    known: _Known = {}
    for name, file in files.items():
        path: Path = ("profiles", name)
        if name in profile_names():
            document.refuse(path, "a profile of this name comes with the gate", "give yours another name")
        if not isinstance(file, str):
            continue
        known[name] = None
        if document.blind:
            continue
        raw = read_named(path, folder / file, document)
        if raw is None:
            continue
        try:
            known[name] = read_profile(raw, str(folder / document.written(file)), environ)
        except ConfigError as error:
            document.findings.extend(error.findings)
    return known


def _chosen(
    provider: dict[str, object], at: Path, known: _Known, document: Document
) -> tuple[str, ProfileConfig] | None:
    name, dialect = provider.get("profile"), provider.get("dialect")
    if name is None:
        if dialect is None:
            document.refuse((*at, "dialect"), "required, but missing", "add `dialect: openai`, or name a profile")
        name = dialect if dialect in _DIALECTS else None
    if not isinstance(name, str):
        return None
    profile = _named(name, (*at, "profile"), known, document)
    if profile is None:
        return None
    other = _other(profile, provider.get("base_url"))
    return (name, profile) if other is None else (other, shipped(other))


def _named(name: str, at: Path, known: _Known, document: Document) -> ProfileConfig | None:
    if name not in known:
        if name not in profile_names():
            document.refuse(at, "no such profile", document.choice(name, known, also=profile_names()))
            return None
        known[name] = shipped(name)
    return known[name]


def _other(profile: ProfileConfig, base_url: object) -> str | None:
    """The profile that holds for a base URL which ends otherwise."""
    try:
        url = clean_base_url(base_url) if isinstance(base_url, str) else ""
    except BadUrl:
        return None
    return next((name for ending, name in profile.versions.items() if url.endswith(ending)), None)


def _check_provider(
    provider: dict[str, object], at: Path, name: str, profile: ProfileConfig, document: Document
) -> None:
    dialect = provider.get("dialect")
    if dialect in _DIALECTS and dialect != profile.dialect:
        message = f"the profile {document.said(name)} speaks {profile.dialect}"
        document.refuse((*at, "dialect"), message, "leave it out, or name another profile")
    if provider.get("api_version") is not None and not takes_version(profile):
        message = f"the profile {document.said(name)} names no version in its requests"
        document.refuse((*at, "api_version"), message, "remove it")
    for index, scope in enumerate(as_list(provider.get("scopes"))):
        for model, limits in as_mapping(as_mapping(scope).get("limits")).items():
            _check_limits(as_mapping(limits), (*at, "scopes", index, "limits", model), name, profile, document)


def _check_limits(limits: dict[str, object], at: Path, name: str, profile: ProfileConfig, document: Document) -> None:
    if profile.split and limits.get("tpm") is not None:
        message = f"the profile {document.said(name)} limits input and output tokens apart"
        document.refuse((*at, "tpm"), message, "use itpm and otpm")
    for field in ("itpm", "otpm"):
        if not profile.split and limits.get(field) is not None:
            message = f"the profile {document.said(name)} limits input and output tokens together"
            document.refuse((*at, field), message, "use tpm")
