"""The requests and the reply that a bench sends: ordinary chat completions, one of them 1 MB large."""

import json

QUESTION = (
    "What stands out in this quarter's report? Give the figures for every line of business in a short table, name the "
    "three largest risks with a sentence on each, and say what changed since the last quarter and why. "
)
ANSWER = (
    "Revenue rose by twelve percent, carried by the cloud business; margins held. The risks: exchange rates, two late "
    "suppliers, and one customer that accounts for a fifth of the orders. "
)
SYSTEM = "You answer questions about the company's quarterly reports, briefly and with figures."


def chat(size: int, *, stream: bool = False) -> bytes:
    """A chat completion request of `size` bytes, give or take two."""
    body = {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ""}],
        "temperature": 0.2,
        "max_tokens": 256,
    } | ({"stream": True} if stream else {})
    room = size - len(json.dumps(body))
    body["messages"] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": (QUESTION * (room // len(QUESTION) + 1))[: max(0, room)]},
    ]
    return json.dumps(body).encode()


def completion() -> str:
    """A reply of about 1 KB with its usage, as OpenAI words it."""
    return json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1750000000,
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": (ANSWER * 4).strip(), "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 214,
                "completion_tokens": 131,
                "total_tokens": 345,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "fp_bench",
        },
        separators=(",", ":"),
    )
