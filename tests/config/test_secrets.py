"""Whatever stands in a value of a broken file, nothing that is said about the file shows it."""

import argparse
import contextlib
import io
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.cli import check
from tidegate.config import loader

FULL: dict[str, Any] = {
    "providers": {
        "a": {
            "dialect": "openai",
            "profile": "openai",
            "base_url": "https://one.example/v1",
            "scopes": [
                {"name": "main", "keys": ["key-1", "${KEY}", "x${KEY:-default}"], "limits": {"m": {"rpm": "9"}}}
            ],
            "models": {"m": {"tools": "true", "context": "8"}},
            "window": "fixed",
            "ca_file": "ca.pem",
            "proxy": "http://user:password@proxy.example:3128",
            "timeouts": {"connect_seconds": "5"},
        },
        "b": "not a mapping",
    },
    "model_strategy": {
        "primary_model": "m",
        "fallback_models": [{"model": "n", "priority": "1"}, "o"],
        "rate_limit_policy": {"throttle_type": "token_bucket", "max_rpm": "x", "smoothing": "y"},
        "execution_mode": "sync",
        "queue_backend": "redis://user:password@localhost:6379/0",
        "unknown": "value",
    },
    "strategies": {
        "s": {
            "primary_model": "m",
            "caching": {"enabled": "yes"},
            "degrade": [{"model": "t", "tiers": ["free", "frei"]}, {"clamp_max_tokens": "9"}],
        },
        "t": {"primary_model": "o", "fallback_models": [{"model": "s"}, {"model": "t"}]},
    },
    "defaults": {"scheduler": "x", "pick": "y", "degrade": [{"model": "m"}]},
    "tiers": {"gold": {"rank": "1", "weight": "2"}},
    "namespaces": {
        "acme": {"tier": "vip", "keys": ["acme-1", {"name": "web", "key": "client-1"}]},
        "globex": {"tier": "none", "weight": "2", "keys": ["acme-1"]},
    },
    "pools": {
        "p": {"scopes": ["a/main", "a/other"], "only": ["vip", "two", "nobody"], "scheduler": "dynamic"},
        "q": {"scopes": ["a/main", "none"], "pick": "headroom", "shares": {"acme": "60%", "free": "50%", "two": "x"}},
    },
    "clients": {"keys": ["client-1", {"name": "two", "key": "client-2"}], "keys_file": "keys.txt"},
    "server": {"tls": {"certificate": "cert.pem", "key": "key.pem"}},
    "journal": {"fsync": "never"},
    "queue": {"max_calls": -1},
}

ACCESS: dict[str, Any] = {
    "providers": {
        "a": {
            "models": {
                "n": {"price": {"input": "1", "output": "x", "per": "1k", "currency": "EUR"}},
                "o": {"price": {"tiers": [{"above": "9", "input": "2.5"}], "service_tiers": {"flex": "50%"}}},
            },
        },
    },
    "namespaces": {
        "acme": {
            "keys": [
                {"name": "web", "key": "client-1", "user": "ann", "models": ["m*"], "addresses": ["10.0.0.0/8"]},
                {"key": "client-3", "signing": "off", "not_before": "2027-01-02", "expires": "2027-01-01"},
                {"name": "web", "key": "client-4"},
            ],
            "users": {"bob": {"models": ["m"], "budget": {"per_day": "1"}, "limits": {"rpm": "1"}}},
            "by_model": {"m": {"budget": {"per_month": "many"}}},
            "timezone": "Asia/Shanghai",
            "on_revoked": "finish",
            "stored_objects": True,
            "isolation": {"port": "8090", "cpu": "70%"},
        },
    },
    "access": {"per_address": {"rpm": "1"}, "prefix6": "64", "trusted_proxies": ["10.0.0.1/8"]},
    "signing": {"skew_seconds": "5"},
    "money": {"currency": "USD", "exchange": {"CNY": "x"}},
    "ledger": {"database": "mysql://user:password@host/name", "on_journal_failure": "stop", "alarm_bytes": "1"},
}

