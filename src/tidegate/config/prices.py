"""Which model costs what: the file's own prices first, then the list of genai-prices."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from tidegate.config import price_list
from tidegate.config.build.money import Exchange, priced, prices
from tidegate.config.schema.file import ProviderConfig
from tidegate.model.snapshot import ModelEntry, Price, PriceRow, Profile, Provider

FILE = "the file"
_ANY = "*"  # limits for calls without a model


class Prices:
    """Finds prices in the house currency, and remembers where each came from.

    `wall`: microseconds since 1970, for prices that begin on a day; 0 = the newest ones. The list is read when the
    first model has no price of its own, and takes 35 ms.
    """

    __slots__ = ("_money", "_sellers", "_today", "_usd", "origins")

    def __init__(self, money: Exchange, wall: int = 0) -> None:
        self._money = money
        self._usd = money.rate(price_list.CURRENCY)
        self._today: date | None = datetime.fromtimestamp(wall / 1_000_000, UTC).date() if wall else None
        self.origins: dict[tuple[str, str], str] = {}  # by the names of provider and model
        self._sellers: dict[tuple[str, str], Any] = {}

    def models(self, name: str, item: ProviderConfig, base_url: str, profile: Profile) -> Mapping[str, ModelEntry]:
        """The models that a provider names, also those that it limits only, where their price is known."""
        found = {}
        for model, entry in item.models.items():
            if entry.price is not None:
                own = prices(entry.price, self._money)
                self.origins[name, model] = FILE
            else:
                own = self._listed(name, model, base_url, profile)
            found[model] = ModelEntry(entry.tools, entry.images, entry.context or 0, own)
        for model in dict.fromkeys(model for scope in item.scopes for model in scope.limits):
            if model not in found and model != _ANY and (listed := self._listed(name, model, base_url, profile)):
                found[model] = ModelEntry(prices=listed)
        return found

    def rows(self, provider: Provider) -> tuple[PriceRow, ...]:
        """What models cost that a provider is asked for without naming them; () where its prices are not known."""
        usd = self._usd
        if usd is None:
            return ()
        known = price_list.read()
        seller = self._seller(known, provider.base_url, provider.profile.name)
        return tuple(
            PriceRow(names, tuple(priced(tariff, usd) for tariff in tariffs))
            for names, tariffs in known.rows(seller, self._today)
        )

    def _listed(self, name: str, model: str, base_url: str, profile: Profile) -> tuple[Price, ...]:
        usd = self._usd
        if usd is None:
            return ()
        known = price_list.read()
        found = known.tariffs(self._seller(known, base_url, profile.name), model, self._today)
        if found:
            self.origins[name, model] = known.source
        return tuple(priced(tariff, usd) for tariff in found)

    def _seller(self, known: price_list.PriceList, base_url: str, profile: str) -> Any:
        """Asked once for each provider, and not for each of its models."""
        key = base_url, profile
        if key not in self._sellers:
            self._sellers[key] = known.seller(base_url, profile)
        return self._sellers[key]
