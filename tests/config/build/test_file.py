"""Every field of the file arrives in the snapshot, in the snapshot's units."""

import hashlib
from pathlib import Path

import msgspec

from tests.config.conftest import Loads
from tests.config.texts import SMALLEST
from tidegate.config.schema.file import Config
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.alerts import AlertSettings
from tidegate.model.pools import with_rest
from tidegate.model.snapshot import (
    ClientKey,
    JournalSettings,
    Limits,
    ModelEntry,
    QueueSettings,
    RetryPolicy,
    ServerSettings,
    SmoothingPolicy,
    Snapshot,
)

EVERYTHING = """\
providers:
  one:
    dialect: openai
    profile: generic
    base_url: HTTPS://LLM.Example:8443/Base/
    scopes:
      - {name: a, keys: [k1, k2], limits: {m: {rpm: 5}, n: {tpm: 1000000000000}}}
      - {name: b, keys: [k3]}
    models: {m: {tools: false, images: false, context: 8192}, n: {}}
    window: fixed
    jitter_ms: 20
    proxy: http://user:password@proxy.example:3128/
    timeouts: {connect_seconds: 0.25, first_byte_seconds: 30, idle_seconds: 20}
    max_connections: 7
strategies:
  chat:
    primary_model: m
    fallback_models: [{model: p9}, {model: p2, priority: 2}, {model: p1, priority: 1}, {model: p0}]
    rate_limit_policy: {refill_rate: 0.5, bucket_capacity: 3, smoothing: {threshold: 0.5, delay_ms: 20}}
    retry_policy:
      max_retries: 0
      backoff_multiplier: 1.5
      jitter_enabled: false
      base_seconds: 0.1
      cap_seconds: 9
      budget: 0.05
      budget_floor: 0
    deadline_seconds: 30
    fallback_after_seconds: 2.5
  other: {primary_model: n}
defaults:
  retry_policy: {max_retries: 7}
  smoothing: {delay_ms: 0}
  deadline_seconds: 11
  fallback_after_seconds: 12
clients:
  keys: [plain-key, {name: billing, key: billing-key}]
  keys_file: keys.txt
server:
  max_url_bytes: 2048
  max_header_bytes: 4096
  max_body_bytes: 8192
  max_connections: 9
  head_timeout_seconds: 1
  body_timeout_seconds: 2
  idle_timeout_seconds: 3
  write_timeout_seconds: 4
  drain_timeout_seconds: 5
queue: {max_calls: 0}
journal: {fsync: always, segment_bytes: 1024, keep_bytes: 2048}
"""


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def everything(loads: Loads, folder: Path) -> Snapshot:
    (folder / "keys.txt").write_text(f"search {digest('x').hex()}\n")
    return loads(EVERYTHING).snapshot


def test_provider(loads: Loads, tmp_path: Path) -> None:
    """Base URL normalised, profile with the file's window, limits with 0 for what is not stated."""
    (provider,) = everything(loads, tmp_path).providers
    assert (provider.name, provider.base_url) == ("one", "https://llm.example:8443/Base/v1")
    assert (provider.profile.name, provider.profile.window, provider.profile.settles) == ("generic", "fixed", True)
    assert provider.profile.jitter_us == 20_000
    assert [(scope.name, scope.keys) for scope in provider.scopes] == [("a", ("k1", "k2")), ("b", ("k3",))]
    assert provider.scopes[0].limits == {"m": Limits(rpm=5, tpm=0), "n": Limits(rpm=0, tpm=10**12)}
    assert provider.models == {"m": ModelEntry(tools=False, images=False, context=8192), "n": ModelEntry()}
    assert provider.proxy == "http://user:password@proxy.example:3128"
    assert (provider.connect_timeout_us, provider.first_byte_timeout_us) == (250_000, 30_000_000)
    assert (provider.idle_timeout_us, provider.max_connections) == (20_000_000, 7)


