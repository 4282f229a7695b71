"""LiteLLM files: what they mean stays, what does not is said, and the result can be used."""

import re
from typing import Any

import pytest

from tests.config.convert.conftest import Used, made, parsed
from tidegate.config.convert import litellm
from tidegate.config.convert.report import leaves

FULL = """
environment_variables: {FEATURE: "on"}
credential_list:
  - {credential_name: east, credential_values: {api_key: os.environ/AZURE_EAST_KEY, api_base: "https://east.openai.azure.com/"}}
model_list:
  - model_name: assistant
    litellm_params:
      model: azure/east-gpt4o
      litellm_credential_name: east
      api_version: "2024-10-21"
      rpm: 600
      tpm: 90000
      max_parallel_requests: 20
      order: 2
    model_info: {id: az-east, base_model: gpt-4o, max_input_tokens: 128000}
  - model_name: assistant
    litellm_params: {model: gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 3000, tpm: 150000, order: 1, timeout: 30}
  - model_name: cheap
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: sk-literal-of-somebody
      input_cost_per_token: 0.00000015
      output_cost_per_token: 0.0000006
  - model_name: haiku
    litellm_params: {model: anthropic/claude-3-haiku-20240307, api_key: os.environ/ANTHROPIC_KEY, rpm: "50", tpm: 50000}
  - model_name: local
    litellm_params: {model: hosted_vllm/qwen2.5-72b, api_base: os.environ/VLLM_BASE}
  - model_name: far-away
    litellm_params: {model: bedrock/anthropic.claude-3-sonnet, aws_region_name: us-east-1}
  - model_name: "openai/*"
    litellm_params: {model: "openai/*", api_key: os.environ/OPENAI_API_KEY}
  - model_name: vectors
    litellm_params: {model: text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY, temperature: 0}
    model_info: {mode: embedding}
litellm_settings:
  num_retries: 2
  request_timeout: 300
  drop_params: true
  success_callback: [langfuse]
  fallbacks: [{assistant: [haiku]}]
  context_window_fallbacks: [{cheap: [assistant]}]
  content_policy_fallbacks: [{assistant: [haiku]}]
  default_fallbacks: [cheap]
  cache: true
  cache_params: {type: redis, host: os.environ/CACHE_HOST, port: 6379, password: hunter2-of-the-cache, ttl: 600}
  max_budget: 100
  budget_duration: 30d
router_settings:
  routing_strategy: least-busy
  num_retries: 3
  allowed_fails: 3
  allowed_fails_policy: {BadRequestErrorAllowedFails: 1000}
  cooldown_time: 30
  timeout: 180
  redis_host: os.environ/REDIS_HOST
  redis_port: 6379
  redis_password: os.environ/REDIS_PASSWORD
  model_group_alias: {gpt-4: assistant, hidden: {model: cheap, hidden: true}, gone: nowhere}
  enable_pre_call_checks: true
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: os.environ/DATABASE_URL
  alerting: [slack]
  max_request_size_mb: 10
  allowed_ips: [10.0.0.0/8]
guardrails: [{guardrail_name: words, litellm_params: {guardrail: lakera, mode: pre_call}}]
"""


def test_everything_is_usable(used: Used) -> None:
    """The gate takes it over as it is, once the variables are set; its warnings are what such a file cannot say."""
    loaded = used(made(FULL).converted, VLLM_BASE="http://127.0.0.1:9/v1", CACHE_HOST="cache", REDIS_HOST="shared")
    snapshot = loaded.snapshot
    assert [item.name for item in snapshot.providers] == ["azure", "openai", "anthropic", "vllm"]
    plans = {item.name: (item.primary_model, *item.fallback_models) for item in snapshot.strategies}
    assert plans["assistant"] == ("gpt-4o", "east-gpt4o", "claude-3-haiku-20240307")  # by `order`, then fallbacks
    assert plans["gpt-4"] == plans["assistant"]  # the alias
    assert plans["cheap"] == ("gpt-4o-mini", "gpt-4o", "east-gpt4o")  # where the window is too small
    assert plans["local"] == ("qwen2.5-72b", "gpt-4o-mini")  # default_fallbacks
    assert plans["vectors"] == ("text-embedding-3-small",)  # who talks does not stand in for who embeds
    assert {warning.field for warning in loaded.warnings} == {
        "cluster.url",  # several nodes want a PostgreSQL
        "namespaces.litellm.budget",  # nobody knows what the deployment and the model of one's own cost
        "strategies.gpt-4.primary_model",  # an alias
        "strategies.hidden.primary_model",
    }


