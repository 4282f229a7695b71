"""What models cost where the file does not say: the list of the package genai-prices, in USD for a million tokens.

Importing the package takes a third of a second, for an HTTP client and types that nobody needs here. So its data alone
is run, with plain records in the place of its types: 35 ms once it is compiled. Should the data not be of the form that
is known here any more, the package itself is imported.
"""

import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tidegate.config.build.money import Tariff
from tidegate.config.price_index import Index

CURRENCY = "USD"
_PACKAGE = "genai_prices"
_MAKERS = {  # of the API that a profile describes, where the base URL is nobody's
    "anthropic": "anthropic",
    "azure": "azure",
    "azure-v1": "azure",
    "deepseek": "deepseek",
    "deepseek-beta": "deepseek",
    "gemini": "google",
    "groq": "groq",
    "moonshot": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "zhipu": "zhipuai",
}
_THOUSAND = 1_000
_TOLD = ("service_tier", "speed")  # by an answer, of how it was made
_USUAL = ("default", "standard")


@dataclass(frozen=True, slots=True)
class PriceList:
    """Who sells which models for how much. `source` names it with its version."""

    source: str
    sellers: Sequence[Any]
    _indexes: dict[int, tuple[Any, Index]] = field(default_factory=dict, repr=False, compare=False)

    def seller(self, base_url: str, profile: str) -> Any:
        """Who answers at `base_url`, else the maker that `profile` is named after; None when it is nobody known."""
        maker = self._named(_MAKERS.get(profile))
        for found in (maker, *self.sellers):  # a pattern is compiled when it is looked at, and the maker's mostly fits
            if found is not None and re.match(found.api_pattern, base_url):
                return found
        return maker

    def tariffs(self, seller: Any, model: str, today: date | None = None) -> tuple[Tariff, ...]:
        """What a model costs at `seller` today (None: by the newest prices), the shortest prompts first; () = unknown.

        What a later version of the package says in a form that is not known here is unknown too. A few dozen
        comparisons, whatever the seller has, once it was asked for.
        """
        try:
            index = self._index(seller)
            at = index.find(model.lower())
            if at is None:
                return ()
            found = index.models[at]
            return _tariffs(_current(found.prices, today), found, today)
        except (AttributeError, LookupError, TypeError, ArithmeticError):
            return ()

    def rows(self, seller: Any, today: date | None = None) -> Iterator[tuple[tuple[str, ...], tuple[Tariff, ...]]]:
        """All models that `seller` has: their names as in a `PriceRow`, and what they cost. The first match counts.

        What cannot be said so is left out.
        """
        for found in self._models(seller):
            try:
                yield tuple(names(found.match)), _tariffs(_current(found.prices, today), found, today)
            except (AttributeError, LookupError, TypeError, ArithmeticError):
                continue

    def _named(self, name: str | None) -> Any:
        return next((found for found in self.sellers if found.id == name), None)

    def _index(self, seller: Any) -> Index:
        kept, index = self._indexes.get(id(seller), (None, None))
        if index is None or kept is not seller:
            index = Index(self._models(seller))
            self._indexes[id(seller)] = seller, index
        return index

    def _models(self, seller: Any) -> Iterator[Any]:
        """Its own, and of those whose prices it has where it names none."""
        others = (self._named(name) for name in getattr(seller, "fallback_model_providers", None) or ())
        for one in (seller, *others):
            yield from one.models if one is not None else ()


@cache
def read() -> PriceList:
    """The list of the installed package; an empty one where it is missing."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return PriceList("", ())
    folder = Path(spec.submodule_search_locations[0])
    installed = next(folder.parent.glob(f"{_PACKAGE}-*.dist-info"), Path(_PACKAGE))
    source = installed.stem.replace("_", "-").replace("prices-", "prices ")
    try:
        return PriceList(source, run(folder / "data.py"))
    except Exception:  # noqa: BLE001 - whatever is wrong with this way, there is the long one
        return PriceList(source, imported())


def run(file: Path) -> Sequence[Any]:
    """The sellers of a data module, as plain records. Raises whatever it raises."""
    code = SourceFileLoader(f"{_PACKAGE}.data", str(file)).get_code(f"{_PACKAGE}.data")
    names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": _import}}
    exec(code or "", names)  # noqa: S102 - a module of an installed package, which an import would run as well
    sellers: Sequence[Any] = names["providers"]
    return sellers


def imported() -> Sequence[Any]:
    """The sellers as the package itself has them."""
    from genai_prices.data import providers  # noqa: PLC0415 - a third of a second

    return providers


def _import(
    name: str, names: Mapping[str, object] | None = None, _locals: object = None,
    wanted: Sequence[str] = (), level: int = 0,
) -> object:  # fmt: skip
    """Imports as ever, but for the package's own types."""
    return _WORDS if level else __import__(name, names, None, wanted)


class _Model(SimpleNamespace):
    """A record with what a model may leave out."""

    price_variants: Any = None


class _Seller(SimpleNamespace):
    """A record with what a seller may leave out."""

    fallback_model_providers: Any = None
    models: Any = ()


