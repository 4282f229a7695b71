"""The words of provider profiles: what a profile's fields may say, known to who reads them and to who acts on them."""

CHARGES = ("max", "sum", "prompt")
PREFIXES = ("", "plain", "prefix", "partial")
KINDS = ("chat", "completion", "embedding", "messages", "responses", "count")  # of calls, as paths name them
FAMILIES = (
    "openai",
    "azure",
    "anthropic",
    "groq",
    "openrouter",
    "none",
)  # of headers: `headers_families.py`
SCOPES = ("key", "scope", "model", "provider", "request")  # what a refusal takes out: policy/failure/classify.py
PLACES = (  # where the time to come back stands: policy/failure/not_before.py
    "headers", "reset", "text", "text_beijing", "retry_info", "minute", "day", "day_pacific", "day_beijing", "month",
    "none",
)  # fmt: skip