def test_strategy(loads: Loads, tmp_path: Path) -> None:
    """Fallbacks by priority, those without one after them in the file's order; the strategy's name is its key."""
    chat, other = everything(loads, tmp_path).strategies
    assert (chat.name, chat.primary_model, other.name, other.primary_model) == ("chat", "m", "other", "n")
    assert chat.fallback_models == ("p1", "p2", "p9", "p0")
    assert (chat.rate_limit.refill_rate_milli, chat.rate_limit.bucket_capacity, chat.rate_limit.max_rpm) == (500, 3, 0)
    assert chat.smoothing == SmoothingPolicy(threshold_permille=500, delay_us=20_000)
    assert chat.retry == RetryPolicy(
        max_retries=0,
        multiplier_milli=1500,
        jitter=False,
        base_us=100_000,
        cap_us=9_000_000,
        budget_permille=50,
        budget_floor=0,
    )
    assert (chat.deadline_us, chat.fallback_after_us) == (30_000_000, 2_500_000)


def test_defaults_are_for_models_only(loads: Loads, tmp_path: Path) -> None:
    """`defaults` serve calls that name a model; a strategy does not inherit from them."""
    snapshot = everything(loads, tmp_path)
    assert snapshot.defaults.retry.max_retries == 7
    assert snapshot.defaults.smoothing.delay_us == 0
    assert (snapshot.defaults.deadline_us, snapshot.defaults.fallback_after_us) == (11_000_000, 12_000_000)
    assert (snapshot.strategies[1].retry, snapshot.strategies[1].deadline_us) == (RetryPolicy(), 120_000_000)


def test_clients(loads: Loads, tmp_path: Path) -> None:
    """Keys are kept as digests only; a bare key gets a name by its number; the file's come first."""
    snapshot = everything(loads, tmp_path)
    assert snapshot.clients == (
        ClientKey("search", digest("x")),
        ClientKey("key-1", digest("plain-key")),
        ClientKey("billing", digest("billing-key")),
    )
    assert b"billing-key" not in msgspec.msgpack.encode(snapshot)


def test_the_rest(loads: Loads, tmp_path: Path) -> None:
    """Server, queue and journal, seconds as microseconds."""
    snapshot = everything(loads, tmp_path)
    assert snapshot.server == ServerSettings(
        tls=None,
        max_url_bytes=2048,
        max_header_bytes=4096,
        max_body_bytes=8192,
        max_connections=9,
        head_timeout_us=1_000_000,
        body_timeout_us=2_000_000,
        idle_timeout_us=3_000_000,
        write_timeout_us=4_000_000,
        drain_timeout_us=5_000_000,
    )
    assert snapshot.queue == QueueSettings(max_calls=0)
    assert snapshot.journal == JournalSettings(fsync="always", segment_bytes=1024, keep_bytes=2048)


def test_defaults_agree_with_the_snapshot(loads: Loads) -> None:
    """A file that leaves everything out comes to the snapshot's own defaults."""
    snapshot = loads(SMALLEST).snapshot
    pools = with_rest((), snapshot.providers)
    alerts = AlertSettings(rules=BUILT_IN_RULES)  # which a snapshot alone does not bring
    plain = Snapshot(version=0, providers=snapshot.providers, pools=pools, warnings=snapshot.warnings, alerts=alerts)
    assert snapshot == plain
    provider = snapshot.providers[0]
    bare = {
        "name": provider.name,
        "base_url": provider.base_url,
        "profile": provider.profile,
        "scopes": provider.scopes,
        "models": provider.models,
        "price_list": provider.price_list,
    }
    assert provider == type(provider)(**bare)  # type: ignore[arg-type]


def test_model_strategy_is_named_by_its_primary(loads: Loads) -> None:
    """`model_strategy` stands beside `strategies`, first, under its primary model's name."""
    text = "model_strategy: {primary_model: m}\nstrategies: {s: {primary_model: n}}\n"
    assert [strategy.name for strategy in loads(text).snapshot.strategies] == ["m", "s"]


def test_an_empty_schema_is_complete() -> None:
    """No part of the schema needs a value that a file may leave out."""
    assert Config.model_validate({}) == Config()
