"""LiteLLM's `model_list`: each deployment as a model of a scope of a provider."""

from dataclasses import dataclass
from typing import Any, Final

from tidegate.config.base_url import BadUrl, clean_base_url
from tidegate.config.convert import values
from tidegate.config.convert.draft import Draft, upper
from tidegate.config.convert.makers import AZURE, OPENAI, OWN, Maker, of_litellm
from tidegate.config.convert.report import Path, Report

_SCOPES: Final = "the scope's limit is the provider's for a model, whichever group asks; of several the largest counts"
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Deployment:
    """One that could be carried over: who serves `model` for the group `group`."""

    group: str
    provider: str
    model: str
    order: float
    weighted: bool
    embeds: bool


def deployments(tree: dict[str, Any], draft: Draft, report: Report) -> list[Deployment]:
    """Those of the list that can be carried over; providers are made for them."""
    credentials = _credentials(tree, report)
    found = []
    listed = tree.get("model_list")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            made = _Reader(item, ("model_list", index), credentials, draft, report).read()
            if made is not None:
                found.append(made)
    return found


def _credentials(tree: dict[str, Any], report: Report) -> dict[str, dict[str, Any]]:
    found = {}
    listed = tree.get("credential_list")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict) and isinstance(item.get("credential_values"), dict):
            found[str(item.get("credential_name"))] = item["credential_values"]
            report.mapped(("credential_list", index), "providers")
    return found


