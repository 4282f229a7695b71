"""`tidegate check FILE`: is this configuration right? Exit 0, or 2 with file:line, field and remedy of every error."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidegate.config.findings import Finding
    from tidegate.model.snapshot import Provider


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="the configuration file")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(args: argparse.Namespace) -> int:
    """Check one file; 0 when it can be used (warnings allowed), else 2."""
    from tidegate.config.findings import ConfigError
    from tidegate.config.load import load

    errors: Sequence[Finding] = ()
    warnings: Sequence[Finding] = ()
    providers: Sequence[Provider] = ()
    summary = ""
    try:
        loaded = load(args.file, os.environ)
    except ConfigError as error:
        errors = error.findings
    else:
        warnings = loaded.warnings
        providers = loaded.snapshot.providers
        summary = _summary(len(providers), len(loaded.snapshot.strategies))
    if args.json:
        _print_json(args.file, errors, warnings, providers)
    else:
        _print_text(args.file, errors, warnings)
        _print_providers(args.file, providers)
        print(f"{args.file}: {_verdict(errors, warnings, summary)}")
    return 2 if errors else 0


def _summary(providers: int, strategies: int) -> str:
    return f"{_count(providers, 'provider')}, {_count(strategies, 'strategy', 'strategies')}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _print_text(file: str, errors: "Sequence[Finding]", warnings: "Sequence[Finding]") -> None:
    for kind, items in (("error", errors), ("warning", warnings)):
        for item in items:
            print(f"{item.file or file}:{item.line}:{item.column}: {kind}: {item.sentence()}")


def _print_providers(file: str, providers: "Sequence[Provider]") -> None:
    """What the settings of each came to."""
    for provider in providers:
        profile = provider.profile
        told = f"{profile.dialect} at {provider.base_url}, profile {profile.name} of {profile.dated}"
        print(f"{file}: providers.{provider.name}: {told}")


def _verdict(errors: "Sequence[Finding]", warnings: "Sequence[Finding]", summary: str) -> str:
    return _count(len(errors), "error") if errors else f"ok, {summary}, {_count(len(warnings), 'warning')}"


def _print_json(
    file: str, errors: "Sequence[Finding]", warnings: "Sequence[Finding]", providers: "Sequence[Provider]"
) -> None:
    answer = {
        "file": file,
        "ok": not errors,
        "errors": [{**asdict(item), "file": item.file or file} for item in errors],
        "warnings": [{**asdict(item), "file": item.file or file} for item in warnings],
        "providers": [
            {
                "name": item.name,
                "dialect": item.profile.dialect,
                "base_url": item.base_url,
                "profile": item.profile.name,
                "dated": item.profile.dated,
                "source": item.profile.source,
            }
            for item in providers
        ],
    }
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    print()
