"""Options that say what a namespace, user or key may use and spend, as the admin API's JSON."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tidegate.cli.manage import Failed, Json

_LIMITS = {
    "rpm": "requests a minute",
    "tpm": "tokens a minute",
    "concurrent": "calls in flight at a time",
    "tokens_per_day": "tokens of a calendar day",
}
_BUDGET = {"per_day": "money for a calendar day", "per_month": "money for a calendar month"}


def add_allowance(parser: ArgumentParser) -> None:
    """Limits, budgets and models; `none` takes a bound away."""
    for name, text in _LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N", help=f"at most so many {text}, or none")
    for name, text in _BUDGET.items():
        option = f"--budget-{name.replace('_', '-')}"
        parser.add_argument(option, metavar="AMOUNT", help=f"{text} in the house currency, or none")
    parser.add_argument(
        "--model", action="append", metavar="MODEL", help="a model or strategy that may be called, `*` at its end for "
        "all that begin so, or none for all of them; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--settings", metavar="JSON", help="the same and more as a JSON object, or @FILE; see docs/admin-api.md"
    )


def settings_of(args: Namespace, *more: str) -> Json:
    """What was given, as the body of a call; `more` are options that go into it as they are. Raises `Failed`."""
    found = _object(args.settings)
    limits = {name: _count(name, getattr(args, name)) for name in _LIMITS if getattr(args, name) is not None}
    budget = {name: _given(getattr(args, f"budget_{name}")) for name in _BUDGET if getattr(args, f"budget_{name}")}
    for part, values in (("limits", limits), ("budget", budget)):
        if values:
            known = found.get(part)
            found[part] = {**(known if isinstance(known, dict) else {}), **values}
    if args.model:
        found["models"] = [] if args.model == ["none"] else args.model
    for name in more:
        value = getattr(args, name)
        if value is not None:
            found[name] = _given(value) if isinstance(value, str) else value
    return found


def _given(text: str) -> str | None:
    return None if text == "none" else text


def _count(name: str, text: str) -> int | None:
    if text == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise Failed(f"--{name.replace('_', '-')} {text}: write a whole number, or none", 2) from None


def _object(text: str | None) -> Json:
    if text is None:
        return {}
    try:
        found = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise Failed(f"--settings: {error}", 2) from None
    if not isinstance(found, dict):
        raise Failed('--settings: write a JSON object, for example {"limits": {"rpm": 60}}', 2)
    return found
