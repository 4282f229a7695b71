"""How each provider limits where the settings leave it to the provider, as their pages say (read in November 2026).

Anthropic: input and output apart, the prompt charged at admission, output as it is produced, cache reads free; tokens
read from a prompt cache need `cache_control`. Azure: counters that begin anew each minute, prompt + `max_tokens`
charged. Gemini: input alone is charged. DashScope and Gemini: no rate-limit headers. What a file or a flag states
differently from the twin's defaults holds for all of them. Sources: docs.anthropic.com/en/api/rate-limits;
learn.microsoft.com, "Manage Azure OpenAI quota"; alibabacloud.com, Model Studio, "Rate limits";
ai.google.dev/gemini-api/docs/rate-limits.
"""

from typing import Final

from msgspec.structs import replace

from tidegate.twin.settings import Rules, Settings

AZURE: Final = "azure/"  # before the name of a model that is deployed there
_USUAL: Final = Rules()


def plain(model: str) -> str:
    """The model's own name."""
    return model.removeprefix(AZURE)


def customs(settings: Settings) -> dict[str, Rules]:
    """The rules of every model, and of what Azure deploys of them."""
    found = {model.name: of(model.provider, settings.rules) for model in settings.models}
    azure = of("azure", settings.rules)
    return found | {AZURE + model.name: azure for model in settings.models if model.provider == "openai"}


def of(provider: str, rules: Rules) -> Rules:
    """A provider's rules."""
    charge, cached = rules.charge, rules.cached_reads
    if cached == "own":
        cached = "free" if provider == "anthropic" else "off"
    match provider:
        case "anthropic":
            charge = "prompt" if charge == _USUAL.charge else charge
            return replace(rules, charge=charge, cached_reads=cached, output_apart=True)
        case "azure":
            charge = "sum" if charge == _USUAL.charge else charge
            rules = replace(rules, charge=charge, cached_reads=cached)
            return replace(rules, window="fixed", aligned=True) if rules.window == _USUAL.window else rules
        case "gemini":
            charge = "prompt" if charge == _USUAL.charge else charge
            return replace(rules, charge=charge, cached_reads=cached, hide_headers=True)
        case "dashscope":
            return replace(rules, cached_reads=cached, hide_headers=True)
    return replace(rules, cached_reads=cached)


def charge(rules: Rules, prompt: int, most: int) -> int:
    """What a call of so many prompt tokens and at most `most` generated ones costs at admission."""
    match rules.charge:
        case "sum":
            return prompt + most
        case "prompt":
            return prompt
    return max(prompt, most)
