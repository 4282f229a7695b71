"""Azure, DashScope and Gemini: their paths, their keys, what their headers and refusals say."""

import json

import openai
import pytest

USER = [{"role": "user", "content": "three short words"}]


def body(model, **fields):
    return json.dumps({"model": model, "messages": USER} | fields).encode()


@pytest.mark.parametrize(
    ("path", "query"),
    [("/azure/openai/deployments/gpt-4o/chat/completions", "?api-version=2024-10-21"),
     ("/azure/openai/v1/chat/completions", "")],
)  # fmt: skip
async def test_azure_has_two_forms(http, path, query):
    """The deployment of the path counts; `api-key` is the key."""
    name = "whatever" if "deployments" in path else "gpt-4o"
    reply = await http.request("POST", path + query, body(name, max_tokens=3), authorization="", **{"api-key": "k"})
    assert reply.status == 200, reply.body
    assert reply.json["model"] == "gpt-4o"
    assert reply.headers["x-ratelimit-renewalperiod-tokens"] == "60"
    assert reply.headers["x-ratelimit-reset-tokens"].isdigit()
    row = (await http.ledger())["by_model"]["azure/gpt-4o"]
    assert (row["calls"], row["charged_tokens"]) == (1, 10 + 3)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/azure/openai/deployments/gpt-4o/chat/completions", 404, "404"),
        ("/azure/openai/deployments/gpt-9/chat/completions?api-version=1", 404, "DeploymentNotFound"),
    ],
)
async def test_azure_refuses_in_its_own_words(http, path, status, code):
    """A code and a message."""
    reply = await http.request("POST", path, body("x"))
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert (await http.request("POST", path, body("x"), authorization="")).status in {401, 404}


async def test_azure_lies_while_its_tokens_are_exhausted(twins, clients):
    """`retry-after-ms: 0`; and its counter begins anew with the clock's minute."""
    http = clients(await twins(limits={"tpm": 20}))
    path = "/azure/openai/v1/chat/completions"
    replies = [await http.request("POST", path, body("gpt-4o", max_tokens=9)) for _ in range(2)]
    if replies[-1].status == 200:  # the minute was just over
        replies.append(await http.request("POST", path, body("gpt-4o", max_tokens=9)))
    refused = replies[-1]
    assert (refused.status, refused.json["error"]["code"]) == (429, "429")
    assert refused.headers["retry-after-ms"] == "0"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ratelimit-reset-tokens"] == "0"
    assert refused.headers["x-ratelimit-type"] == "tokens"
    assert "token rate limit" in refused.json["error"]["message"]


async def test_azure_by_the_official_sdk(twin):
    """Its stream begins with an event that has no choices."""
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=twin.base("azure"), api_key="k", api_version="2024-10-21", max_retries=0
    ) as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=3, stream=True)
        chunks = [chunk async for chunk in stream]
    assert chunks[0].choices == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[1:]) == " t1 t2 t3"


