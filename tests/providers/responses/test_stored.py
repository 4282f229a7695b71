"""Stored responses are refused at providers that have none, with what to do instead."""

import pytest

from tidegate.model.errors import ProblemKind
from tidegate.providers.responses.stored import not_stored

ASKED = [
    (b"GET", b"/v1/responses/resp_1", "read a stored response"),
    (b"GET", b"/v1/responses/resp_1?stream=true&starting_after=4", "read a stored response"),
    (b"DELETE", b"/v1/responses/resp_1", "delete a stored response"),
    (b"POST", b"/v1/responses/resp_1/cancel", "cancel a stored response"),
    (b"GET", b"/v1/responses/resp_1/input_items?limit=5", "list the input of a stored response"),
    (b"POST", b"/v1/responses/input_tokens", "count input tokens"),
    (b"POST", b"/v1/responses/compact/", "compact a conversation"),
    (b"PATCH", b"/v1/responses/\xff", "change a stored response"),
]


@pytest.mark.parametrize(("method", "path", "work"), ASKED)
def test_the_refusal_names_what_was_asked_and_the_remedy(method: bytes, path: bytes, work: str) -> None:
    """One sentence for what, one for why, one for what to do."""
    problem = not_stored(method, path)
    assert problem.kind is ProblemKind.UNSUPPORTED
    assert problem.message.startswith(f"Cannot {work}: ")
    assert "`input`" in problem.message
    assert "/v1/responses" in problem.message
