"""`tidegate check FILE`: is this configuration right? Exit 0, or 2 with file:line, field and remedy of every error."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tidegate.config.findings import Finding
    from tidegate.model.snapshot import Isolation, Provider, Snapshot


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
    origins: Mapping[tuple[str, str], str] = {}
    isolated: Sequence[Isolation] = ()
    currency = ""
    summary = ""
    jobs: _Jobs | None = None
    try:
        loaded = load(args.file, os.environ, wall=time.time_ns() // 1_000)
    except ConfigError as error:
        errors = error.findings
    else:
        warnings = loaded.warnings
        providers, isolated = loaded.snapshot.providers, loaded.snapshot.isolated
        jobs = _jobs(loaded.snapshot)
        origins, currency = loaded.origins, loaded.snapshot.ledger.currency
        summary = _summary(len(providers), len(loaded.snapshot.strategies))
    if args.json:
        _print_json(args.file, errors, warnings, [_told(item, origins, currency) for item in providers], jobs)
    else:
        _print_text(args.file, errors, warnings)
        _print_providers(args.file, providers, origins, currency)
        _print_isolated(args.file, isolated)
        _print_jobs(args.file, jobs)
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


def _print_providers(
    file: str, providers: "Sequence[Provider]", origins: "Mapping[tuple[str, str], str]", currency: str
) -> None:
    """What the settings of each came to, and what its models cost."""
    from tidegate.config.findings import shown

    for provider in providers:
        profile, where = provider.profile, f"{file}: providers.{provider.name}"
        print(f"{where}: {profile.dialect} at {provider.base_url}, profile {profile.name} of {profile.dated}")
        for model, entry in provider.models.items():
            if entry.prices:
                price = entry.prices[0]
                told = f"{_money(price.prompt)} in, {_money(price.completion)} out, {_money(price.cached)} cached"
                longer = "".join(
                    f", another above {tier.above_tokens:,}" for tier in entry.prices[1:2] if not tier.tier
                )
                source = origins[provider.name, model]
                print(f"{where}.models.{shown(model)}: {told}, {currency} for 1M tokens{longer}; by {source}")


def _print_isolated(file: str, isolated: "Sequence[Isolation]") -> None:
    """Which namespaces have a worker of their own."""
    for item in isolated:
        bound = f", at most {item.cpu_permille / 10:g} % of a CPU" if item.cpu_permille else ""
        print(f"{file}: namespaces.{item.namespace}: a worker of its own at port {item.port}{bound}")


class _Jobs(NamedTuple):
    """What carries patient work, and how much of it runs at a time."""

    backends: list[str]
    runners: int  # of each backend
    concurrency: int  # of each runner


def _jobs(snapshot: "Snapshot") -> _Jobs | None:
    """None where no work is patient."""
    from tidegate.model.jobs import shown
    from tidegate.model.snapshot import backends

    settings, named = snapshot.jobs, [shown(backend) for backend in backends(snapshot)]
    return _Jobs(named, settings.runners, settings.concurrency) if named else None


def _print_jobs(file: str, jobs: _Jobs | None) -> None:
    if jobs is not None:
        each = f"{_count(jobs.runners, 'runner')} for each, {_count(jobs.concurrency, 'call')} at a time"
        print(f"{file}: jobs: {', '.join(jobs.backends)}; {each if jobs.runners else 'runners of your own'}")


def _money(nano: int) -> str:
    """An amount of the house currency."""
    return f"{Decimal(nano) / 1_000_000_000:f}"


def _verdict(errors: "Sequence[Finding]", warnings: "Sequence[Finding]", summary: str) -> str:
    return _count(len(errors), "error") if errors else f"ok, {summary}, {_count(len(warnings), 'warning')}"


def _told(item: "Provider", origins: "Mapping[tuple[str, str], str]", currency: str) -> dict[str, object]:
    """What the settings of a provider came to; prices are texts, for a million tokens."""
    return {
        "name": item.name,
        "dialect": item.profile.dialect,
        "base_url": item.base_url,
        "profile": item.profile.name,
        "dated": item.profile.dated,
        "source": item.profile.source,
        "prices": {
            model: {
                "source": origins[item.name, model],
                "currency": currency,
                "input": _money(entry.prices[0].prompt),
                "output": _money(entry.prices[0].completion),
                "cached_input": _money(entry.prices[0].cached),
                "cache_write": _money(entry.prices[0].written),
                "per_request": _money(entry.prices[0].per_request),
            }
            for model, entry in item.models.items()
            if entry.prices
        },
    }


def _print_json(
    file: str,
    errors: "Sequence[Finding]",
    warnings: "Sequence[Finding]",
    providers: Sequence[dict[str, object]],
    jobs: _Jobs | None,
) -> None:
    answer = {
        "file": file,
        "ok": not errors,
        "errors": [{**asdict(item), "file": item.file or file} for item in errors],
        "warnings": [{**asdict(item), "file": item.file or file} for item in warnings],
        "jobs": None if jobs is None else jobs._asdict(),
        "providers": providers,
    }
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    print()
