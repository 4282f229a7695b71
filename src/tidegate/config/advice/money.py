"""What is worth saying of money: budgets that count nothing, and passwords in the file."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tidegate.config.advice.access import Known, known
from tidegate.config.advice.ends import Ends
from tidegate.config.build.money import exchange
from tidegate.config.findings import Advice, Path, listed
from tidegate.config.price_list import CURRENCY
from tidegate.config.resolve import serving
from tidegate.config.schema.access import BudgetConfig
from tidegate.config.schema.file import Config
from tidegate.config.source import Document
from tidegate.model.snapshot import Snapshot

_MOST = 3  # names that a warning lists


def advise_money(config: Config, snapshot: Snapshot, document: Document) -> Iterator[Advice]:
    """Paths, messages and remedies; O((budgets + models) × log models)."""
    names = known(snapshot)
    blind = any(not provider.price_list for provider in names.passing)
    budgets = list(_budgets(config))
    ends = Ends(_unpriced(names, snapshot) if budgets else {}, _MOST + 1)
    for path, patterns in budgets:
        free = ends.first(patterns)
        if free:
            remedy = "give it a price under the provider's models; 0 if it costs nothing"
            yield path, ("no price is known of ", *listed(free, _MOST), ", so calls for it cost nothing here"), remedy
        elif blind and all(not each or any(name.endswith("*") for name in each) for each in patterns):
            message = "models that the file does not name are passed on, and calls for them cost nothing here"
            yield path, message, "list under models, without *, what may be called"
    if snapshot.providers and exchange(config.money).rate(CURRENCY) is None:
        message = f"no rate of {CURRENCY} is known, so prices that the file does not state are unknown"
        yield ("money", "currency"), message, f"say under money.exchange what one {CURRENCY} is worth"
    at: Path = ("ledger", "database")
    if at not in document.substituted and urlsplit(config.ledger.database or "").password:
        yield at, "a password stands in the file", 'keep the URL in the environment and write "${NAME}"'


def _priced(model: str, snapshot: Snapshot) -> bool:
    """Has it a price wherever it may be served?"""
    return all(
        model in provider.models and provider.models[model].prices for provider in serving(model, snapshot.providers)
    )


def _unpriced(names: Known, snapshot: Snapshot) -> dict[str, set[str]]:
    """Every name, with the models without a price at which its calls may end."""
    free = {model for model in names.models if not _priced(model, snapshot)}
    found = {model: {model} & free for model in names.models}
    for strategy, models in names.strategies.items():
        found[strategy] = found.get(strategy, set()) | free.intersection(models)
    return found


def _budgets(config: Config) -> Iterator[tuple[Path, list[tuple[str, ...]]]]:
    """Where a budget stands, and what those whom it bounds may call."""
    for index, key in enumerate(config.clients.keys):
        if _bounds(key.budget):
            yield ("clients", "keys", index, "budget"), [tuple(key.models)]
    for name, namespace in config.namespaces.items():
        path, own = ("namespaces", name), tuple(namespace.models)
        if _bounds(namespace.budget):
            yield (*path, "budget"), [own]
        for model, grant in namespace.by_model.items():
            if _bounds(grant.budget):
                yield (*path, "by_model", model, "budget"), [own, (model,)]
        for user, item in namespace.users.items():
            if _bounds(item.budget):
                yield (*path, "users", user, "budget"), [own, tuple(item.models)]
        for index, key in enumerate(namespace.keys):
            if _bounds(key.budget):
                yield (*path, "keys", index, "budget"), [own, tuple(key.models)]


def _bounds(budget: BudgetConfig) -> bool:
    return budget.per_day is not None or budget.per_month is not None