@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        ({"rpm": 1}, "Throttling.RateQuota", "Requests rate limit exceeded"),
        ({"tpm": 10}, "Throttling.AllocationQuota", "Allocated quota exceeded"),
    ],
)
async def test_dashscope_says_it_by_its_code_alone(twins, clients, limits, code, words):
    """No header tells of limits or times."""
    http = clients(await twins(limits=limits))
    path = "/dashscope/compatible-mode/v1/chat/completions"
    replies = [await http.request("POST", path, body("qwen-plus", max_tokens=5)) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    assert not [name for reply in replies for name in reply.headers if "ratelimit" in name or "retry" in name]
    assert replies[1].json["error"]["code"] == code
    assert words in replies[1].json["error"]["message"]
    assert (await http.ledger())["by_model"]["qwen-plus"]["avoidable"] == 1


async def test_dashscope_thinks_aloud(http):
    """Where it is asked to."""
    path = "/dashscope/compatible-mode/v1/chat/completions"
    raw = body("qwen-plus", enable_thinking=True, max_tokens=40)
    message = (await http.request("POST", path, raw)).json["choices"][0]["message"]
    assert message["reasoning_content"].split()[0] == "h1"
    raw = body("qwen-plus", enable_thinking=True, max_tokens=40, stream=True)
    deltas = [one["choices"][0]["delta"] for one in (await http.request("POST", path, raw)).events[:-1]]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == message["reasoning_content"]
    assert "".join(delta.get("content") or "" for delta in deltas) == message["content"]


@pytest.mark.parametrize(
    ("limits", "quota", "delay"),
    [
        ({"rpm": 2}, "GenerateRequestsPerMinutePerProjectPerModel", None),
        ({"tpm": 25}, "GenerateContentInputTokensPerModelPerMinute", None),
        ({"rpd": 2}, "GenerateRequestsPerDayPerProjectPerModel", "19s"),
    ],
)
async def test_gemini_says_it_in_details(twins, clients, limits, quota, delay):
    """Which quota, and when; about a day it lies."""
    http = clients(await twins(limits=limits))
    path = "/gemini/v1beta/openai/chat/completions"
    replies = [await http.request("POST", path, body("models/gemini-2.5-flash")) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    (error,) = [row["error"] for row in replies[2].json]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    failure, retry = error["details"]
    assert failure["violations"][0]["quotaId"] == quota
    assert retry["@type"].endswith("RetryInfo")
    assert retry["retryDelay"] == delay if delay else float(retry["retryDelay"].removesuffix("s")) <= 60


async def test_gemini_refuses_keys_with_400(http):
    """As the real one does."""
    reply = await http.request("POST", "/gemini/v1beta/openai/chat/completions", body("x"), authorization="")
    assert (reply.status, reply.json[0]["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("provider", "fault", "status", "words"),
    [
        ("openai", "insufficient_quota", 429, '"code":"insufficient_quota"'),
        ("openai", "spend_limit", 429, "project_spend_limit_exceeded"),
        ("anthropic", "spend_limit", 429, "enforced_spend_limit_reached"),
        ("anthropic", "usage_limit", 400, "You have reached your specified API usage limits"),
        ("anthropic", "529", 529, '"type":"overloaded_error"'),
        ("anthropic", "500", 500, '"type":"api_error"'),
        ("anthropic", "slow_down", 429, "maximum usage increase rate"),
        ("anthropic", "status", 413, '"type":"request_too_large"'),
        ("azure", "403", 403, "Out of call volume quota"),
        ("azure", "capacity", 429, "high demand"),
        ("dashscope", "insufficient_quota", 429, "You exceeded your current quota"),
        ("dashscope", "429", 429, "You exceeded your current requests list"),
        ("dashscope", "slow_down", 429, "Throttling.BurstRate"),
        ("dashscope", "spend_limit", 400, "Arrearage"),
        ("gemini", "429", 429, '"retryDelay":"27s"'),
        ("gemini", "day_quota", 429, '"retryDelay":"19s"'),
        ("gemini", "503", 503, '"status":"UNAVAILABLE"'),
    ],
)
async def test_faults_are_said_in_the_words_of_the_provider(http, provider, fault, status, words):
    """And strike nobody else."""
    rule = {"fault": fault, "match": {"provider": provider}} | ({"status": status} if fault == "status" else {})
    await http.control("POST", "/twin/faults", [rule])
    reply = await http.request("POST", *CALLS[provider], **{"anthropic-version": "2023-06-01"})
    assert reply.status == status
    assert words in reply.body.decode()
    other = "gemini" if provider == "openai" else "openai"
    assert (await http.request("POST", *CALLS[other])).status == 200
    if provider == "anthropic":
        assert reply.json["request_id"] == reply.headers["request-id"]


CALLS = {
    "openai": ("/openai/v1/chat/completions", body("gpt-4o", max_tokens=5)),
    "anthropic": ("/anthropic/v1/messages", body("claude-sonnet", max_tokens=5)),
    "azure": ("/azure/openai/v1/chat/completions", body("gpt-4o", max_tokens=5)),
    "dashscope": ("/dashscope/compatible-mode/v1/chat/completions", body("qwen-plus", max_tokens=5)),
    "gemini": ("/gemini/v1beta/openai/chat/completions", body("gemini-2.5-flash", max_tokens=5)),
}
