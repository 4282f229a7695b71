"""A gate with tenants, jobs, alerts and drills before a twin, and traffic that gives its pages something to show."""

import asyncio
import contextlib
import itertools
import json
import select
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2

from harness.supervised import START
from harness.twin import Twin
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import TOKEN

TWIN_TREE: dict[str, Any] = {
    "limits": {"rpm": 3_000, "tpm": 150_000},  # as the gate knows them
    "timing": {"ttft_ms": 20, "tpot_ms": 1, "tokens": 20},
    "models": [
        {"name": "gpt-4o"},
        {"name": "gpt-4o-mini"},
        {"name": "gpt-3.5-turbo"},
        {"name": "claude-3-haiku", "provider": "anthropic"},
    ],
}
CONFIG = """\
# The gate of the browser's tests.
providers:
  openai:
    dialect: openai
    base_url: {openai}
    scopes:
      - name: main
        keys: [sk-main-1, sk-main-2]
        limits:
          gpt-4o: {{rpm: 3000, tpm: 150000}}   # as bought
          gpt-4o-mini: {{rpm: 3000, tpm: 150000}}
      - name: second
        keys: [sk-second]
        limits:
          gpt-3.5-turbo: {{rpm: 3000, tpm: 150000}}
    models:
      gpt-4o: {{price: {{input: "2.5", output: "10"}}}}
      gpt-4o-mini: {{price: {{input: "0.15", output: "0.6"}}}}
      gpt-3.5-turbo: {{price: {{input: "0.5", output: "1.5"}}}}
  anthropic:
    dialect: anthropic
    base_url: {anthropic}
    scopes:
      - name: main
        keys: [sk-ant]
        limits:
          claude-3-haiku: {{rpm: 1000, itpm: 100000, otpm: 20000}}
strategies:
  assistant:
    primary_model: gpt-4o-mini
    fallback_models:
      - model: gpt-3.5-turbo
        priority: 1
    caching: {{enabled: true, ttl_seconds: 600}}
  report:
    primary_model: gpt-4o-mini
    execution_mode: async
namespaces:
  web:
    keys:
      - {{name: web-app, key: sk-web-application}}
    users: {{ann: {{}}, bob: {{}}}}
    limits: {{rpm: 6000, tpm: 2000000}}
    budget: {{per_day: 20}}
  nightly:
    keys:
      - {{name: nightly-app, key: sk-nightly-application}}
    tier: batch
    limits: {{rpm: 2}}
jobs: {{}}
drills:
  core:
    strategies: [assistant]
    faults: []
    prompts:
      - {{name: refund, prompt: How long does a refund take?, max_tokens: 32, expect: [{{contains: [t1]}}]}}
alerts:
  rules:
    error_rate_percent: {{warning: 5, critical: 20, for_seconds: 0}}
  channels:
    ops:
      kind: webhook
      url: http://127.0.0.1:9/alerts
      secret: whsec_ZG8gbm90IHVzZSB0aGlzIG9uZSBhbnl3aGVyZQ==
      timeout_seconds: 1
"""