class _Reader:
    """One deployment. `at` is its place in the file."""

    def __init__(
        self, item: dict[str, Any], at: Path, credentials: dict[str, dict[str, Any]], draft: Draft, report: Report
    ) -> None:
        self.at, self.draft, self.report = at, draft, report
        own, info = item.get("litellm_params"), item.get("model_info")
        self.own: dict[str, Any] = own if isinstance(own, dict) else {}
        self.info: dict[str, Any] = info if isinstance(info, dict) else {}
        self.params = {**credentials.get(str(self.own.get("litellm_credential_name")), {}), **self.own}
        self.group = str(item.get("model_name", ""))

    def path(self, name: str, part: str = "litellm_params") -> Path:
        return (*self.at, part, name)

    def read(self) -> Deployment | None:
        named = str(self.params.get("custom_llm_provider") or "")
        prefix, maker, model = of_litellm(str(self.params.get("model") or ""), named)
        base = self.params.get("api_base") or self.params.get("base_url")
        if maker is None and base and prefix == "":
            maker = OWN
        if maker is None or not model or not self.group:
            self.report.left(self.at, _unspoken(prefix))
            return None
        if maker is OPENAI and base and "api.openai.com" not in str(base):
            maker = OWN
        address = self._address(maker, base)
        if address is None:
            return None
        return self._place(maker, model, address)

    def _address(self, maker: Maker, base: Any) -> str | None:
        if not base and maker.base_url:
            return maker.base_url
        if not base:
            base = f"os.environ/{upper(maker.name)}_API_BASE"
        address = values.text(base, self.draft).split("/deployments/")[0].rstrip("/")
        address = address.removesuffix("/chat/completions")
        try:
            return address if "${" in address else clean_base_url(address)
        except BadUrl as error:
            self.report.left(self.at, f"its api_base: {error.message}; {error.remedy}")
            return None

    def _place(self, maker: Maker, model: str, address: str) -> Deployment:
        version = values.text(self.params["api_version"], self.draft) if self._versioned(maker, address) else ""
        provider = self.draft.provider(maker, address, version)
        where = f"providers.{provider}"
        for name in ("api_base", "base_url", "custom_llm_provider"):
            self._said(name, f"{where}.base_url")
        if version:
            self._said("api_version", f"{where}.api_version")
        key = self._key(maker, where)
        scope = self.draft.scope(provider, key)
        weighted = self._limits(scope, model, f"{where}.scopes.{scope['name']}")
        self._known(provider, model, where)
        self._said("model", f"{where}.models")
        self._said("litellm_credential_name", where)
        plain = "*" in model or self.group == model
        self.report.mapped((*self.at, "model_name"), f"{where}.models" if plain else f"strategies.{self.group}")
        order = values.number(self.params.get("order"))
        if order is not None:
            self._said("order", f"strategies.{self.group}.fallback_models")
        embeds = self.info.get("mode") == "embedding" or "embedding" in model
        return Deployment(self.group, provider, model, order if order is not None else 1e9, weighted, embeds)

    def _said(self, name: str, to: str) -> None:
        if name in self.own:
            self.report.mapped(self.path(name), to)

    def _versioned(self, maker: Maker, address: str) -> bool:
        return maker is AZURE and bool(self.params.get("api_version")) and not address.endswith("/openai/v1")

    def _key(self, maker: Maker, where: str) -> str:
        value = self.params.get("api_key")
        if value in (None, ""):
            return self.draft.variable(maker.variable) if maker.variable else "none"
        key, why = values.secret(value, self.draft, f"{upper(maker.name)}_KEY_{int(self.at[1]) + 1}")
        if "api_key" in self.own:
            if why:
                self.report.changed(self.path("api_key"), f"{where}.scopes", why)
            else:
                self.report.mapped(self.path("api_key"), f"{where}.scopes")
        return key

    def _limits(self, scope: dict[str, Any], model: str, where: str) -> bool:
        """Requests, tokens and calls in flight; True when a weight of its own was given."""
        split = self.draft.tree["providers"][where.split(".")[1]]["profile"] == "anthropic"
        for name in ("rpm", "tpm"):
            limit = values.count(self.params.get(name))
            if limit is None:
                continue
            ours = "itpm" if split and name == "tpm" else name
            limits = scope.setdefault("limits", {}).setdefault(model, {})
            known = limits.get(ours)
            limits[ours] = max(limit, known or 0)
            to = f"{where}.limits.{model}.{ours}"
            if ours == "itpm":
                why = "Anthropic limits input and output apart: add `otpm` as its console says"
                self.report.changed(self.path(name), to, why)
            elif known not in (None, limit):
                self.report.changed(self.path(name), to, _SCOPES)
            else:
                self._said(name, to)
        calls = values.count(self.params.get("max_parallel_requests"))
        if calls is not None:
            scope["max_concurrent"] = scope.get("max_concurrent", 0) + calls
            why = "it bounds the scope, so those of its deployments are added up"
            self.report.changed(self.path("max_parallel_requests"), f"{where}.max_concurrent", why)
        weight = values.number(self.params.get("weight"))
        if weight is not None and weight > 0:
            scope["weight"] = max(1, min(1_000, round(weight if weight >= 1 else weight * 100)))
            self._said("weight", f"{where}.weight")
        return weight is not None

    def _known(self, provider: str, model: str, where: str) -> None:
        """Context and price."""
        if "*" in model:
            why = "names that nobody lists go to the only provider of their API; the name is sent as it is called"
            self.report.changed(self.path("model"), f"{where}.scopes", why)
            return
        entry = self.draft.model(provider, model)
        window = values.count(self.info.get("max_input_tokens")) or values.count(self.info.get("max_tokens"))
        for name in ("max_input_tokens", "max_tokens"):
            if window and values.count(self.info.get(name)) == window:
                entry["context"] = window
                self.report.mapped(self.path(name, "model_info"), f"{where}.models.{model}.context")
        self._price(entry, f"{where}.models.{model}.price")

    def _price(self, entry: dict[str, Any], where: str) -> None:
        for part, place in (("litellm_params", self.own), ("model_info", self.info)):
            costs = {name: values.number(place.get(f"{name}_cost_per_token")) for name in ("input", "output")}
            cached = values.number(place.get("cache_read_input_token_cost"))
            if costs["input"] is None and costs["output"] is None:
                continue
            price = {name: round((cost or 0) * _MILLION, 9) for name, cost in costs.items()}
            if cached is not None:
                price["cached_input"] = round(cached * _MILLION, 9)
                self.report.mapped(self.path("cache_read_input_token_cost", part), f"{where}.cached_input")
            entry["price"] = price
            for name in costs:
                if f"{name}_cost_per_token" in place:
                    self.report.mapped(self.path(f"{name}_cost_per_token", part), f"{where}.{name}")


def _unspoken(prefix: str) -> str:
    if not prefix:
        return "who serves this model is not clear: name it as MAKER/MODEL, or give api_base"
    return (
        f"Tidegate speaks the APIs of OpenAI and Anthropic, and {prefix} has another, or another sign-in: "
        "put an endpoint that is compatible with OpenAI's before it"
    )
