"""LangChain's published standard tests of `langchain-anthropic`, with the gate's URL as its base URL.

`./dev prove 3` runs them in an environment of their own; GATE_URL names the gate, MODEL what it is asked for.
"""

import os
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

URL = os.environ.get("GATE_URL", "http://127.0.0.1:8080")
MODEL = os.environ.get("MODEL", "claude-3-haiku")


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
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "claude-sonnet"

    @property
    def enable_vcr_tests(self) -> bool:
        return False
