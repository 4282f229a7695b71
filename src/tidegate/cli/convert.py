"""`tidegate policy convert FROM FILE`: another gateway's configuration as a file of ours."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tidegate.config.convert.writing import Converted

SOURCES: Final = ("litellm", "one-api", "new-api")
_MOST: Final = 16_777_216  # bytes


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("source", metavar="FROM", choices=SOURCES, help="litellm, one-api or new-api")
    parser.add_argument("file", type=Path, metavar="FILE", help="config.yaml of LiteLLM, or the channels as JSON")
    parser.add_argument("--out", type=Path, metavar="GATE.yaml", help="a new file; left out: standard output")


def run(args: Namespace) -> int:
    """0; 2 when the file cannot be read or nothing of it can be carried over."""
    try:
        made = _converted(args.source, _read(args.file))
        if args.out is None:
            sys.stdout.write(made.text)
        else:
            with args.out.open("x", encoding="utf-8") as file:
                file.write(made.text)
    except FileExistsError:
        sys.stderr.write(f"error: {args.out} is there already; name a file that is not there yet\n")
        return 2
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.stderr.write(f"error: {args.file}: {reason}\n")
        return 2
    kinds = ("mapped", "changed", "left")
    sys.stderr.write(", ".join(f"{made.count(kind)} {kind}" for kind in kinds) + "; its comments name each\n")
    if made.variables:
        sys.stderr.write(f"set first: {' '.join(made.variables)}\n")
    return 0


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(_MOST + 1)
    if len(raw) > _MOST:
        raise ValueError("longer than 16 MiB")
    return raw


def _converted(source: str, raw: bytes) -> "Converted":
    """Raises `ValueError`."""
    from tidegate.config.convert import channels, litellm

    if source == "litellm":
        return litellm.convert(_yaml(raw))
    try:
        tree = json.loads(raw)
    except ValueError:
        raise ValueError("not JSON: export the table `channels` as JSON, one object a row") from None
    return channels.convert(tree, source)


def _yaml(raw: bytes) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # as LiteLLM reads it
    yaml.allow_duplicate_keys = True
    try:
        return yaml.load(raw)
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"not YAML{f', line {mark.line + 1}' if mark else ''}") from None
