"""The way from a file to a snapshot: read, replace variables, check everything, build, and say what is worth saying."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tidegate.config import environment, findings, nodes, source
from tidegate.config.advice.file import advise
from tidegate.config.build.channels import channel_proxy
from tidegate.config.build.file import build, provider_proxy
from tidegate.config.build.money import exchange
from tidegate.config.explain import explain, path_of
from tidegate.config.files import check_files, named_files
from tidegate.config.findings import ConfigError, Finding
from tidegate.config.parcels import check_shareable, pack, unpack
from tidegate.config.prices import Prices
from tidegate.config.proxies import BadProxy
from tidegate.config.rules.access import check_access
from tidegate.config.rules.alerts import check_alerts
from tidegate.config.rules.cache import check_cache
from tidegate.config.rules.chains import check_chains
from tidegate.config.rules.channels import check_channels
from tidegate.config.rules.drills import check_drills
from tidegate.config.rules.file import check_rules
from tidegate.config.rules.jobs import check_jobs
from tidegate.config.rules.money import check_amounts, check_money
from tidegate.config.rules.profiles import Chosen, check_profiles
from tidegate.config.rules.regions import check_regions
from tidegate.config.rules.shadow import check_shadows
from tidegate.config.rules.tenants import ANYBODY, check_tenants
from tidegate.config.schema.file import Config
from tidegate.config.source import as_mapping
from tidegate.config.uncollected import uncollected
from tidegate.model.parcel import Parcel
from tidegate.model.snapshot import Snapshot

_CONVERTIBLE = {"int_type": (int,), "float_type": (int, float), "bool_type": (bool,)}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used. The snapshot holds the text of the warnings too.

    `named` are the other files that are part of it, with absolute paths.
    """

    config: Config
    snapshot: Snapshot
    warnings: tuple[Finding, ...]
    named: tuple[str, ...] = ()
    packed: bytes = b""  # the parcel for other nodes, where it was asked for
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)  # of prices, by provider and model


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a configuration is shared: read from a parcel, which is unpacked into `folder`, or packed into one."""

    folder: Path = Path()
    parcel: Parcel | None = None
    version: int = 0  # which the parcel is, or is to be
    packs: bool = False
    text: bytes | None = None  # in the place of the file's own
    read: source.Read = nodes.compose


@uncollected()
def load(
    path: str,
    environ: Mapping[str, str],
    *,
    version: int = 0,
    serving: bool = False,
    wall: int = 0,
    sharing: Sharing = Sharing(),
) -> Loaded:
    """Read and check the file at `path`; for `serving` it must name a provider.

    `wall`: microseconds since 1970, for prices that begin and keys that end; 0 = the newest prices, no key has ended.

    Raises `ConfigError` with every error at once; no text in it holds a value of the file. `Unshareable`, `OSError`
    where it cannot be shared.
    """
    parcel = sharing.parcel
    raw = _bounded(path, sharing.text) if parcel is None else parcel.text
    try:
        document = source.parse(source.decode(raw), environ, sharing.read)
    except nodes.YamlError as error:
        raise ConfigError(path, [error.finding]) from None
    folder = Path(path).parent.absolute()
    if parcel is not None:
        unpack(parcel, document, sharing.folder)
    config, filed, profiles = _validate(document, folder, environ)
    if config is not None:
        _check_surroundings(config, document, environ, serving=serving)
    if document.findings or config is None:
        raise ConfigError(path, document.findings, named_files(document, folder))
    prices = Prices(exchange(config.money), wall)
    snapshot = build(config, folder, environ, version, filed, profiles, prices)
    warnings = advise(config, snapshot, document, wall)
    texts = tuple(warning.text(path) for warning in warnings)
    snapshot = msgspec.structs.replace(snapshot, warnings=texts, shared_version=sharing.version)
    packed = pack(raw, document, folder, warnings) if sharing.packs else b""
    named = named_files(document, folder)
    if parcel is not None:
        named = tuple(str(folder / name) for name, _ in parcel.files)
    return Loaded(config, snapshot, warnings, named, packed, prices.origins)


@uncollected()
def judge(
    path: str, text: bytes, *, wall: int = 0, packs: bool = False, read: source.Read = nodes.compose
) -> tuple[Finding, ...]:
    """What is worth saying of a text to serve by, by itself: neither the environment nor a file that it names is read.

    Raises what `load` raises, of errors that do not depend on these.
    """
    raw, environ = _bounded(path, text), environment.UNREAD
    try:
        document = source.parse(source.decode(raw), environ, read)
    except nodes.YamlError as error:
        raise ConfigError(path, [error.finding]) from None
    document.blind = True
    folder = Path(path).parent.absolute()
    config, _, profiles = _validate(document, folder, environ)
    if config is not None:
        _check_surroundings(config, document, environ, serving=True)
    if document.findings:
        raise ConfigError(path, document.findings)
    warnings: list[Finding] = []
    if config is not None:
        snapshot = build(config, folder, environ, 0, {}, profiles, Prices(exchange(config.money), wall))
        warnings += advise(config, snapshot, document, wall)
    if packs:
        check_shareable(raw, document, warnings)
    if document.substituted or document.names or named_files(document, folder):
        warnings.append(_whole(*_UNREAD))
    return tuple(sorted(warnings))


_UNREAD = (
    "variables and files that the text names are not read for who may not apply it, nor judged",
    "ask somebody with role `operator` or `admin` for the rest",
)


def _bounded(path: str, text: bytes | None) -> bytes:
    raw = _read(path) if text is None else text
    if len(raw) > source.MAX_BYTES:
        remedy = "move client keys to clients.keys_file"
        raise ConfigError(path, [_whole(f"larger than {source.MAX_BYTES:,} bytes", remedy)])
    return raw


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(source.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable path"
        raise ConfigError(path, [_whole(f"cannot be read ({reason})", "give the path of a YAML file")]) from None


def _whole(message: str, remedy: str) -> Finding:
    return Finding(1, 1, "", message, remedy)


def _validate(
    document: source.Document, folder: Path, environ: Mapping[str, str]
) -> tuple[Config | None, dict[bytes, str], Chosen]:
    """The configuration, or None after adding what is wrong to the document's findings; filed client keys; profiles."""
    if document.data is None and not document.findings:
        document.refuse((), "the file is empty", "start with `providers:`; see docs/configuration.md")
        return None, {}, {}
    if not isinstance(document.data, dict):
        document.refuse((), "the top level must be a mapping", "start with `providers:`; see docs/configuration.md")
        return None, {}, {}
    config: Config | None = None
    try:
        config = _typed(document)
    except ValidationError as error:
        _note(error, document)
    check_rules(document)
    check_chains(document)
    filed = {} if document.blind else check_files(document, folder)
    names: Collection[str] = frozenset(filed.values())
    if document.blind and as_mapping(as_mapping(document.data).get("clients")).get("keys_file"):
        names = ANYBODY
    check_tenants(document, names)
    check_access(document, names)
    check_money(document)
    check_cache(document, names)
    check_jobs(document, folder)
    check_drills(document)
    check_shadows(document)
    check_regions(document)
    check_alerts(document)
    check_channels(document)
    return config, filed, check_profiles(document, folder, environ)


