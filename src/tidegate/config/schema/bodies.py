"""The schema of what is kept of what calls say."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tidegate.config.schema.base import Section, refused
from tidegate.config.words import choice
from tidegate.model.bodies import KINDS, is_pattern


def _check_rule(value: str) -> str:
    if value in KINDS:
        return value
    if not is_pattern(value):
        raise refused(
            "no such kind", choice(value, KINDS, ", or a regular expression between slashes: /ACME-[0-9]{6}/")
        )
    from tidegate.redaction.guard import BadPattern, checked  # noqa: PLC0415 - for files with patterns only

    try:
        checked(value[1:-1])
    except BadPattern as error:
        raise refused(str(error), error.remedy) from None
    return value


RedactRule = Annotated[str, AfterValidator(_check_rule)]


class BodiesConfig(Section):
    """What is kept of what calls say, for people who debug. Nothing, unless it says of how many, or `errors`."""

    sample: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.0, description="Part of the calls of which request and answer are kept; 0: of none.", examples=[0.01]
    )
    always: list[Literal["errors"]] = Field(
        [], description="Calls of which they are kept whatever `sample` says: `errors`.", examples=["[errors]"]
    )
    max_bytes: Annotated[int, Field(ge=1_024, le=1_048_576)] = Field(
        65_536, description="Most of a request, and of an answer, in bytes.", examples=[65_536]
    )
    keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        7, description="Days for which they are kept.", examples=[7]
    )
    redact: Annotated[list[RedactRule], Field(max_length=50)] = Field(
        list(KINDS),
        description="What is taken out before: `secrets`, `email`, `phone`, `card`, `id`, or a regular expression "
        "between slashes; left out: all five.",
        examples=['[secrets, email, phone, card, id, "/ACME-[0-9]{6}/"]'],
    )
