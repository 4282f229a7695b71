"""Makers of models as other gateways name them: our profile, where they are, and where their keys are expected.

Addresses are those that LiteLLM and new-api use when their file names none (read 2026-11-22).
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Maker:
    """One maker. An empty `base_url` has to be given by the file; an empty `variable` means that no key is needed."""

    name: str
    profile: str
    base_url: str
    variable: str


def _generic(name: str, base_url: str, variable: str) -> Maker:
    return Maker(name, "generic", base_url, variable)


OPENAI: Final = Maker("openai", "openai", "https://api.openai.com/v1", "OPENAI_API_KEY")
AZURE: Final = Maker("azure", "azure", "", "AZURE_API_KEY")
ANTHROPIC: Final = Maker("anthropic", "anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY")
GEMINI: Final = Maker("gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY")
GROQ: Final = Maker("groq", "groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY")
DEEPSEEK: Final = Maker("deepseek", "deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY")
OPENROUTER: Final = Maker("openrouter", "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY")
MOONSHOT: Final = Maker("moonshot", "moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY")
DASHSCOPE: Final = Maker(
    "dashscope", "dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"
)
VOLCENGINE: Final = Maker("volcengine", "volcengine", "https://ark.cn-beijing.volces.com/api/v3", "VOLCENGINE_API_KEY")
ZHIPU: Final = Maker("zhipu", "zhipu", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY")
MISTRAL: Final = _generic("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY")
TOGETHER: Final = _generic("together", "https://api.together.xyz/v1", "TOGETHERAI_API_KEY")
XAI: Final = _generic("xai", "https://api.x.ai/v1", "XAI_API_KEY")
OLLAMA: Final = _generic("ollama", "http://localhost:11434/v1", "")
OWN: Final = _generic("own", "", "OWN_API_KEY")

# LiteLLM's prefixes of `model`, or its `custom_llm_provider`.
LITELLM: Final[dict[str, Maker]] = {
    "openai": OPENAI,
    "text-completion-openai": OPENAI,
    "azure": AZURE,
    "azure_text": AZURE,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "groq": GROQ,
    "deepseek": DEEPSEEK,
    "openrouter": OPENROUTER,
    "moonshot": MOONSHOT,
    "dashscope": DASHSCOPE,
    "volcengine": VOLCENGINE,
    "zai": ZHIPU,
    "mistral": MISTRAL,
    "together_ai": TOGETHER,
    "xai": XAI,
    "fireworks_ai": _generic("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
    "cerebras": _generic("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "nvidia_nim": _generic("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
    "ollama": OLLAMA,
    "ollama_chat": OLLAMA,
    "hosted_vllm": _generic("vllm", "", "HOSTED_VLLM_API_KEY"),
    "vllm": _generic("vllm", "", "HOSTED_VLLM_API_KEY"),
    "lm_studio": _generic("lm-studio", "", "LM_STUDIO_API_KEY"),
    "xinference": _generic("xinference", "", "XINFERENCE_API_KEY"),
    "litellm_proxy": _generic("litellm", "", "LITELLM_PROXY_API_KEY"),
    "openai_like": OWN,
    "custom_openai": OWN,
}

# The numbers of `channels.type`. They agree up to 25; behind it each project went on by itself.
_COMMON: Final[dict[int, Maker]] = {
    1: OPENAI, 3: AZURE, 8: OWN, 14: ANTHROPIC, 20: OPENROUTER, 24: GEMINI,
    16: Maker("zhipu", "zhipu", "https://open.bigmodel.cn/api/paas/v4", "ZAI_API_KEY"),
    17: Maker("dashscope", "dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    25: Maker("moonshot", "moonshot", "https://api.moonshot.cn/v1", "MOONSHOT_API_KEY"),
}  # fmt: skip
ONE_API: Final[dict[int, Maker]] = _COMMON | {
    28: MISTRAL, 29: GROQ, 30: OLLAMA, 36: DEEPSEEK, 39: TOGETHER, 40: VOLCENGINE,
}  # fmt: skip
NEW_API: Final[dict[int, Maker]] = _COMMON | {
    4: OLLAMA, 26: _COMMON[16], 42: MISTRAL, 43: DEEPSEEK, 45: VOLCENGINE, 47: OWN, 48: XAI,
    40: _generic("siliconflow", "https://api.siliconflow.cn/v1", "SILICONFLOW_API_KEY"),
}  # fmt: skip

_BARE: Final = (
    (re.compile(r"gpt-|o[1-9]|chatgpt-|text-embedding-|dall-e|whisper|tts-|davinci|babbage"), "openai"),
    (re.compile(r"claude"), "anthropic"),
)


def of_litellm(model: str, named: str) -> tuple[str, Maker | None, str]:
    """Prefix, maker (None: none that we speak to) and the maker's own name of a `litellm_params.model`.

    `named` is its `custom_llm_provider`, or empty.
    """
    prefix, slash, rest = model.partition("/")
    if named:
        return named, LITELLM.get(named), rest if slash and prefix == named else model
    if slash and prefix:
        return prefix, LITELLM.get(prefix), rest
    for pattern, maker in _BARE:
        if pattern.match(model):
            return maker, LITELLM[maker], model
    return "", None, model
