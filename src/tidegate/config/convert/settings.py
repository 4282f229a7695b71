"""LiteLLM's `router_settings`, `litellm_settings` and `general_settings`."""

from dataclasses import dataclass, field
from typing import Any, Final

from tidegate.config.convert import values
from tidegate.config.convert.draft import Draft
from tidegate.config.convert.groups import Groups
from tidegate.config.convert.report import Path, Report

_PICKS: Final = {
    "simple-shuffle": "headroom", "least-busy": "least_loaded", "usage-based-routing": "headroom",
    "usage-based-routing-v2": "headroom", "latency-based-routing": "headroom",
}  # fmt: skip
_PICKED: Final = "it chooses among the scopes of a provider; between providers the order counts, and the predicted wait"
_RETRIES: Final = "LiteLLM counts retries, we count attempts on a target: one more; then the next target is tried"
_PER_CLASS: Final = (
    "one count for all that can pass; what cannot (a wrong request, a dead key, refused content) is never repeated"
)
_DEADLINE_S: Final = 120
_LONGEST_S: Final = 86_400


@dataclass(slots=True)
class Settings:
    """Reads the three sections; `shared` is what every strategy gets."""

    tree: dict[str, Any]
    draft: Draft
    report: Report
    shared: dict[str, Any] = field(default_factory=dict)

    def find(self, name: str, *sections: str) -> tuple[Any, Path]:
        """A setting, of the first section that has it, and where it stands; None where nobody says it."""
        found: tuple[Any, Path] = (None, ())
        for section in sections or ("router_settings", "litellm_settings"):
            part = self.tree.get(section)
            if not isinstance(part, dict) or part.get(name) is None:
                continue
            if found[1]:
                self.report.left((section, name), f"{found[1][0]} says it too, and counts")
            else:
                found = (part[name], (section, name))
        return found

    def read(self, groups: Groups, *, weighted: bool) -> None:
        """All that is known; the rest is left to the report."""
        self._retries()
        self._times()
        self._pick(weighted)
        self._cache()
        self._shared_state()
        self._server()
        self._keys()
        self._routes(groups)
        if self.shared:
            self.draft.section("defaults").update(self.shared)

    def _routes(self, groups: Groups) -> None:
        for name in ("fallbacks", "context_window_fallbacks"):
            value, path = self.find(name)
            if path:
                groups.fallbacks(str(path[0]), name, value)
        value, path = self.find("default_fallbacks")
        if path:
            groups.default_fallbacks(path, value)
        value, path = self.find("model_group_alias")
        if path:
            groups.aliases(path, value)
        value, path = self.find("max_fallbacks")
        most = values.count(value)
        if most:
            self.report.mapped(path, "strategies")
        groups.strategies(most, self.shared)

    def _retries(self) -> None:
        policy: dict[str, Any] = {}
        value, path = self.find("num_retries")
        number = values.number(value)
        if number is not None and 0 <= number < 100:
            policy["max_retries"] = int(number) + 1
            self.report.changed(path, "defaults.retry_policy.max_retries", _RETRIES)
        value, path = self.find("retry_policy")
        if isinstance(value, dict):
            counts = {name: values.number(item) for name, item in value.items()}
            passing = [
                int(item) for name, item in counts.items()
                if item is not None and name.startswith(("RateLimit", "Timeout", "InternalServer")) and 0 <= item < 100
            ]  # fmt: skip
            if passing:
                policy["max_retries"] = max(passing) + 1
                self.report.changed(path, "defaults.retry_policy.max_retries", _PER_CLASS)
        value, path = self.find("retry_after")
        wait = values.number(value)
        if wait is not None and 0 < wait <= _LONGEST_S:
            policy["base_seconds"] = values.tidy(wait)
            self.report.mapped(path, "defaults.retry_policy.base_seconds")
        if policy:
            self.shared["retry_policy"] = policy

    def _times(self) -> None:
        longest = 0.0
        for name in ("timeout", "request_timeout", "stream_timeout"):
            value, path = self.find(name)
            seconds = values.number(value)
            if seconds is None or not path:
                continue
            seconds = values.tidy(min(max(seconds, 0.001), _LONGEST_S))
            if longest:
                self.report.left(path, "another time-out counts: there is one until the first byte, for all calls")
                continue
            longest = seconds
            for provider in self.draft.section("providers").values():
                provider["timeouts"] = {"first_byte_seconds": seconds}
            why = "of one attempt, until its first byte; streams have `idle_seconds` behind it"
            self.report.changed(path, "providers", why)
        if longest >= _DEADLINE_S:
            self.shared["deadline_seconds"] = longest

    def _pick(self, weighted: bool) -> None:
        value, path = self.find("routing_strategy")
        if weighted:
            self.draft.section("defaults")["pick"] = "weighted"
        elif value in _PICKS:
            self.draft.section("defaults")["pick"] = _PICKS[value]
        if path and value in _PICKS:
            self.report.changed(path, "defaults.pick", _PICKED)

    def _cache(self) -> None:
        value, path = self.find("cache", "litellm_settings")
        if value is not True:
            if path:
                self.report.mapped(path, "strategies")
            return
        params, at = self.find("cache_params", "litellm_settings")
        params = params if isinstance(params, dict) else {}
        kind = params.get("type", "local")
        if kind not in ("local", "redis", "disk"):
            why = "answers are kept in memory, on disk or in Redis; by meaning: see docs/semantic-cache.md"
            self.report.left(path, why)
            return
        caching: dict[str, Any] = {"enabled": params.get("mode") != "default_off"}
        self.report.mapped(path, "strategies")
        if "mode" in params:
            self.report.changed((*at, "mode"), "strategies", "a strategy says whether; a call alone can say no")
        ttl = values.count(params.get("ttl"))
        if ttl:
            caching["ttl_seconds"] = ttl
            self.report.mapped((*at, "ttl"), "strategies")
        if "type" in params:
            self.report.mapped((*at, "type"), "cache")
        if kind == "redis":
            self.draft.section("cache")["redis"] = {"url": self._redis(params, at, "", "cache.redis.url")}
        if kind == "disk":
            self.draft.section("cache")["disk_mb"] = 1024
        self.shared["caching"] = caching

    def _redis(self, params: dict[str, Any], at: Path, prefix: str, to: str) -> str:
        """The URL of a server by its parts, whose names begin with `prefix`."""
        host, port, word, number, tls = (
            params.get(f"{prefix}{name}") for name in ("host", "port", "password", "db", "ssl")
        )
        login = ""
        if word is not None:
            known, why = values.secret(
                word, self.draft, "REDIS_PASSWORD_OF_ROUTER" if prefix else "REDIS_PASSWORD_OF_CACHE"
            )
            login = f":{known}@"
            if why:
                self.report.changed((*at, f"{prefix}password"), to, why)
        for name in ("host", "port", "password", "db", "ssl"):
            if f"{prefix}{name}" in params:
                self.report.mapped((*at, f"{prefix}{name}"), to)
        where = values.text(host, self.draft) if host is not None else self.draft.variable("REDIS_HOST")
        address = f"{where}:{values.text(port, self.draft)}" if port is not None else where
        database = f"/{values.text(number, self.draft)}" if number is not None else ""
        return f"redis{'s' if tls is True else ''}://{login}{address}{database}"

    def _shared_state(self) -> None:
        router = self.tree.get("router_settings")
        if isinstance(router, dict) and router.get("redis_host") is not None:
            url = self._redis(router, ("router_settings",), "redis_", "cluster.url")
            self.draft.section("cluster")["url"] = url
        elif isinstance(router, dict) and isinstance(router.get("redis_url"), str):
            url, why = values.secret(router["redis_url"], self.draft, "REDIS_URL")
            self.draft.section("cluster")["url"] = url
            if why:
                self.report.changed(("router_settings", "redis_url"), "cluster.url", why)
            else:
                self.report.mapped(("router_settings", "redis_url"), "cluster.url")

    def _server(self) -> None:
        value, path = self.find("max_request_size_mb", "general_settings")
        size = values.number(value)
        if size is not None and size > 0:
            self.draft.section("server")["max_body_bytes"] = max(1_024, int(size * 1_048_576))
            self.report.mapped(path, "server.max_body_bytes")

    def _keys(self) -> None:
        value, path = self.find("master_key", "general_settings")
        if not path:
            return
        key, why = values.secret(value, self.draft, "LITELLM_MASTER_KEY")
        item: dict[str, Any] = {"name": "master", "key": key}
        manage = "as a key of applications; who manages the gate has a token of its own (docs/admin-api.md)"
        self.report.changed(path, "namespaces.litellm.keys", f"{manage}; {why}" if why else manage)
        allowed, at = self.find("allowed_ips", "general_settings")
        if at and values.strings(allowed):
            item["addresses"] = values.strings(allowed)
            self.report.changed(at, "namespaces.litellm.keys", "of this key; others have their own")
        namespace: dict[str, Any] = {"keys": [item]}
        money, where = self.find("max_budget", "litellm_settings")
        span, when = self.find("budget_duration", "litellm_settings")
        amount, ours = values.number(money), values.budget_span(span)
        if amount and ours:
            namespace["budget"] = {ours: values.tidy(amount)}
            self.report.mapped(where, f"namespaces.litellm.budget.{ours}")
            self.report.changed(when, f"namespaces.litellm.budget.{ours}", "a calendar day or month, in `timezone`")
        self.draft.section("namespaces")["litellm"] = namespace