def _check_surroundings(
    config: Config, document: source.Document, environ: Mapping[str, str], *, serving: bool
) -> None:
    """Errors of a file that is otherwise right: of what it comes to, what it is for, and the environment."""
    if serving and not config.providers:
        example = "{openai: {dialect: openai, base_url: …, scopes: […]}}"
        document.refuse(("providers",), "serve needs at least one provider", f"add `providers: {example}`")
    check_amounts(config, document)
    for name, provider in config.providers.items():
        try:
            provider_proxy(provider, environ)
        except BadProxy as error:
            document.refuse(("providers", name), error.message, error.remedy)
    for name, channel in config.alerts.channels.items():
        try:
            channel_proxy(channel, environ)
        except BadProxy as error:
            document.refuse(("alerts", "channels", name), error.message, error.remedy)


def _typed(document: source.Document) -> Config:
    """Check against the schema; a `${VAR}` where a number is due becomes that number."""
    try:
        return Config.model_validate(document.data)
    except ValidationError as error:
        converted = [_convert(document, item) for item in error.errors(include_url=False)]
        if not any(converted):
            raise
    return Config.model_validate(document.data)


def _convert(document: source.Document, error: ErrorDetails) -> bool:
    types = _CONVERTIBLE.get(error["type"])
    path = path_of(error)
    if types is None or path not in document.substituted or not isinstance(error["input"], str):
        return False
    value = nodes.core_scalar(error["input"])
    if type(value) not in types:
        return False
    parent = _at(document.data, path[:-1])
    parent[path[-1]] = value
    return True


def _at(data: Any, path: findings.Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _note(error: ValidationError, document: source.Document) -> None:
    for item in error.errors(include_url=False):
        path = path_of(item)
        about = [path[:length] for length in range(len(path) + 1)]
        if document.blind and any(part in document.substituted for part in about):
            continue
        if not any(part in document.unusable for part in about):
            document.findings.append(explain(item, document))
