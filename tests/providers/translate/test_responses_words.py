"""The records have the words of OpenAI's SDK, and no others."""

from openai.types.responses import Response as SdkResponse
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from tidegate.providers.translate.responses_words import Request, Response, Usage


def test_a_request_has_the_apis_words() -> None:
    """Every field that is read exists; `stream` stands in both kinds of requests apart."""
    assert set(Request.__struct_fields__) - {"stream"} <= set(ResponseCreateParamsBase.__annotations__)


def test_a_response_has_the_apis_words() -> None:
    """Every field that is written exists; `store` is in the API, and not yet in the SDK."""
    assert set(Response.__struct_fields__) - {"store"} <= set(SdkResponse.model_fields)


def test_a_response_has_all_that_the_sdk_demands() -> None:
    """What is not optional there is always written."""
    demanded = {name for name, field in SdkResponse.model_fields.items() if field.is_required()}
    assert demanded <= set(Response.__struct_fields__)


def test_usage_has_all_that_the_sdk_demands() -> None:
    """So that a client can add it up."""
    usage = SdkResponse.model_fields["usage"].annotation
    assert set(Usage.__struct_fields__) == set(usage.__args__[0].model_fields)  # type: ignore[union-attr]