def test_the_parts() -> None:
    """Limits, keys, prices, windows, retries, times, cache, Redis, budget: as numbers of ours."""
    tree = made(FULL).tree
    azure, openai, anthropic = (tree["providers"][name] for name in ("azure", "openai", "anthropic"))
    assert (azure["base_url"], azure["api_version"]) == ("https://east.openai.azure.com", "2024-10-21")
    assert azure["scopes"][0]["limits"] == {"east-gpt4o": {"rpm": 600, "tpm": 90_000}}
    assert (azure["scopes"][0]["max_concurrent"], azure["models"]["east-gpt4o"]["context"]) == (20, 128_000)
    assert [scope["keys"] for scope in openai["scopes"]] == [["${OPENAI_API_KEY}"], ["${OPENAI_KEY_3}"]]
    assert openai["models"]["gpt-4o-mini"]["price"] == {"input": 0.15, "output": 0.6}
    assert anthropic["scopes"][0]["limits"]["claude-3-haiku-20240307"] == {"rpm": 50, "itpm": 50_000}
    assert tree["strategies"]["assistant"]["retry_policy"] == {"max_retries": 4}
    assert (openai["timeouts"], tree["defaults"]["deadline_seconds"]) == ({"first_byte_seconds": 180}, 180)
    assert tree["defaults"]["pick"] == "least_loaded"
    assert tree["strategies"]["haiku"]["caching"] == {"enabled": True, "ttl_seconds": 600}
    assert tree["cache"]["redis"]["url"] == "redis://:${REDIS_PASSWORD_OF_CACHE}@${CACHE_HOST}:6379"
    assert tree["cluster"]["url"] == "redis://:${REDIS_PASSWORD}@${REDIS_HOST}:6379"
    assert tree["server"]["max_body_bytes"] == 10 << 20
    master = {"name": "master", "key": "${LITELLM_MASTER_KEY}", "addresses": ["10.0.0.0/8"]}
    assert tree["namespaces"]["litellm"] == {"keys": [master], "budget": {"per_month": 100}}


def test_no_secret_is_copied() -> None:
    """Neither a key nor a password stands in the file; each has a variable, and the comments say so."""
    result = made(FULL)
    assert "literal-of-somebody" not in result.converted.text
    assert "hunter2" not in result.converted.text
    assert {"OPENAI_KEY_3", "REDIS_PASSWORD_OF_CACHE"} <= set(result.converted.variables)
    assert "OPENAI_KEY_3" in result.why("model_list[2].litellm_params.api_key")


def test_the_same_secret_is_one_scope() -> None:
    """Two deployments with one key draw on one quota, so they are one scope with one variable."""
    one = "{model_name: %s, litellm_params: {model: openai/%s, api_key: sk-same, rpm: %d}}"
    tree = made(f"model_list: [{one % ('a', 'gpt-4o', 10)}, {one % ('b', 'gpt-4o-mini', 20)}]").tree
    (scope,) = tree["providers"]["openai"]["scopes"]
    assert scope["keys"] == ["${OPENAI_KEY_1}"]
    assert scope["limits"] == {"gpt-4o": {"rpm": 10}, "gpt-4o-mini": {"rpm": 20}}


def test_nothing_goes_without_a_word() -> None:
    """Each setting of the file has a note, or is part of one that has; and each note stands in the comments."""
    result = made(FULL)
    told = {note.path for note in result.converted.notes}
    silent = [path for path in leaves(parsed(FULL)) if not any(path[:end] in told for end in range(1, len(path) + 1))]
    assert silent == []
    comments = [line for line in result.converted.text.splitlines() if line.startswith("#")]
    assert all(any(note.line() in line for line in comments) for note in result.converted.notes)


@pytest.mark.parametrize(
    ("where", "kind", "words"),
    [
        ("model_list[5]", "left", "bedrock"),
        ("model_list[0].model_info.base_model", "left", "price"),
        ("litellm_settings.num_retries", "left", "router_settings"),
        ("litellm_settings.success_callback[0]", "left", "metrics"),
        ("litellm_settings.content_policy_fallbacks[0].assistant[0]", "left", "refused everywhere"),
        ("router_settings.cooldown_time", "left", "probe"),
        ("router_settings.allowed_fails_policy.BadRequestErrorAllowedFails", "left", "probe"),
        ("router_settings.model_group_alias.gone", "left", "no deployment"),
        ("router_settings.routing_strategy", "changed", "scopes"),
        ("router_settings.num_retries", "changed", "one more"),
        ("general_settings.database_url", "left", "migrate"),
        ("general_settings.master_key", "changed", "token of its own"),
        ("guardrails[0].guardrail_name", "left", "contents"),
        ("environment_variables.FEATURE", "left", "no value is copied"),
    ],
)
def test_why(where: str, kind: str, words: str) -> None:
    """What is left or changed says why, in words of ours."""
    result = made(FULL)
    assert result.kind(where) == kind
    assert words in result.why(where)


