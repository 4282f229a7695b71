"""`python -m examples.rag_assistant [QUESTION …]`: answers each question, or asks for them one by one."""

import os
import sys
from collections.abc import Iterator

from openai import APIError, OpenAI

from examples.rag_assistant.assistant import Answer, Assistant

_FROM = {"hit": "the cache", "semantic": "the cache, for a question that means the same", "stale": "the cache, stale"}


def shown(answer: Answer) -> str:
    """The answer, the passages, and who gave it."""
    passages = "".join(f"\n  passage   {one.name}" for one in answer.passages)
    known = _FROM.get(answer.cache)
    source = f"{known}, {answer.age} s old: {answer.source}" if known else "the model"
    return f"{answer.text.strip()}{passages}\n  answered by {source}"


def questions() -> Iterator[str]:
    """From the command line, else from the terminal."""
    if len(sys.argv) > 1:
        yield from sys.argv[1:]
        return
    while line := input("? ").strip():
        yield line


def main() -> int:
    """1 when a question could not be answered."""
    url = os.environ.get("TIDEGATE_URL", "http://127.0.0.1:8080/v1")
    with OpenAI(base_url=url, api_key=os.environ.get("TIDEGATE_KEY", "anything"), max_retries=0) as client:
        assistant = Assistant(client)
        try:
            for question in questions():
                print(f"{question}\n{shown(assistant.ask(question))}\n")
        except APIError as error:
            print(f"no answer: {error}", file=sys.stderr)
            return 1
        except EOFError:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