JOBS: dict[str, Any] = {
    "jobs": {
        "database": "postgresql://user:password@host/jobs",
        "files": "files",
        "queue_backend": "sqlite:///jobs.db",
        "on_backend_failure": "queue",
        "runners": "1",
        "gate_url": "http://gate",
        "lease_seconds": "6",
        "deadline_seconds": "24h",
        "cap_seconds": "x",
        "webhooks": {
            "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
            "allow": ["hooks", "10.0.0.0/8"],
            "attempts": "8",
        },
    },
    "strategies": {
        "s": {"primary_model": "m", "execution_mode": "async", "queue_backend": "amqp://user:password@host/vhost"},
        "t": {"primary_model": "n", "queue_backend": "sqlite:///other.db"},
    },
}

Steps = tuple[str | int, ...]


def positions(value: Any, steps: Steps = ()) -> list[Steps]:
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in positions(item, (*steps, name))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in positions(item, (*steps, index))]
    return [steps] if isinstance(value, str) else []


def replaced(document: Any, steps: Steps, text: str) -> Any:
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = text
    return copy


def said_of(path: Path, *, thoroughly: bool = False) -> str:
    """What `check` prints about a file; thoroughly: what `check --json` and the loader print, too."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert check.run(argparse.Namespace(file=str(path), json=False)) == 2
        if thoroughly:
            assert check.run(argparse.Namespace(file=str(path), json=True)) == 2
            with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):  # frames, for the supervisor only
                assert loader.main([str(path)]) == 2
    return said.getvalue()


SECRETS = st.text(string.ascii_letters + string.digits + " .:/@?#%&=+-_!*'\"{}[]|>äß密\n\t", max_size=24).map(
    "Zq7{}Qz".format
)
TORN = (
    "clients:\n  keys: [{}\n",
    'clients:\n  keys: ["{}]\n',
    "clients:\n  keys: ['{}]\n",
    "clients: *{}\n",
    "clients: !{} x\n",
    "clients: &{} 1\nqueue: &{} 2\nserver: 1\n",
    "clients: {}: x\n",
    "\t{}: 1\n",
    "- {}\nclients: 1\n",
    "%{}\nclients: 1\n",
    "clients: |1{}\n",
    "clients: @{}\n",
    'clients: "\\q{}"\n',
    "{}\n",
    "--- {}\n--- x\n",
)
FAST = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


PLACES = [(document, steps) for document in (FULL, ACCESS, JOBS) for steps in positions(document)]


@pytest.mark.parametrize(
    ("document", "steps"), PLACES, ids=[".".join(str(step) for step in steps) for _, steps in PLACES]
)
def test_no_position_shows_its_value(
    document: Any, steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each string of a file with many errors, in turn."""
    monkeypatch.setenv("KEY", "Zq7-from-the-environment")
    path = tmp_path / "gate.yaml"
    path.write_text(json.dumps(replaced(document, steps, "Zq7-in-the-file")))
    assert "Zq7" not in said_of(path)


@pytest.mark.parametrize("full", [FULL, ACCESS])
def test_no_way_of_printing_shows_a_value(full: Any, tmp_path: Path) -> None:
    """Lines, JSON and the loader's lines, with a secret in every position at once."""
    document = full
    for steps in positions(full):
        document = replaced(document, steps, "Zq7-in-the-file")
    path = tmp_path / "gate.yaml"
    path.write_text(json.dumps(document))
    said = said_of(path, thoroughly=True)
    assert len(said.splitlines()) > 30
    assert "Zq7" not in said


@FAST
@given(place=st.sampled_from(PLACES), secret=SECRETS)
def test_no_text_slips_through(place: tuple[Any, Steps], secret: str, tmp_path: Path) -> None:
    """Any text, with quotes, brackets, line breaks and letters of other scripts, in any position."""
    path = tmp_path / "gate.yaml"
    path.write_text(json.dumps(replaced(*place, secret)), encoding="utf-8")
    said = said_of(path)
    assert "Zq7" not in said


@FAST
@given(text=st.sampled_from(TORN), secret=st.text(string.ascii_letters + string.digits, min_size=1, max_size=20))
def test_no_syntax_error_quotes_the_file(text: str, secret: str, tmp_path: Path) -> None:
    """Files that are no YAML at all."""
    path = tmp_path / "gate.yaml"
    path.write_text(text.replace("{}", f"Zq7{secret}"))
    assert "Zq7" not in said_of(path)