class _Condition(SimpleNamespace):
    """A record with what a conditional price may leave out."""

    constraint: Any = None


def _word(name: str) -> type[SimpleNamespace]:
    return type(name, (SimpleNamespace,), {})


_OTHERS = (
    "UsageExtractor", "UsageExtractorMapping", "ModelPrice", "TieredPrices", "Tier",
    "StartDateConstraint", "TimeOfDateConstraint", "ArrayMatch", "ClauseStartsWith", "ClauseEndsWith",
    "ClauseContains", "ClauseRegex", "ClauseEquals", "ClauseOr", "ClauseAnd",
)  # fmt: skip
_WORDS = SimpleNamespace(
    __all__=(*_OTHERS, "Provider", "ModelInfo", "ConditionalPrice", "PriceVariant"),
    Provider=_Seller,
    ModelInfo=_Model,
    ConditionalPrice=_Condition,
    PriceVariant=_Condition,
    **{name: _word(name) for name in _OTHERS},
)


def names(clause: Any) -> Iterator[str]:
    """The same as names of a `PriceRow`. Raises `LookupError` for an unknown rule."""
    match type(clause).__name__.removeprefix("Clause"):
        case "Equals":
            yield clause.equals.lower()
        case "StartsWith":
            yield f"{clause.starts_with.lower()}*"
        case "EndsWith":
            yield f"*{clause.ends_with.lower()}"
        case "Contains":
            yield f"*{clause.contains.lower()}*"
        case "Regex":
            yield f"/{clause.regex}"
        case "Or":
            for inner in clause.or_:
                yield from names(inner)
        case "And":
            yield "/" + "".join(f"(?={_searched(inner)})" for inner in clause.and_)
        case kind:
            raise LookupError(kind)


def _searched(clause: Any) -> str:
    """An expression that a name matches from its beginning."""
    parts = []
    for name in names(clause):
        if name.startswith("/"):
            parts.append(f".*(?:{name[1:]})")
        else:
            parts.append(".*".join(re.escape(part) for part in name.split("*")) + "$")
    return f"(?:{'|'.join(parts)})"


def _current(prices: Any, today: date | None) -> Any:
    """The prices of today: the last ones that have begun; where the hour decides, the dearest of the day."""
    if not isinstance(prices, list):
        return prices
    found = []
    for conditional in reversed(prices):
        begins = getattr(conditional.constraint, "start_date", None)
        if begins is not None and today is not None and today < begins:
            continue
        found.append(conditional.prices)
        if conditional.constraint is None or begins is not None:
            break
    found = found or [conditional.prices for conditional in prices[:1]]
    return max(found, key=lambda price: _at(price, "output_mtok", 0) or Decimal(0), default=None)


def _tariffs(price: Any, model: Any, today: date | None) -> tuple[Tariff, ...]:
    fields = vars(price) if price is not None else {}
    if not any(fields.get(field) is not None for field in ("input_mtok", "output_mtok", "requests_kcount")):
        return ()
    tiers = {"": price, **_tiers(price, model, today)}
    return tuple(_tariff(each, above, tier) for tier, each in tiers.items() for above in _lengths(each))


def _tiers(price: Any, model: Any, today: date | None) -> dict[str, Any]:
    """The prices of service tiers: what one leaves out is as usual, and of several the first counts."""
    found: dict[str, dict[str, Any]] = {}
    for variant in model.price_variants or ():
        (named, tier), *others = variant.when.items()
        begins = getattr(variant.constraint, "start_date", None)
        if named not in _TOLD or tier in _USUAL or others or (begins and today and today < begins):
            continue
        stated = {field: value for field, value in vars(variant.prices).items() if value is not None}
        found[tier] = {**stated, **found.get(tier, {})}
    return {tier: SimpleNamespace(**{**vars(price), **stated}) for tier, stated in found.items()}


def _lengths(price: Any) -> list[int]:
    return sorted({0}.union(*(_starts(value) for value in vars(price).values())))


def _starts(price: Any) -> Iterator[int]:
    for tier in getattr(price, "tiers", ()):
        yield tier.start


def _tariff(price: Any, above: int, tier: str) -> Tariff:
    prompt, completion = _at(price, "input_mtok", above), _at(price, "output_mtok", above)
    return Tariff(
        prompt=prompt or Decimal(0),
        completion=completion or Decimal(0),
        cached=_at(price, "cache_read_mtok", above),
        written=_at(price, "cache_write_mtok", above),
        reasoning=_at(price, "output_reasoning_mtok", above),
        above=above,
        per_request=(_at(price, "requests_kcount", above) or Decimal(0)) / _THOUSAND,
        tier=tier,
    )


def _at(price: Any, field: str, above: int) -> Decimal | None:
    """A field for prompts of more than so many tokens; None where it has no price of its own."""
    value = vars(price).get(field)
    if value is None or isinstance(value, Decimal):
        return value
    found: Decimal = value.base
    for tier in value.tiers:
        if tier.start <= above:
            found = tier.price
    return found
