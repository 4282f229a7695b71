"""Which limit a refusal means, by its words: calls, tokens, or output tokens.

OpenAI: "Rate limit reached for … on requests per min (RPM)"; DashScope: "Requests rate limit exceeded", "You exceeded
your current requests list", "Allocated quota exceeded"; Anthropic: "… rate
limit of … output tokens per minute". What says neither means tokens, the limit that binds first.
"""

REQUESTS = "requests"
TOKENS = "tokens"
OUTPUTS = "outputs"
_CALLS = ("requests per", "(rpm)", "requests rate", "requests list", "requestsper")


def blamed(text: str) -> str:
    """`REQUESTS`, `TOKENS` or `OUTPUTS`."""
    words = text.lower()
    if "output tokens" in words:
        return OUTPUTS
    if "tokens per" in words or "(tpm)" in words or "tokensper" in words:
        return TOKENS
    return REQUESTS if any(word in words for word in _CALLS) else TOKENS
