"""Our own gate: a provider, a scope and a strategy for each model, two namespaces of equal right."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tidegate import __version__
from tidegate.judge.recipes.gateway import Gateway, Wish, free_port, running, valkey
from tidegate.judge.setup import FREE, KEYS, PATIENCE_S, ROUTES, SILENCE_S, Route, Setup, account
from tidegate.load.children import ChildError

_DEADLINE_S = PATIENCE_S - 2  # what cannot be answered while its client waits is refused at once


def settings(setup: Setup, shared: str = "") -> dict[str, Any]:
    """The gate's file; `shared`: the URL of what replicas share."""
    providers, strategies = dict[str, Any](), dict[str, Any]()
    for one in ROUTES:
        providers[one.model] = _provider(setup, one)
        if one.spare:
            providers[one.spare] = _provider(setup, Route(one.spare, FREE, FREE * 1_000))
            strategies[one.model] = {
                "primary_model": one.model,
                "fallback_models": [{"model": one.spare, "priority": 1}],
                "deadline_seconds": _DEADLINE_S,
                "fallback_after_seconds": _DEADLINE_S // 2,
            }
    spaces = {name: {"keys": [key]} for name, key in zip(("first", "second"), KEYS, strict=True)}
    tree = {"providers": providers, "strategies": strategies, "namespaces": spaces}
    tree["defaults"] = {"deadline_seconds": _DEADLINE_S, "fallback_after_seconds": _DEADLINE_S // 2}
    return tree | ({"cluster": {"url": shared}} if shared else {})


def _provider(setup: Setup, route: Route) -> dict[str, Any]:
    limits = {"rpm": route.rpm}
    limits |= {"itpm": route.tpm, "otpm": FREE * 1_000} if setup.dialect == "anthropic" else {"tpm": route.tpm}
    return {
        "dialect": setup.dialect,
        "base_url": setup.base_url,
        "window": setup.window,
        "jitter_ms": 100,  # what a machine with everything on it adds to the way
        "scopes": [{"name": "main", "keys": [account(route.model)], "limits": {route.model: limits}}],
        "timeouts": {"first_byte_seconds": SILENCE_S, "idle_seconds": SILENCE_S},
    }


@contextlib.asynccontextmanager
async def tidegate(wish: Wish) -> AsyncIterator[Gateway]:
    """So many nodes with so many workers each. Raises `ChildError`."""
    program = [wish.program] if wish.program else [sys.executable, "-m", "tidegate"]
    async with contextlib.AsyncExitStack() as stack:
        shared = f"redis://127.0.0.1:{await stack.enter_async_context(valkey(wish))}/0" if wish.replicas > 1 else ""
        config = wish.home / "tidegate.yaml"
        config.write_text(json.dumps(settings(wish.setup, shared), indent=1), encoding="utf-8")
        ports = [(free_port(), free_port()) for _ in range(wish.replicas)]
        for number, (port, admin) in enumerate(ports):
            command = [*program, "serve", "-c", str(config), "--port", str(port), "--admin-port", str(admin)]
            command += ["--workers", str(wish.workers), "--state-dir", str(wish.home / f"state-{number}")]
            command += ["--node", f"node-{number}"] if shared else []
            await stack.enter_async_context(running(wish, f"tidegate-{number}", command, port))
        words = f"{wish.replicas} × {wish.workers} worker{'s' if wish.workers > 1 else ''}"
        more = _managed(program, wish, ports[0][1]) if wish.replicas == 1 else {}
        yield Gateway(
            f"Tidegate {__version__}, {words}",
            tuple(f"http://127.0.0.1:{port}/v1" for port, _ in ports),
            f"providers, strategies and namespaces as the recipe writes them; deadline {_DEADLINE_S} s",
            KEYS,
            usage_urls=tuple(f"http://127.0.0.1:{admin}/metrics" for _, admin in ports),
            usage_metrics=("tidegate_tokens_total{kind=prompt}", "tidegate_tokens_total{kind=completion}"),
            **more,
        )


def _managed(program: list[str], wish: Wish, admin: int) -> Mapping[str, Any]:
    """A key that is made at run time, and the command that revokes it."""
    url, state = f"http://127.0.0.1:{admin}", wish.home / "state-0"
    token = _said([*program, "admin", "token", "--state-dir", str(state), "-c", str(wish.home / "tidegate.yaml")], {})
    file = Path(wish.home / "admin-token")
    file.touch(mode=0o600)
    file.write_text(token, encoding="utf-8")
    connection = ["--admin-url", url, "--token-file", str(file)]
    _said([*program, "namespaces", "create", "judged", *connection], {})
    made = _said([*program, "keys", "create", "judged", "revocable", "--json", *connection], {})
    key = json.loads(made)
    name = str(key["name"]).rpartition("/")[2]
    return {
        "revocable": str(key["key"]),
        "revoke_command": shlex.join([*program, "keys", "revoke", "judged", name, *connection]),
    }


def _said(command: list[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env}, timeout=60)
    if done.returncode:
        raise ChildError(f"{' '.join(command[-4:])}: {done.stderr.strip()[-300:]}")
    return done.stdout.split()[-1] if "token" in command else done.stdout