@pytest.mark.parametrize(
    ("model", "more", "profile", "url"),
    [
        ("gpt-4o", "", "openai", "https://api.openai.com/v1"),
        ("claude-3-5-sonnet-20241022", "", "anthropic", "https://api.anthropic.com/v1"),
        ("groq/llama-3.1-8b-instant", "", "groq", "https://api.groq.com/openai/v1"),
        ("gemini/gemini-1.5-flash", "", "gemini", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("openrouter/deepseek/deepseek-chat", "", "openrouter", "https://openrouter.ai/api/v1"),
        ("openai/qwen", "api_base: http://vllm:8000/v1", "generic", "http://vllm:8000/v1"),
        ("ollama/llama3", "", "generic", "http://localhost:11434/v1"),
        (
            "qwen",
            "custom_llm_provider: dashscope",
            "dashscope",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        ),
        (
            "azure/dep",
            "api_base: https://x.openai.azure.com/openai/deployments/dep/chat/completions",
            "azure",
            "https://x.openai.azure.com/openai",
        ),
    ],
)
def test_makers(used: Used, model: str, more: str, profile: str, url: str) -> None:
    """Who serves a model is known by its prefix, its name or its address, and the gate agrees."""
    result = made(f"model_list: [{{model_name: m, litellm_params: {{model: {model}, {more}}}}}]")
    (provider,) = result.tree["providers"].values()
    assert (provider["profile"], provider["base_url"]) == (profile, url)
    assert used(result.converted).snapshot.providers[0].profile.name == profile


def test_deployments_of_one_model_at_two_addresses() -> None:
    """Each address is a provider; a call may go to either."""
    one = "{model_name: g, litellm_params: {model: azure/d, api_base: https://HOST.openai.azure.com}}"
    both = [one.replace("HOST", host) for host in "ab"]
    tree = made(f"model_list: [{', '.join(both)}]").tree
    assert list(tree["providers"]) == ["azure", "azure-b"]
    assert tree["strategies"]["g"] == {"primary_model": "d"}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (None, "model_list"),
        ([], "model_list"),
        ({"model_list": {}}, "model_list"),
        ({"model_list": []}, "no deployment"),
        ({"model_list": [{"model_name": "m", "litellm_params": {"model": "sagemaker/x"}}]}, "sagemaker"),
        ({"model_list": [{"model_name": "m", "litellm_params": {"model": "mystery"}}]}, "MAKER/MODEL"),
        ({"model_list": [{"model_name": "m", "litellm_params": {"model": "azure/d", "api_base": "x y"}}]}, "api_base"),
        ({"model_list": [7, "x", {"litellm_params": 3}]}, "no deployment"),
    ],
)
def test_what_cannot_be_converted(tree: Any, words: str) -> None:
    """It is refused, in a sentence that says what is missing."""
    with pytest.raises(ValueError, match=re.escape(words)):
        litellm.convert(tree)


def test_odd_values_do_not_break_it(used: Used) -> None:
    """Wrong types are left and said; line breaks in names cannot leave a comment; `${` is no variable of ours."""
    odd = """
model_list:
  - {model_name: m, litellm_params: {model: gpt-4o, rpm: -1, tpm: many, weight: x, api_key: 5, "a\\nproviders: {}": 1}}
litellm_settings: {num_retries: lots, fallbacks: {m: x}, cache: true, cache_params: [], request_timeout: -3}
router_settings: {model_group_alias: [1], retry_policy: 3, timeout: "${X}", default_fallbacks: 4}
general_settings: [1]
"""
    result = made(odd)
    assert result.kind("model_list[0].litellm_params.rpm") == "left"
    assert list(result.tree) == ["providers", "defaults", "strategies"] or "m" in str(result.tree)
    assert used(result.converted).snapshot.providers[0].name == "openai"


def test_a_tree_that_holds_itself_is_refused() -> None:
    """Anchors may make a small text endless."""
    with pytest.raises(ValueError, match="holds itself"):
        litellm.convert(parsed("model_list: &a [*a]"))
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    with pytest.raises(ValueError, match="100,000"):
        litellm.convert(parsed(bomb + "model_list: []"))
