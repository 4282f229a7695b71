"""LangChain's published standard tests of `langchain-openai`, with the gate's URL as its base URL.

`./dev prove 3` runs them in an environment of their own; GATE_URL names the gate, MODEL what it is asked for. What is
switched on is what LangChain switches on for this package (libs/partners/openai/tests/integration_tests/chat_models,
`test_base_standard.py` and `test_responses_standard.py`): off are sound, which its models there do not take, and
pictures and documents in results of tools where they are chat completions, which hold text only.
"""

import os
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

URL = os.environ.get("GATE_URL", "http://127.0.0.1:8080") + "/v1"
MODEL = os.environ.get("MODEL", "gpt-4o")
CLAUDE = MODEL.startswith("claude")
THINKER = "claude-sonnet" if CLAUDE else MODEL
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "base_url": URL, "api_key": "any"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        environment = {"OPENAI_API_KEY": "any", "OPENAI_API_BASE": URL}
        return environment, {"model": MODEL}, {"openai_api_key": "any", "openai_api_base": URL}


class TestIntegration(ChatModelIntegrationTests):
    responses = False

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": MODEL,
            "base_url": URL,
            "api_key": "any",
            "max_retries": 0,
            "stream_usage": True,
            "use_responses_api": self.responses,
        }

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
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[str, list[str]]:  # type: ignore[override]
        return {"invoke": ["reasoning_output", "cache_read_input"], "stream": []}

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        words = f"What is this? {README}"
        self._ask(words, stream=stream)
        answer = self._ask(words, stream=stream)
        read = (answer.usage_metadata or {}).get("input_token_details", {}).get("cache_read", 0)
        # OpenAI keeps every long prompt, Anthropic what is marked to be kept; here is no mark.
        assert CLAUDE or read >= 1_024
        return answer

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        hard: dict[str, Any] = {"reasoning_effort": "medium"}
        if self.responses:
            hard = {"reasoning": {"effort": "medium", "summary": "auto"}}
        answer = self._ask("What was the 3rd highest building in 2000?", stream=stream, model=THINKER, **hard)
        assert (answer.usage_metadata or {}).get("output_token_details", {}).get("reasoning", 0) > 0
        return answer

    def _ask(self, words: str, *, stream: bool, **more: Any) -> AIMessage:
        model = ChatOpenAI(**self.chat_model_params | more)
        if not stream:
            return model.invoke(words)
        first, *rest = model.stream(words)
        return sum(rest, first)  # type: ignore[return-value]

    @property
    def model_override_value(self) -> str:
        return "gpt-4o-mini"

    @property
    def enable_vcr_tests(self) -> bool:
        return True


class TestResponses(TestIntegration):
    responses = True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    def test_openai_pdf_inputs(self, model: BaseChatModel) -> None:
        """A document by its URL, in LangChain's words and in OpenAI's."""
        url = "https://example.com/letter.pdf"
        for part in ({"type": "file", "url": url}, {"type": "input_file", "file_url": url}):
            model.invoke([HumanMessage([{"type": "text", "text": "What is its title?"}, part])])
