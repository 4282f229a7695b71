"""The same arrivals by a bare SDK with its own retries, keys in turn: what an application does without a gate."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import openai

from tidegate.load.crowd import Arrival


@dataclass(frozen=True, slots=True)
class Bare:
    """What came of it."""

    calls: int
    answered: int
    told_late_s: float  # the median time after which a failure was known


async def play(calls: Iterable[Arrival], url: str, keys: Sequence[str], model: str, deadline_s: float) -> Bare:
    """Every call when it is due, given up after `deadline_s`; the SDK retries twice, as it does by default."""
    clients = [openai.AsyncOpenAI(api_key=key, base_url=url, timeout=deadline_s) for key in keys]
    loop = asyncio.get_running_loop()
    start, tasks = loop.time(), []
    async with asyncio.TaskGroup() as group:
        for index, call in enumerate(calls):
            await asyncio.sleep(max(0.0, start + call.at_us / 1e6 - loop.time()))
            tasks.append(group.create_task(_ask(clients[index % len(clients)], call, model, deadline_s)))
    for client in clients:
        await client.close()
    results = [task.result() for task in tasks]
    late = sorted(seconds for answered, seconds in results if not answered)
    return Bare(len(results), sum(answered for answered, _ in results), late[len(late) // 2] if late else 0.0)


async def _ask(client: openai.AsyncOpenAI, call: Arrival, model: str, deadline_s: float) -> tuple[bool, float]:
    began = time.monotonic()
    question: openai.types.chat.ChatCompletionUserMessageParam = {"role": "user", "content": "What stands out?"}
    try:
        async with asyncio.timeout(deadline_s):
            await client.chat.completions.create(
                model=model, messages=[question], max_tokens=call.tokens, user=call.user
            )
    except (openai.OpenAIError, TimeoutError):
        return False, time.monotonic() - began
    return True, time.monotonic() - began
