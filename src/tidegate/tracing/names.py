"""The names of attributes and metrics, in one place: OpenTelemetry's conventions for generative AI, and our own.

Source: open-telemetry/semantic-conventions-genai, status "Development", as of 2026-10. What those have no word for is
named `tidegate.*`. What was said, in prompts or answers, is in none of them.
"""

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION: Final = "gen_ai.usage.cache_creation.input_tokens"
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "http.response.status_code"
RESEND_COUNT: Final = "http.request.resend_count"

# By kind of call; what is forwarded as it is has no operation.
OPERATIONS: Final = {
    "chat": "chat",
    "messages": "chat",
    "responses": "chat",
    "completion": "text_completion",
    "embedding": "embeddings",
    "count": "count_tokens",
}
# What the conventions call makers that have a name there; others keep the name that the configuration gives them.
PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "moonshot": "moonshot_ai",
    "gemini": "gcp.gemini",
}

NAMESPACE: Final = "tidegate.namespace"
USER: Final = "tidegate.user"
KEY: Final = "tidegate.key"
TIER: Final = "tidegate.tier"
PLAN: Final = "tidegate.plan"
TAG: Final = "tidegate.tag"
SCOPE: Final = "tidegate.scope"
ACCOUNT: Final = "tidegate.account"
CALL: Final = "tidegate.call"
JOB: Final = "tidegate.job"
DEGRADED: Final = "tidegate.degraded"
CACHE: Final = "tidegate.cache"
ATTEMPTS: Final = "tidegate.attempts"
QUEUED: Final = "tidegate.queued"  # seconds
WAITED: Final = "tidegate.waited"  # seconds
CHARGED: Final = "tidegate.charged_tokens"
COST: Final = "tidegate.cost"  # in the house currency
ESTIMATED: Final = "tidegate.usage_estimated"

DURATION: Final = "gen_ai.client.operation.duration"
TTFC: Final = "gen_ai.client.operation.time_to_first_chunk"
USED_INPUT: Final = "gen_ai.client.inference.usage.input_tokens"
USED_OUTPUT: Final = "gen_ai.client.inference.usage.output_tokens"
THROTTLED: Final = "tidegate.provider.throttled"
REFUSED: Final = "tidegate.refusals"
QUOTA_LEFT: Final = "tidegate.quota.left"
QUOTA_LIMIT: Final = "tidegate.quota.limit"
WAITING: Final = "tidegate.queue.calls"
