"""LangChain's published standard tests of `langchain-openai`, with the gate's URL as its base URL.

`./dev prove 3` runs them in an environment of their own; GATE_URL names the gate, MODEL what it is asked for.
"""

import os
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

URL = os.environ.get("GATE_URL", "http://127.0.0.1:8080") + "/v1"
MODEL = os.environ.get("MODEL", "gpt-4o")


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
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return False

    @property
    def model_override_value(self) -> str:
        return "gpt-4o-mini"

    @property
    def enable_vcr_tests(self) -> bool:
        return False


class TestResponses(TestIntegration):
    responses = True
