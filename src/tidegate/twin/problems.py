"""What the twin refuses, in OpenAI's documented words: one error body for every kind of bad request."""

from typing import Final

import msgspec

from tidegate.twin.meter import Refusal
from tidegate.twin.windows import NEVER, SECOND


class Problem(Exception):
    """A refusal: status and the fields of OpenAI's error body; other dialects say the same in their own form."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code

    @property
    def body(self) -> bytes:
        """In OpenAI's form."""
        return error_body(self.message, self.kind, self.param, self.code)


def error_body(message: str, kind: str, param: str | None, code: str | None) -> bytes:
    """The JSON body that every error of this dialect has."""
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


NO_KEY: Final = (
    "You didn't provide an API key. Provide it in an Authorization header using Bearer auth "
    "(Authorization: Bearer YOUR_KEY)."
)


def missing_key() -> Problem:
    """401: no `Authorization: Bearer …`."""
    return Problem(401, NO_KEY)


def unknown_key(key: str) -> Problem:
    """401: a key nobody has. Most of it is masked."""
    masked = f"{key[:3]}***{key[-2:]}" if len(key) > 8 else "***"
    return Problem(401, f"Incorrect API key provided: {masked}.", code="invalid_api_key")


def unparsable(error: Exception) -> Problem:
    """400: the body is no JSON."""
    return Problem(400, f"We could not parse the JSON body of your request. ({error})")


def missing(param: str) -> Problem:
    """400: a required field is not there."""
    return Problem(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def wrong_type(param: str, detail: str) -> Problem:
    """400: a field of another type than documented."""
    return Problem(400, f"Invalid type for '{param}': {detail}.", param=param, code="invalid_type")


def below(param: str, least: int, got: int) -> Problem:
    """400: an integer below its minimum."""
    text = f"Invalid '{param}': integer below minimum value. Expected a value >= {least}, but got {got} instead."
    return Problem(400, text, param=param, code="integer_below_min_value")


def above(param: str, most: int, got: int) -> Problem:
    """400: an integer above its maximum."""
    text = f"Invalid '{param}': integer above maximum value. Expected a value <= {most}, but got {got} instead."
    return Problem(400, text, param=param, code="integer_above_max_value")


def empty(param: str) -> Problem:
    """400: an empty array where one element is the least."""
    text = f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return Problem(400, text, param=param, code="empty_array")


def bad_value(param: str, got: str, allowed: str) -> Problem:
    """400: a word that is not one of the documented ones."""
    return Problem(400, f"Invalid value: '{got}'. Supported values are: {allowed}.", param=param, code="invalid_value")


def unknown_model(model: str) -> Problem:
    """404: no such model."""
    text = f"The model `{model}` does not exist or you do not have access to it."
    return Problem(404, text, param="model", code="model_not_found")


def wrong_model(model: str, endpoint: str) -> Problem:
    """404: the model exists, but not at this endpoint."""
    return Problem(404, f"The model `{model}` is not supported in the {endpoint} endpoint.", param="model")


def too_long(context: int, tokens: int) -> Problem:
    """400: the prompt alone is longer than the model's context."""
    text = (
        f"This model's maximum context length is {context} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages."
    )
    return Problem(400, text, param="messages", code="context_length_exceeded")


def unknown_url(method: str, path: str) -> Problem:
    """404: no such endpoint."""
    return Problem(404, f"Invalid URL ({method} {path})")


def limited(refusal: Refusal, model: str, organisation: str) -> bytes:
    """The body of a 429: which limit, how much of it is used, and when to try again."""
    short = f"{'T' if refusal.unit == 'tokens' else 'R'}P{'M' if refusal.period == 'min' else 'D'}"
    where = f"for {model} in organization {organisation} on {refusal.unit} per {refusal.period} ({short})"
    if refusal.wait == NEVER:
        text = (
            f"Request too large {where}: Limit {refusal.limit}, Requested {refusal.requested}. "
            "The input or output tokens must be reduced in order to run successfully."
        )
    else:
        text = (
            f"Rate limit reached {where}: Limit {refusal.limit}, Used {refusal.used}, Requested {refusal.requested}. "
            f"Please try again in {refusal.wait / SECOND:.3f}s."
        )
    return error_body(text, refusal.unit, None, "rate_limit_exceeded")
