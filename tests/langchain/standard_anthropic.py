"""LangChain's published standard tests of `langchain-anthropic`, with the gate's URL as its base URL.

`./dev prove 3` runs them in an environment of their own; GATE_URL names the gate, MODEL what it is asked for. What is
switched on is what LangChain switches on for this package (libs/partners/anthropic/tests/integration_tests,
`test_standard.py`): off are sound and a JSON mode without a schema, which the package has not.
"""

import os
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

URL = os.environ.get("GATE_URL", "http://127.0.0.1:8080")
MODEL = os.environ.get("MODEL", "claude-3-haiku")
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": URL, "api_key": "any"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        environment = {"ANTHROPIC_API_KEY": "any", "ANTHROPIC_API_URL": URL}
        return environment, {"model": MODEL}, {"anthropic_api_key": "any", "anthropic_api_url": URL}


class TestIntegration(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": URL, "api_key": "any", "max_retries": 0}

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[str, list[str]]:  # type: ignore[override]
        details = ["cache_read_input", "cache_creation_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        answer = self._ask(f"creation, {stream}", stream=stream)
        # OpenAI writes to its cache unasked, and does not tell.
        assert not MODEL.startswith("claude") or _of_cache(answer, "creation") >= 1_024
        return answer

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        self._ask(f"read, {stream}", stream=stream)
        answer = self._ask(f"read, {stream}", stream=stream)
        assert _of_cache(answer, "read") >= 1_024
        return answer

    def _ask(self, words: str, *, stream: bool) -> AIMessage:
        model = ChatAnthropic(**self.chat_model_params)
        part = {"type": "text", "text": f"{words} {README}", "cache_control": {"type": "ephemeral"}}
        turns = [{"role": "user", "content": [part]}]
        if not stream:
            return model.invoke(turns)
        first, *rest = model.stream(turns)
        return sum(rest, first)  # type: ignore[return-value]

    @property
    def model_override_value(self) -> str:
        return "claude-sonnet"

    @property
    def enable_vcr_tests(self) -> bool:
        return True


def _of_cache(answer: AIMessage, kind: str) -> int:
    """Tokens that were read from the provider's cache, or written there."""
    details: dict[str, Any] = dict((answer.usage_metadata or {}).get("input_token_details", {}))
    five = details.get("ephemeral_5m_input_tokens", 0) if kind == "creation" else 0  # LangChain counts these apart
    return int(details.get(f"cache_{kind}") or five)


class Native(TestIntegration):
    """Answers held to a schema by the provider, as LangChain asks for them of newer models."""

    __test__ = False

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


SCHEMAS = pytest.mark.parametrize("schema", ["pydantic", "typeddict", "json_schema"])


@SCHEMAS
def test_native_structured_output(schema: Literal["pydantic", "typeddict", "json_schema"]) -> None:
    """The schema, however it is given, is what the answer fits."""
    suite = Native()
    suite.test_structured_output(suite.chat_model_class(**suite.chat_model_params), schema)


@SCHEMAS
async def test_native_structured_output_async(schema: Literal["pydantic", "typeddict", "json_schema"]) -> None:
    """The same, awaited."""
    suite = Native()
    await suite.test_structured_output_async(suite.chat_model_class(**suite.chat_model_params), schema)
