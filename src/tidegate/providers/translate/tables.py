"""What a word of one dialect is in the other, and the numbers that one of them lacks.

Sources: OpenAI's reference of chat completions, Anthropic's of messages and its pages on extended thinking, effort and
structured outputs.
"""

# Anthropic demands a limit and chat completions do not: long enough for an answer, and allowed by every model.
DEFAULT_MAX_TOKENS = 4096

# Anthropic's least budget, and what a word of effort is worth in tokens of thought.
LEAST_BUDGET = 1024
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32000}
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}

# More calls than any answer has: what a stream may make its translation remember.
MOST_CALLS = 4096

# Chat completions take at most so many stop sequences and so long a user's name (characters).
MOST_STOPS = 4
LONGEST_USER = 64

FINISH_OF_STOP = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",  # of tools that the provider runs: nobody who speaks chat can have asked for one
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
STOP_OF_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}

CHOICE_OF_WORD = {"auto": "auto", "none": "none", "required": "any"}
WORD_OF_CHOICE = {"auto": "auto", "none": "none", "any": "required"}

TIER_TO_MESSAGES = {"auto": "auto", "default": "standard_only"}
TIER_TO_CHAT = {"auto": "auto", "standard_only": "default"}
TIER_ANSWERED = {"standard": "default", "priority": "priority"}

# Fields of chat completions whose values ask for nothing out of the ordinary.
CHAT_NOTHING = {
    "n": frozenset({b"1"}),
    "logprobs": frozenset({b"false"}),
    "top_logprobs": frozenset({b"0"}),
    "store": frozenset({b"false"}),
    "frequency_penalty": frozenset({b"0", b"0.0"}),
    "presence_penalty": frozenset({b"0", b"0.0"}),
    "logit_bias": frozenset({b"{}"}),
    "metadata": frozenset({b"{}"}),
    "modalities": frozenset({b'["text"]'}),
    "function_call": frozenset(),  # nothing without `functions`, which are refused
    "messages.tool_calls.index": frozenset(),  # of a stream that the client put together
    "messages.thinking_blocks.index": frozenset(),
}

# Fields of messages, likewise: calls by the model itself, and arguments that come as they are written (they always do).
MESSAGES_NOTHING = {
    "messages.content.caller": frozenset({b'{"type":"direct"}'}),
    "messages.content.citations": frozenset({b'{"enabled":false}'}),
    "messages.content.content.citations": frozenset({b'{"enabled":false}'}),
    "tools.allowed_callers": frozenset({b'["direct"]'}),
    "tools.eager_input_streaming": frozenset(),
}

# Types of tools and of blocks whose fields are carried over; others are left out, or refused, as a whole.
CHAT_TOOLS = frozenset({b"", b'""', b'"function"'})
MESSAGES_TOOLS = frozenset({b"", b"null", b'"custom"'})
MESSAGES_BLOCKS = frozenset(
    {b'"text"', b'"image"', b'"document"', b'"tool_use"', b'"tool_result"', b'"thinking"', b'"redacted_thinking"'}
)

# What OpenAI's Responses API calls what is dropped on the way from chat completions to messages.
RESPONSES_NAMES = {
    "verbosity": "text.verbosity",
    "response_format": "text.format",
    "response_format.json_schema.description": "text.format.description",
    "response_format.json_schema.strict": "text.format.strict",
    "reasoning_effort": "reasoning.effort",
    "tools.function.strict": "tools.strict",
    "messages.role": "input.role",
    "messages.reasoning_content": "input.reasoning",
    "messages.content.image_url.detail": "input.content.detail",
    "messages.tool_calls.function.arguments": "input.arguments",
}


def effort_of(budget: int) -> str:
    """The word of effort whose budget is nearest from above."""
    return next((word for word in ("low", "medium", "high", "xhigh") if budget <= BUDGETS[word]), "xhigh")
