"""Configurations that have very many of one thing: what takes the square of a file's size is seen by them."""

from collections.abc import Callable
from typing import Final

_PROVIDER: Final = """\
providers:
  openai:
    dialect: openai
    base_url: https://api.openai.com/v1
    scopes: [{name: main, keys: ["${KEY}"], limits: {gpt-4o: {rpm: 600}}}, {name: rest, keys: [none]}]
strategies:
  chat: {primary_model: gpt-4o}
"""


_OPENAI: Final = "providers:\n  openai:\n    base_url: https://x.example.com\n    dialect: openai\n"


def _lines(head: str, each: str, n: int) -> str:
    """`each` for every number below `n`; `@` in it is the number."""
    return head + "".join(each.replace("@", f"{number:05}") + "\n" for number in range(n))


def _providers(n: int) -> str:
    url = "https://h@.example.com/v1"
    return _lines("providers:\n", f"  p@: {{dialect: openai, base_url: {url}, scopes: [{{name: s, keys: [none]}}]}}", n)


def namespaces(n: int) -> str:
    return _lines(_PROVIDER + "namespaces:\n", "  n@: {limits: {rpm: 5, tpm: 5000}}", n)


def tenants(n: int) -> str:
    """Keys of namespaces and of clients, and pools that are kept for tiers."""
    text = _lines(_PROVIDER + "namespaces:\n", "  n@: {keys: [key-of-n@]}", n // 2)
    text += _lines("clients:\n  keys:\n", "    - {name: c@, key: key-of-c@}", n // 2)
    return text + "pools: {kept: {scopes: [openai/main], only: [vip]}, held: {scopes: [openai/rest], only: [free]}}\n"


def strategies(n: int) -> str:
    """Most lead to models that nobody names, which a single provider serves."""
    return _lines(_PROVIDER, "  s@: {primary_model: m@, fallback_models: [{model: gpt-4o}]}", n)


def unserved(n: int) -> str:
    """Nobody serves them: each is a warning. Some lead to other strategies."""
    return _lines(_providers(2) + "strategies:\n", "  s@: {primary_model: m@, fallback_models: [{model: f@}]}", n)


def models(n: int) -> str:
    head, strategies, tail = _PROVIDER.partition("strategies:")
    return _lines(head + "    models:\n", "      model-@: {context: 8000}", n) + strategies + tail


def limits(n: int) -> str:
    head, tail = _PROVIDER.split("gpt-4o: {rpm: 600}")
    return _lines(head + "\n", "          gpt-4o-@: {rpm: 600},", n) + "          " + "o3: {}" + tail


def providers(n: int) -> str:
    return _providers(n)


def scopes(n: int) -> str:
    """Scopes of one provider, strategies for its models, and a pool for each of the scopes."""
    third = n // 3
    text = _lines(f"{_OPENAI}    scopes:\n", "      - {name: s@, keys: [key-of-s@], limits: {m@: {rpm: 5}}}", third)
    text = _lines(text + "strategies:\n", "  t@: {primary_model: m@, fallback_models: [{model: gpt-4o}]}", third)
    return _lines(text + "pools:\n", "  p@: {scopes: [openai/s@]}", third)


def users(n: int) -> str:
    text = _lines(_PROVIDER + "namespaces:\n  big:\n    users:\n", "      u@: {limits: {rpm: 5}}", n // 2)
    return _lines(text + "    keys:\n", "      - {key: key-of-@, user: u@}", n // 2)


def patterns(n: int) -> str:
    """Names and beginnings of models that namespaces may call; half of them mean nothing."""
    third = n // 3
    text = _lines(_providers(2) + "strategies:\n", "  s@: {primary_model: m@}", third) + "namespaces:\n"
    text = _lines(text, "  n@: {models: [s@, m@*, x@*, y@], by_model: {z@: {limits: {rpm: 5}}}}", third)
    return _lines(text + "clients:\n  keys:\n", "    - {key: key-@, models: [s@, s@*, t@*]}", third)


def budgets(n: int) -> str:
    """Whose holders may call strategies for models that nobody serves."""
    third = n // 3
    text = _lines(_providers(2) + "strategies:\n", "  s@: {primary_model: m@}", third)
    text = _lines(text + "namespaces:\n", "  n@: {models: [s@, m@*], budget: {per_day: 5}, keys: [k-@]}", third)
    return _lines(text + "clients:\n  keys:\n", "    - {key: c-@, models: ['*'], budget: {per_day: 5}}", third)


def free_models(n: int) -> str:
    """Whose holders may call models without a price."""
    text = _lines(f"{_OPENAI}    scopes: [{{name: s, keys: [none]}}]\n    models:\n", "      local-@: {}", n // 2)
    each = "  n@: {models: [local-@, local-0*], budget: {per_day: 5}, keys: [k-@]}"
    return _lines(text + "namespaces:\n", each, n // 2)


def pools(n: int) -> str:
    """A pool for each of many providers, kept for tiers and namespaces that have one key."""
    third = n // 3
    text = _lines(_providers(third) + "pools:\n", "  o@: {scopes: [p@/s], only: [n@, free], shares: {n@: 10%}}", third)
    return _lines(text + "namespaces:\n", "  n@: {tier: vip, keys: [key-@]}", third)


def kept_pools(n: int) -> str:
    """Pools of one provider, each kept for one namespace."""
    third = n // 3
    text = _lines(f"{_OPENAI}    scopes:\n", "      - {name: s@, keys: [key-of-s@], limits: {m@: {rpm: 5}}}", third)
    text = _lines(text + "pools:\n", "  o@: {scopes: [openai/s@], only: [n@]}", third)
    return _lines(text + "namespaces:\n", "  n@: {keys: [key-@]}", third)


def shares(n: int) -> str:
    """Of one pool: 0.1 % each, so that at most 1,000 come to a whole."""
    text = _lines(_PROVIDER + "pools:\n  one:\n    scopes: [openai/main]\n    only:\n", "      - n@", n // 3)
    text = _lines(text + "    shares:\n", "      n@: 0.1%", n // 3)
    return _lines(text + "namespaces:\n", "  n@: {keys: [key-@]}", n // 3)


def isolated(n: int) -> str:
    """Namespaces that have a worker of their own, and a scope of one of two providers."""
    third = n // 3
    text = _lines(_providers(1) + "  openai:" + _OPENAI.partition("openai:")[2] + "    scopes:\n",
                  "      - {name: s@, keys: [key-of-s@]}", third)  # fmt: skip
    text = _lines(text + "pools:\n", "  o@: {scopes: [openai/s@], only: [n@]}", third) + "namespaces:\n"
    each = "  n{0:05}: {{keys: [key-{0}], isolation: {{port: {1}}}}}\n"
    return text + "".join(each.format(number, number + 2_000) for number in range(third))


def alerts(n: int) -> str:
    quarter = n // 4
    text = _lines(_PROVIDER + "alerts:\n  rules:\n", "    r@: {metric: limited_seconds, warning: 5}", quarter)
    text = _lines(text + "  channels:\n", "    c@: {kind: command, command: [/bin/true]}", quarter)
    text = _lines(text + "  routes:\n", "    - {channels: [c@], rules: [r@], match: {provider: openai}}", quarter)
    return _lines(text + "  silences:\n", "    - {match: {rule: r@}, since: 2020-01-01, until: 2020-01-02}", quarter)


def cache_rules(n: int) -> str:
    text = _PROVIDER + "cache:\n  groups:\n"
    text = _lines(text, "    g@: {namespaces: [n@]}", n // 3) + "  rules:\n"
    text = _lines(text, "    - {models: [m@, x@*], tags: [t@], ttl: 5}", n // 3) + "namespaces:\n"
    return _lines(text, "  n@: {keys: [key-@]}", n // 3)


def shadows(n: int) -> str:
    text = models(n // 2)
    each = "  s@: {primary_model: m@, shadow: {model: model-@, share: 1%, max_cost_per_day: 1}}"
    return _lines(text, each, n // 2)


def drills(n: int) -> str:
    text = _lines(_PROVIDER, "  s@: {primary_model: m@, fallback_models: [{model: gpt-4o}]}", n // 2) + "drills:\n"
    each = "  d@: {strategies: [s@], judge: gpt-5, prompts: [{prompt: hi, expect: [{contains: [x]}]}]}"
    return _lines(text, each, n // 2)


def degrading(n: int) -> str:
    """Steps to other strategies, and tiers of one's own."""
    text = _lines(_PROVIDER, "  s@: {primary_model: m@, degrade: [{model: chat, tiers: [t@]}]}", n // 2)
    return _lines(text + "tiers:\n", "  t@: {rank: 3}", n // 2)


def queues(n: int) -> str:
    each = "  s@: {primary_model: m@, execution_mode: async, queue_backend: 'redis://h@/0'}"
    return _lines(_PROVIDER, each, n)


def secrets(n: int) -> str:
    """Keys of providers, and addresses with passwords: each is hidden, and where it goes is compared."""
    proxy = "http://u:pw-@#h@:3128"
    each = (
        f"  p@: {{dialect: openai, base_url: 'https://h@/v1', proxy: '{proxy}', scopes: [{{name: s, keys: [key-@]}}]}}"
    )
    return _lines("providers:\n", each, n).replace("#", "@")


RIGHT: Final[tuple[Callable[[int], str], ...]] = (
    namespaces, tenants, strategies, unserved, models, limits, providers, scopes, users, patterns, budgets,
    free_models, pools, kept_pools, shares, isolated, alerts, cache_rules, shadows, drills, degrading, queues,
)  # fmt: skip


def unknown_fields(n: int) -> str:
    return _lines(_PROVIDER + "namespaces:\n", '  n@: {limmits: {rpm: 5}, tier: "${TIER}"}', n)


def unknown_tiers(n: int) -> str:
    text = _lines(_PROVIDER + "tiers:\n", "  t@: {rank: 3}", n // 2)
    return _lines(text + "namespaces:\n", "  n@: {tier: u@}", n // 2)


def unknown_users(n: int) -> str:
    text = _lines(_PROVIDER + "namespaces:\n  big:\n    users:\n", "      u@: {limits: {rpm: 5}}", n // 2)
    return _lines(text + "    keys:\n", "      - {key: key-of-@, user: v@}", n // 2)


def unknown_scopes(n: int) -> str:
    return _lines(_providers(n // 2) + "pools:\n", "  o@: {scopes: [q@/s, p@/t]}", n // 2)


def unknown_words(n: int) -> str:
    """Rules and channels that are not there, words that are none, and the same twice."""
    text = alerts(n).replace("channels: [c", "channels: [d").replace("rules: [r", "rules: [s")
    return text.replace("match: {rule", "match: {role").replace("metric: limited", "metric: limitted")


def unknown_members(n: int) -> str:
    return cache_rules(n).replace("namespaces: [n", "namespaces: [o")


def unknown_profiles(n: int) -> str:
    return _providers(n).replace("dialect: openai", "profile: opnai")


def unknown_strategies(n: int) -> str:
    return drills(n).replace("strategies: [s", "strategies: [t")


def unknown_candidates(n: int) -> str:
    each = "  s@: {primary_model: m@, shadow: {model: x@, share: 1%, max_cost_per_day: 1}}"
    return _lines(_providers(n // 2) + "strategies:\n", each, n // 2)


def regions(n: int) -> str:
    """Too many for the part that each is to have, some twice, and scopes that are not there."""
    text = _providers(n // 3) + "regions:\n  name: r00000\n  store: etcd+http://10.0.0.1\n"
    text = _lines(text + "  all:\n", "    - r@\n    - r@", n // 3)
    return _lines(text + "  scopes:\n", "    - p@/t", n // 3)


def references(n: int) -> str:
    """To variables that are not set, and to some that are, as names and as values."""
    return _lines(_PROVIDER + "namespaces:\n", '  "${N@}": {tier: "${M@}", limits: {rpm: "${KEY}"}}', n)


def twice(n: int) -> str:
    text = _lines(_PROVIDER + "namespaces:\n", "  n@: {keys: [same, {name: a, key: k@}]}", n // 2)
    return _lines(text, "  n@: {keys: [same]}", n // 2)


def merged(n: int) -> str:
    """One mapping that takes what very many others have."""
    text = _PROVIDER + "namespaces:\n  one:\n    limits: {rpm: 1}\n  two:\n    users:\n      <<:\n"
    return _lines(text, "        - {u@: {limits: {rpm: 1}}}", n)


WRONG: Final[tuple[Callable[[int], str], ...]] = (
    unknown_fields, unknown_tiers, unknown_users, unknown_scopes, unknown_words, unknown_members, unknown_profiles,
    unknown_strategies, unknown_candidates, regions, references, twice,
)  # fmt: skip
