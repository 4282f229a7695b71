"""The names of attributes and metrics, in one place: OpenTelemetry's conventions for generative AI, and our own.

Source: the conventions' version 1.41.0 (status "Development"), the last that was published before they moved to a
repository of their own, which has published none; it is told to collectors as `SCHEMA`, so that they can translate:
https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md and gen-ai-metrics.md.
What those have no word for is named `tidegate.*`. What was said, in prompts or answers, is in none of them.
"""

from typing import Final

SCHEMA: Final = "https://opentelemetry.io/schemas/1.41.0"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
MAX_TOKENS: Final = "gen_ai.request.max_tokens"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION: Final = "gen_ai.usage.cache_creation.input_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - a kind of token that models read
INPUT: Final = "input"
OUTPUT: Final = "output"
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "http.response.status_code"
RESEND_COUNT: Final = "http.request.resend_count"
HEADER: Final = "http.response.header."  # and the header's name
SERVER: Final = "server.address"
PORT: Final = "server.port"
SERVICE: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE: Final = "service.instance.id"
OVERFLOW: Final = "otel.metric.overflow"  # of the one series for what has no room (OpenTelemetry's metrics SDK)

# By kind of call. The conventions have no word for the last two, and let us take our own.
OPERATIONS: Final = {
    "chat": "chat",
    "messages": "chat",
    "responses": "chat",
    "completion": "text_completion",
    "embedding": "embeddings",
    "count": "count_tokens",
    "pass": "forward",
}
UNKNOWN: Final = "unknown"  # operation of a call of which only its intent is left
GATE: Final = "tidegate"  # provider of an answer that no provider was asked for

# What the conventions call makers whose profile has another name.
PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "azure-v1": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "deepseek-beta": "deepseek",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
# Makers that have a name there and no profile of ours, by their hosts (as shells match names).
HOSTS: Final = {
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "*aiplatform.googleapis.com": "gcp.vertex_ai",
    "bedrock-runtime.*.amazonaws.com": "aws.bedrock",
    "*.models.ai.azure.com": "azure.ai.inference",
}

NAMESPACE: Final = "tidegate.namespace"
USER: Final = "tidegate.user"
KEY: Final = "tidegate.key"
TIER: Final = "tidegate.tier"
PLAN: Final = "tidegate.plan"
TAG: Final = "tidegate.tag"
UPSTREAM: Final = "tidegate.provider"  # as the configuration calls it
SCOPE: Final = "tidegate.scope"
ACCOUNT: Final = "tidegate.account"
CALL: Final = "tidegate.call"
JOB: Final = "tidegate.job"
DEGRADED: Final = "tidegate.degraded"
CACHE: Final = "tidegate.cache"
CACHE_SOURCE: Final = "tidegate.cache.source"  # the call whose answer it was
CACHE_AGE: Final = "tidegate.cache.age"  # seconds
CACHE_ALIKE: Final = "tidegate.cache.similarity"  # of the questions, 1 = the same
ATTEMPTS: Final = "tidegate.attempts"
QUEUED: Final = "tidegate.queued"  # seconds
WAITED: Final = "tidegate.waited"  # seconds
CHARGED: Final = "tidegate.charged_tokens"
COST: Final = "tidegate.cost"  # in the house currency
ESTIMATED: Final = "tidegate.usage_estimated"
POOL: Final = "tidegate.pool"
UNIT: Final = "tidegate.unit"
WORKER: Final = "tidegate.worker"
STEP: Final = "tidegate."  # and what a step of a call's story found
LASTED: Final = "tidegate.lasted"  # seconds
TARGET: Final = "tidegate.target"
WHY: Final = "tidegate.why"

# The gate as a client, by attempt; and as the server of its clients, by call.
DURATION: Final = "gen_ai.client.operation.duration"
TTFC: Final = "gen_ai.client.operation.time_to_first_chunk"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - as above
SERVED: Final = "gen_ai.server.request.duration"
TTFT: Final = "gen_ai.server.time_to_first_token"
TPOT: Final = "gen_ai.server.time_per_output_token"
THROTTLED: Final = "tidegate.provider.throttled"
REFUSED: Final = "tidegate.refusals"
QUOTA_LEFT: Final = "tidegate.quota.left"
QUOTA_LIMIT: Final = "tidegate.quota.limit"
WAITING: Final = "tidegate.queue.calls"
