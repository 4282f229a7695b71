"""Why a setting of LiteLLM's is left out, where more can be said than that there is nothing like it."""

from typing import Final

from tidegate.config.convert.report import Path

_OBSERVED: Final = "metrics, traces and the ledger are built in: docs/metrics.md, docs/ledger.md"
_BREAKERS: Final = (
    "there is nothing to count: a refusal closes what it is about until the time that the provider names, and one "
    "probe opens it again (docs/design/pools.md)"
)
_ALERTS: Final = "alerts have their own section, with channels and rules: docs/alerts.md"
_DATABASE: Final = "the gate keeps its own ledger; the keys of this database can be taken along: docs/migrate.md"
_REQUEST: Final = "the gate does not put fields into requests: the application sends it"
_GUARDS: Final = "the gate does not judge contents; kept bodies are redacted: docs/bodies.md"
_NAMES: Final[dict[str, str]] = {
    "success_callback": _OBSERVED, "failure_callback": _OBSERVED, "callbacks": _OBSERVED,
    "service_callbacks": _OBSERVED, "callback_settings": _OBSERVED, "json_logs": "the log is JSON as it is",
    "allowed_fails": _BREAKERS, "allowed_fails_policy": _BREAKERS, "cooldown_time": _BREAKERS,
    "disable_cooldowns": _BREAKERS, "alerting": _ALERTS, "alerting_threshold": _ALERTS, "alerting_args": _ALERTS,
    "alert_types": _ALERTS, "alert_to_webhook_url": _ALERTS, "alerting_config": _ALERTS,
    "database_url": _DATABASE, "database_connection_pool_limit": _DATABASE, "store_model_in_db": _DATABASE,
    "content_policy_fallbacks": "refused content is refused everywhere: no other model is asked",
    "drop_params": "what a provider cannot be told is left out and named in x-tidegate-dropped",
    "enable_pre_call_checks": "on as it is, for models whose `context` is known",
    "guardrails": _GUARDS, "mcp_servers": "the gate carries no MCP", "mcp_aliases": "the gate carries no MCP",
    "set_verbose": "deprecated by LiteLLM", "debug_level": "the log says what is worth it",
    "environment_variables": "set it in the environment of the service: no value is copied",
    "include": "convert the files that it names by themselves, or put them into one first",
    "organization": "a key belongs to an organisation: use a key of the one that is meant",
    "id": "names the deployment inside LiteLLM only", "mode": "the path of a call says what it is",
    "base_model": "costs go by the name of the model: give `models.….price` where that is another",
    "tags": "namespaces and pools say who may use what: docs/configuration.md",
    "temperature": _REQUEST, "max_tokens": _REQUEST, "top_p": _REQUEST, "extra_headers": _REQUEST,
    "extra_body": _REQUEST, "default_litellm_params": _REQUEST, "seed": _REQUEST,
    "max_retries": "attempts are counted by strategy: `retry_policy`",
    "num_retries": "attempts are counted by strategy: `retry_policy`",
    "timeout": "time-outs are a provider's: `timeouts`", "stream_timeout": "time-outs are a provider's: `timeouts`",
    "provider_budget_config": "budgets are a tenant's: `namespaces.….budget`",
    "default_team_settings": "teams are namespaces: docs/keys.md",
    "default_internal_user_params": "users are managed at run time: docs/keys.md",
    "max_budget": "budgets are a tenant's: `namespaces.….budget`, for a calendar day or month",
    "budget_duration": "budgets are a tenant's: `namespaces.….budget`, for a calendar day or month",
    "max_parallel_requests": "it holds where it is said: `max_concurrent` of a scope, `concurrent` of a namespace",
    "global_max_parallel_requests": "say it where it holds: `limits.concurrent` of a namespace",
    "pass_through_endpoints": "the rest of a maker's API is passed on as it is, other addresses are not",
    "vector_store_registry": "the gate carries calls of models only",
}  # fmt: skip


def reason(path: Path) -> str:
    """By the nearest of its names that we know something of."""
    for part in reversed(path):
        if isinstance(part, str) and part in _NAMES:
            return _NAMES[part]
    return "there is nothing like it"
