"""A scenario file to a scenario, or what is wrong with it: file, line, field and remedy."""

import os
from importlib.resources import files
from pathlib import Path as File
from typing import Final

import msgspec

from tidegate.config import source
from tidegate.config.findings import ConfigError, Finding
from tidegate.config.nodes import YamlError
from tidegate.simulate.explain import explain
from tidegate.simulate.rules import check
from tidegate.simulate.scenario import Scenario

_FOLDER: Final = files("tidegate.simulate") / "scenarios"


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with the package, in alphabetical order."""
    return tuple(sorted(item.name.removesuffix(".yaml") for item in _FOLDER.iterdir() if item.name.endswith(".yaml")))


def read(name: str) -> Scenario:
    """The shipped scenario `name`, or the one of the file at this path. Raises `ConfigError`."""
    if name in shipped():
        return parse((_FOLDER / f"{name}.yaml").read_bytes(), name)
    try:
        with File(name).open("rb") as file:
            raw = file.read(source.MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable path"
        remedy = f"give the path of a YAML file, or one of {', '.join(shipped())}"
        raise ConfigError(name, [Finding(1, 1, "", f"cannot be read ({reason})", remedy)]) from None
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Scenario:
    """A scenario from YAML; `name` stands in errors. Raises `ConfigError`."""
    try:
        document = source.parse(source.decode(raw), {})
    except YamlError as error:
        raise ConfigError(name, [error.finding]) from None
    if not document.findings:
        try:
            scenario = msgspec.convert(document.data, Scenario)
        except msgspec.ValidationError as error:
            document.findings.append(explain(error, document))
        else:
            for path, message, remedy in check(scenario):
                document.refuse(path, message, remedy)
            if not document.findings:
                return scenario
    raise ConfigError(name, document.findings)
