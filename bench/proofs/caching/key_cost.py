"""What a key costs, in the environment whose Python runs this: prints JSON. It needs nothing but the gate."""

import json
import timeit
from collections.abc import Callable

from tidegate.model.call import Kind
from tidegate.policy.caching import canonical as module

_ROUNDS, _EACH = 4_000, 50
_BODY = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant. " * 6},
        {"role": "user", "content": "What were the figures of the third quarter? " * 8},
        {"role": "assistant", "content": 'The figures "were" good.\n' * 4},
        {"role": "user", "content": "And \u7684 the fourth? " * 8},
    ],
    "temperature": 0.7,
    "max_tokens": 256,
    "stream": True,
}


def best(work: Callable[[], object]) -> float:
    """Microseconds of the fastest of many short rounds."""
    return min(timeit.repeat(work, number=_EACH, repeat=_ROUNDS)) / _EACH * 1e6


def main() -> None:
    """Measure, and print."""
    compact = json.dumps(_BODY, ensure_ascii=False, separators=(",", ":")).encode()
    spaced = json.dumps(_BODY, ensure_ascii=False).encode()
    base = module.canonical(Kind.CHAT, compact).base
    took = {
        "bytes": len(compact),
        "body_us": best(lambda: module.canonical(Kind.CHAT, compact)),
        "spaced_us": best(lambda: module.canonical(Kind.CHAT, spaced)),
        "key_us": best(lambda: module.key(base, b"n:acme", Kind.CHAT, b"/chat/completions", "openai/gpt-5")),
        "how": "plain Python" if str(module.__file__).endswith(".py") else "compiled",
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main()
