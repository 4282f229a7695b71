"""LiteLLM's proxy: limits enforced by its router, priorities for tenants, retries and fallbacks; Redis for replicas."""

import contextlib
import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tidegate.judge.recipes.gateway import Gateway, Wish, free_port, running, valkey
from tidegate.judge.setup import FREE, KEYS, ROUTES, SILENCE_S, Route, Setup, account
from tidegate.load.children import ChildError

PROGRAM = "litellm"
_RETRIES = 2
_ENV = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MASTER_KEY": "sk-judge-master",
}
_AUTH = '''"""Two tenants without a database: docs.litellm.ai, "Custom Auth"."""

from litellm.proxy._types import UserAPIKeyAuth

TENANTS = {tenants!r}


async def user_api_key_auth(request, api_key):
    tenant = TENANTS.get(api_key)
    if tenant is None:
        raise Exception("unknown key")
    return UserAPIKeyAuth(api_key=api_key, user_id=tenant, metadata={{"priority": tenant}})
'''


def settings(setup: Setup, redis_port: int = 0) -> dict[str, Any]:
    """Its file. Its cooldown stays as it is, and so do all settings that are not named."""
    models = []
    for one in ROUTES:
        models.append(_model(setup, one))
        if one.spare:
            models.append(_model(setup, Route(one.spare, FREE, FREE * 1_000)))
    router: dict[str, Any] = {
        "num_retries": _RETRIES,
        "enable_pre_call_checks": True,
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
        "fallbacks": [{one.model: [one.spare]} for one in ROUTES if one.spare],
    }
    if redis_port:
        router |= {"redis_host": "127.0.0.1", "redis_port": redis_port}
    proxy: dict[str, Any] = {"telemetry": False, "set_verbose": False, "callbacks": ["dynamic_rate_limiter_v3"]}
    proxy["priority_reservation"] = {"first": 0.5, "second": 0.5}
    if redis_port:
        proxy |= {"cache": True, "cache_params": {"type": "redis", "host": "127.0.0.1", "port": redis_port,
                                                  "supported_call_types": []}}  # fmt: skip
    general = {"custom_auth": "judge_auth.user_api_key_auth"}
    return {"model_list": models, "router_settings": router, "litellm_settings": proxy, "general_settings": general}


def _model(setup: Setup, route: Route) -> dict[str, Any]:
    base = setup.base_url if setup.dialect == "openai" else setup.base_url.removesuffix("/v1")
    params: dict[str, Any] = {
        "model": f"{setup.dialect}/{route.model}", "api_base": base, "api_key": account(route.model),
        "timeout": SILENCE_S, "stream_timeout": SILENCE_S,
    }  # fmt: skip
    params |= {"rpm": route.rpm} if route.rpm < FREE else {}
    params |= {"tpm": route.tpm} if route.tpm < FREE * 1_000 else {}
    return {"model_name": route.model, "litellm_params": params}


@contextlib.asynccontextmanager
async def litellm(wish: Wish) -> AsyncIterator[Gateway]:
    """So many processes over one Valkey. Raises `ChildError`."""
    program = wish.program or PROGRAM
    version = _version(program)
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(valkey(wish)) if wish.replicas > 1 else 0
        config = wish.home / "config.yaml"
        config.write_text(json.dumps(settings(wish.setup, redis), indent=1), encoding="utf-8")
        tenants = dict(zip(KEYS, ("first", "second"), strict=True))
        (wish.home / "judge_auth.py").write_text(_AUTH.format(tenants=tenants), encoding="utf-8")
        ports = [free_port() for _ in range(wish.replicas)]
        for number, port in enumerate(ports):
            command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
            command += ["--num_workers", str(wish.workers)]
            await stack.enter_async_context(running(wish, f"litellm-{number}", command, port, _ENV))
        yield Gateway(
            f"LiteLLM {version}, {wish.replicas} × {wish.workers}" + (" over one Valkey" if redis else ""),
            tuple(f"http://127.0.0.1:{port}/v1" for port in ports),
            f"enforce_model_rate_limits, dynamic_rate_limiter_v3 with half for each tenant, {_RETRIES} retries, "
            f"fallbacks, timeout {SILENCE_S} s; keys by custom_auth (its own need a PostgreSQL)",
            KEYS,
        )


def _version(program: str) -> str:
    """As its own metadata say; reading them starts nothing."""
    for path in sorted(Path(program).resolve().parent.parent.glob("lib/python*/site-packages/litellm-*.dist-info")):
        return path.name.removeprefix("litellm-").removesuffix(".dist-info")
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=120).stdout
    except OSError as error:
        raise ChildError(f"{program}: {error}; install it, or say where it is by --program") from error
    found = re.search(r"\d+\.\d+[\w.]*", said)
    return found[0] if found else "of unknown version"
