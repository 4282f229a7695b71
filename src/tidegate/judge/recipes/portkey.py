"""Portkey's gateway: its configuration travels in a header of each request; retries, fallbacks and a time-out."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tidegate.judge.client import Headers
from tidegate.judge.recipes.gateway import Gateway, Wish, free_port, running
from tidegate.judge.setup import KEYS, ROUTES, SILENCE_S, Setup
from tidegate.load.children import ChildError

PROGRAM = "node_modules/@portkey-ai/gateway"
_RETRIES = 2
_STATUSES = [429, 500, 502, 503, 504, 529]


def headers(setup: Setup) -> Headers:
    """Its `x-portkey-config` by model."""
    single = _target(setup, "{model}")
    both = {
        "strategy": {"mode": "fallback"},
        "targets": [_target(setup, "{model}"), _target(setup, "{model}-spare")],
    }
    patterns = {"judge-*": {"x-portkey-config": json.dumps(single)}}
    patterns |= {one.model: {"x-portkey-config": json.dumps(both)} for one in ROUTES if one.spare}
    return Headers(patterns)


def _target(setup: Setup, model: str) -> dict[str, Any]:
    return {
        "provider": setup.dialect,
        "api_key": f"sk-{model}",
        "custom_host": setup.base_url,
        "override_params": {"model": model},
        "request_timeout": SILENCE_S * 1_000,
        "retry": {"attempts": _RETRIES, "on_status_codes": _STATUSES},
    }


@contextlib.asynccontextmanager
async def portkey(wish: Wish) -> AsyncIterator[Gateway]:
    """So many processes, which share nothing. Raises `ChildError`."""
    folder = Path(wish.program or PROGRAM)
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except OSError as error:
        raise ChildError(f"{error}; npm install @portkey-ai/gateway, or say where it is by --program") from error
    env = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    async with contextlib.AsyncExitStack() as stack:
        ports = [free_port() for _ in range(wish.replicas)]
        for number, port in enumerate(ports):
            command = ["node", str(folder / "build" / "start-server.js"), "--headless", f"--port={port}"]
            await stack.enter_async_context(running(wish, f"portkey-{number}", command, port, env))
        yield Gateway(
            f"Portkey {version}, {wish.replicas} process{'es' if wish.replicas > 1 else ''}",
            tuple(f"http://127.0.0.1:{port}/v1" for port in ports),
            f"{_RETRIES} retries, fallback strategy, request_timeout {SILENCE_S} s; "
            "its open gateway keeps neither limits nor keys",
            KEYS[:1],
            headers=headers(wish.setup),
        )
