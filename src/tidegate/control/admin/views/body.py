"""What the admin API answers about what calls said."""

from typing import Literal

from pydantic import Field

from tidegate.control.admin.views.directory import View


class BodyView(View):
    """What a call said, redacted. A stream's texts are joined: `texts` by where they stood, `events` what else was."""

    id: str
    at: str
    expires: str
    namespace: str
    key: str
    status: int = Field(description="As the client was told; 499: it had left.")
    why: Literal["sample", "error"]
    complete: bool = Field(description="Did the answer come to its end?")
    request_bytes: int = Field(description="How long it was; what is longer than `max_bytes` is cut.")
    answer_bytes: int = Field(description="The same.")
    redactions: int = Field(description="How often something was taken out.")
    request: str
    answer: str
