"""What belongs to stored responses, and why a provider of chat completions cannot serve it.

`GET` and `DELETE /v1/responses/{id}`, `…/cancel`, `…/input_items` and their like ask for a response that the provider
kept. Source: OpenAI's API reference of responses.
"""

from tidegate.model.errors import Problem, ProblemKind

_WORK = {b"GET": "read a stored response", b"DELETE": "delete a stored response"}
_TAILS = {
    "cancel": "cancel a stored response",
    "input_items": "list the input of a stored response",
    "input_tokens": "count input tokens",
    "compact": "compact a conversation",
}


def not_stored(method: bytes, path: bytes) -> Problem:
    """Why that cannot be done at a provider that is reached by translation. `path` as the client wrote it."""
    parts = path.partition(b"?")[0].decode("ascii", "replace").rstrip("/").split("/")
    work = _TAILS.get(parts[-1]) or _WORK.get(method, "change a stored response")
    return Problem(
        ProblemKind.UNSUPPORTED,
        f"Cannot {work}: the provider has no Responses API, the gate translates to chat completions and stores nothing "
        '(its answers say "store": false). Keep the output items and send them as `input`, or route the model to a '
        "provider with `/v1/responses`.",
    )