class Room:
    """What a test has before it: processes, a way to ask the admin API, and applications that call."""

    def __init__(self, folder: Path, twin: Twin, text: str = CONFIG, *options: str) -> None:
        base = twin.url.removesuffix("/openai/v1")
        self.twin = twin
        self.gate = Gate(folder, text.format(openai=twin.url, anthropic=f"{base}/anthropic"), *options)
        self.token = self._first_token()
        self.client = httpx2.AsyncClient(verify=False, timeout=START)
        self.named: dict[str, str] = {}  # what tokens are called
        self._numbers = itertools.count()

    def _first_token(self) -> str:
        """As soon as its log shows it. A busy machine takes several times what a gate's own tests wait for a line."""
        until = time.monotonic() + START
        while (found := TOKEN.search(self.gate.log())) is None:
            if time.monotonic() > until:
                self.gate.close()
                raise AssertionError("the gate shows no admin token")
            select.select([], [], [], 0.05)
        return found[1]

    @property
    def url(self) -> str:
        """Where the control room is."""
        return f"http://127.0.0.1:{self.gate.admin_port}"

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The admin API, with the first token."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.client.request(method, f"{self.url}/admin/v1{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def asked(self, path: str, condition: Any) -> Any:
        """What the admin API tells as soon as it is so."""
        async with asyncio.timeout(START):
            while not condition(found := await self.ask("GET", path)):
                await asyncio.sleep(0)
        return found

    async def role(self, role: str, namespace: str = "") -> str:
        """A new token of this role."""
        body = {"name": f"{role}-{next(self._numbers)}", "role": role} | ({"namespace": namespace} if namespace else {})
        token = str((await self.ask("POST", "/tokens", body))["token"])
        self.named[token] = body["name"]
        return token

    async def call(
        self, model: str, key: str = "sk-web-application", text: str = "", deadline_ms: int = 0, **more: Any
    ) -> int:
        """One call of an application; its status."""
        body = {"model": model, "messages": [{"role": "user", "content": text or f"Say {next(self._numbers)}"}]}
        headers = {"authorization": f"Bearer {key}"}
        if deadline_ms:
            headers["x-tidegate-deadline-ms"] = str(deadline_ms)
        answer = await self.client.post(
            f"{self.gate.url}/chat/completions", json=body | {"max_tokens": 20} | more, headers=headers
        )
        return answer.status_code

    async def seed(self) -> None:
        """Calls of every kind: answered, streamed, kept, moved, refused, failed; and a job."""
        await asyncio.gather(*(self.call("gpt-4o", max_tokens=200) for _ in range(12)))
        await self.call("gpt-4o-mini", stream=True)
        for _ in range(2):
            await self.call("assistant", text="the same question")
        self.twin.fault({"fault": "500", "match": {"model": "gpt-4o-mini"}, "count": 4})
        await self.call("assistant", text="another question")
        self.twin.fault({"fault": "500", "match": {"model": "claude-3-haiku"}, "count": 1})
        await self.call("claude-3-haiku")
        self.twin.fault()
        deadline = {"authorization": "Bearer sk-nightly-application", "x-tidegate-deadline-ms": "200"}
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "more than it may"}], "max_tokens": 5}
        for _ in range(4):
            await self.client.post(f"{self.gate.url}/chat/completions", json=body, headers=deadline)
        patient = {"authorization": "Bearer sk-web-application", "prefer": "respond-async"}
        answer = await self.client.post(f"{self.gate.url}/chat/completions", json=body, headers=patient)
        assert answer.status_code in {202, 503}, answer.text  # the desk begins after the workers
        await self.asked("/calls?limit=50", lambda found: len(json.dumps(found)) > 4_000)

    @contextlib.asynccontextmanager
    async def traffic(self, per_second: int = 10) -> AsyncIterator[None]:
        """Calls that go on meanwhile."""
        over = asyncio.Event()

        async def drive() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 1 / per_second)
                model = ("gpt-4o", "gpt-4o", "gpt-4o-mini", "assistant")[next(self._numbers) % 4]
                calls.add(asyncio.ensure_future(self.call(model, max_tokens=450)))

        calls: set[asyncio.Future[int]] = set()
        driver = asyncio.ensure_future(drive())
        try:
            yield
        finally:
            over.set()
            await driver
            await asyncio.gather(*calls, return_exceptions=True)

    async def below(self, place: str) -> str:
        """An address below a page, with the numbers of this room."""
        if "{call}" in place:
            return place.format(call=(await self.ask("GET", "/calls?limit=1"))["calls"][0]["id"])
        if "{job}" in place:
            return place.format(job=(await self.ask("GET", "/jobs"))["jobs"][0]["id"])
        if "{alert}" in place:
            return place.format(alert=await self.alert())
        return place

    async def alert(self) -> str:
        """One that is on, or was: all calls of a model fail until it is."""
        if not (known := await self.ask("GET", "/alerts/history")):
            self.twin.fault({"fault": "500", "match": {"model": "claude-3-haiku"}})
            await asyncio.gather(*(self.call("claude-3-haiku", deadline_ms=2_000) for _ in range(20)))
            self.twin.fault()
            known = await self.asked("/alerts", bool)
        return str(known[0].get("alert") or known[0]["id"])

    async def close(self) -> None:
        await self.client.aclose()
        self.gate.close()
