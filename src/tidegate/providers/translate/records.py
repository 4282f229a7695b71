"""Records that translations hand on."""

import msgspec


class ChatSaid(msgspec.Struct, frozen=True):
    """A request in Anthropic's words, and what its answer depends on. `json_tool`: its input is the answer's text."""

    body: bytes
    json_tool: str
    wants_usage: bool


class MessagesSaid(msgspec.Struct, frozen=True):
    """A request in the words of chat completions, and whether thoughts are wanted, and where to stop."""

    body: bytes
    thoughts: bool
    stops: tuple[str, ...]


class Piece(msgspec.Struct, gc=False):
    """What of a call is to be said: that it begins (`name` is set; its `number`), or more of its arguments."""

    text: str
    number: int = 0
    id: str | None = None
    name: str | None = None


class MessagesCan(msgspec.Struct, frozen=True):
    """What a provider of messages takes; what it does not take is dropped by name, or said in another way.

    `json_schema`: constrained output (`output_config.format` and strict tools; Claude 4.5 and later). Without it a
    wanted JSON is the input of a tool that the model must use. `thinking`: "budget" (`thinking.budget_tokens`),
    "effort" (`output_config.effort` with adaptive thinking) or "none". `sampling`: temperature and top_p, "both", only
    "one" of them, or "none".
    """

    json_schema: bool = True
    thinking: str = "budget"
    sampling: str = "both"


class ChatCan(msgspec.Struct, frozen=True):
    """What a provider of chat completions takes.

    `reasoning_content`: it reads the thoughts of earlier turns (DeepSeek demands them). `reasoning_effort`: it has the
    field. `cache_control`: it reads Anthropic's marks on parts. `max_completion_tokens`: it has the newer field.
    `sampling`: temperature and top_p. `hub`: it is none, but what stands between two translations, and says more than
    chat completions do: a file by its URL, and pictures and files in a tool's result.
    """

    reasoning_content: bool = False
    reasoning_effort: bool = True
    cache_control: bool = False
    max_completion_tokens: bool = True
    sampling: bool = True
    hub: bool = False
