"""The schema of drills: core questions, what their answers have to be like, and when they are asked."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tidegate.config.schema.access import ZoneName
from tidegate.config.schema.base import Count, ModelName, Name, Section, refused
from tidegate.config.schema.money import BudgetAmount

_LONGEST = 65_536
Text = Annotated[str, Field(min_length=1, max_length=_LONGEST)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=64)]
KINDS = ("contains", "contains_any", "not_contains", "regex", "is_json", "json_schema", "max_seconds", "length",
         "language", "finish_reason", "tool", "similar", "judge")  # fmt: skip


def _cron(value: str) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - only a file with drills needs it

    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    remedy = "five fields: minute, hour, day, month, weekday, for example 0 3 * * *"
    try:
        next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise refused("no schedule of cron", remedy, f" ({error})") from None
    except StopIteration:
        raise refused("a schedule that never comes", remedy) from None
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise refused("no regular expression", "write one as Python's module `re` reads it", f" ({error})") from None
    return value


def _schema(value: dict[str, Any]) -> dict[str, Any]:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - only a file with schemas needs it

    try:
        Draft202012Validator.check_schema(value)
    except SchemaError as error:
        raise refused("no JSON schema", "write it as JSON Schema 2020-12 has it", f" ({error.message[:200]})") from None
    return value


Objects = list[dict[str, Any]]
Pattern = Annotated[str, Field(min_length=1, max_length=4_096), AfterValidator(_pattern)]
JsonSchema = Annotated[dict[str, Any], AfterValidator(_schema)]
Cron = Annotated[str, Field(max_length=128), AfterValidator(_cron)]


class LengthConfig(Section):
    """How long an answer is, in characters."""

    min: Annotated[int, Field(ge=0, le=1_000_000)] = Field(0, description="Fewest characters.", examples=[20])
    max: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Most characters; left out: any number.", examples=[2_000]
    )


class ToolConfig(Section):
    """A call of a tool."""

    name: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="The tool that has to be called.", examples=["get_order"]
    )
    arguments: JsonSchema | None = Field(
        None, description="JSON schema that its arguments fit; left out: any JSON object.", examples=["{type: object}"]
    )


class SimilarConfig(Section):
    """How alike an answer is to one that is right."""

    to: Text = Field(description="An answer that is right.", examples=["Refunds take 7 days."])
    at_least: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        0.8, description="The least similarity: the cosine of embeddings, or the share of common words.", examples=[0.8]
    )


class RubricConfig(Section):
    """How a model grades an answer."""

    rubric: Text = Field(description="What a good answer says.", examples=["It names the 7 days and the form."])
    at_least: Annotated[int, Field(ge=1, le=10)] = Field(7, description="The least grade, of 10.", examples=[7])


class ExpectConfig(Section):
    """One thing that is expected of an answer: exactly one of the fields but `weight` and `ignore_case`."""

    contains: Texts | None = Field(None, description="Texts that all stand in it.", examples=['["7 days"]'])
    contains_any: Texts | None = Field(None, description="Texts of which one stands in it.", examples=['["yes"]'])
    not_contains: Texts | None = Field(None, description="Texts that do not stand in it.", examples=['["sorry"]'])
    regex: Pattern | None = Field(
        None, description="A regular expression that is found in it, within a second.", examples=['"[0-9]+ days"']
    )
    is_json: Literal[True] | None = Field(None, description="It is JSON and nothing else.", examples=["true"])
    json_schema: JsonSchema | None = Field(
        None, description="It is JSON that fits this schema.", examples=["{type: object}"]
    )
    max_seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] | None = Field(
        None, description="It is there within so many seconds.", examples=[10]
    )
    length: LengthConfig | None = Field(None, description="How long it is.", examples=["{min: 20}"])
    language: Literal["zh", "en"] | None = Field(
        None, description="The language it is written in, by the share of its script.", examples=["zh"]
    )
    finish_reason: Texts | None = Field(None, description="Why it ended: one of these.", examples=["[stop]"])
    tool: ToolConfig | None = Field(None, description="It calls this tool.", examples=["{name: get_order}"])
    similar: SimilarConfig | None = Field(
        None, description="It says about the same as another answer.", examples=["{to: Refunds take 7 days.}"]
    )
    judge: RubricConfig | None = Field(
        None, description="A model finds it good; it is `judge` of the drill.", examples=["{rubric: It names 7 days.}"]
    )
    weight: Annotated[int, Field(ge=1, le=100)] = Field(1, description="How much it counts.", examples=[2])
    ignore_case: bool = Field(
        False, description="Capital and small letters are the same, in texts and patterns.", examples=["true"]
    )

    @model_validator(mode="after")
    def _says_one(self) -> "ExpectConfig":
        if len([kind for kind in KINDS if getattr(self, kind) is not None]) != 1:
            raise refused("it expects several things, or none", "write one expectation an item, as - contains: [x]")
        return self


class PromptConfig(Section):
    """A core question. It says `prompt` or `messages`."""

    name: Name | None = Field(None, description="How it is called; left out: its number.", examples=["refund"])
    prompt: Text | None = Field(None, description="What the user says.", examples=["How long does a refund take?"])
    messages: Annotated[Objects, Field(min_length=1, max_length=100)] | None = Field(
        None, description="A whole conversation, as the API of chat completions takes it.",
        examples=["[{role: user, content: Hello}]"],
    )  # fmt: skip
    system: Text | None = Field(None, description="What stands before it for the model.", examples=["Be brief."])
    images: Annotated[list[Text], Field(max_length=16)] = Field(
        [], description="URLs of images, `data:` too, beside `prompt`.", examples=['["data:image/png;base64,…"]']
    )
    tools: Annotated[Objects, Field(max_length=64)] = Field(
        [], description="Tools that may be called, as the API takes them.", examples=["[{type: function, …}]"]
    )
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = Field(
        512, description="Most tokens of its answer.", examples=[512]
    )
    expect: Annotated[list[ExpectConfig], Field(min_length=1, max_length=32)] = Field(
        description="What its answer has to be like.", examples=['[{contains: ["7 days"]}]']
    )

    @model_validator(mode="after")
    def _says_one(self) -> "PromptConfig":
        if (self.prompt is None) == (self.messages is None):
            raise refused("it has both `prompt` and `messages`, or neither", "write one of them")
        if self.messages is not None and (self.system is not None or self.images):
            raise refused("`system` and `images` stand beside `prompt` only", "write them into `messages`")
        return self


class DrillConfig(Section):
    """One drill: questions that every fallback is asked, when, and what must come of it."""

    strategies: list[ModelName] = Field(
        [], description="Whose fallbacks are asked; left out: those of all strategies.", examples=["[chat]"]
    )
    prompts: Annotated[list[PromptConfig], Field(min_length=1, max_length=50)] = Field(
        description="The core questions.", examples=["[{prompt: Hello, expect: [{language: en}]}]"]
    )
    cron: Cron | None = Field(
        None, description="When it runs, in five fields; left out: by `every_hours`.", examples=['"0 3 * * *"']
    )
    zone: ZoneName = Field("UTC", description="The time zone of `cron`.", examples=["Asia/Shanghai"])
    every_hours: Annotated[float, Field(gt=0, le=8_760, allow_inf_nan=False)] = Field(
        24, description="Hours between two runs, where there is no `cron`.", examples=[24]
    )
    expires_days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)] = Field(
        7, description="Days for which a passed drill is a proof.", examples=[7]
    )
    faults: list[Literal["429", "5xx", "timeout", "cut"]] = Field(
        ["429", "5xx", "timeout", "cut"],
        description="What befalls the primary model while the whole way to the fallback is proved; `[]`: nothing, only "
        "the fallbacks themselves are asked.",
        examples=['["429", cut]'],
    )  # fmt: skip
    pass_mark: Annotated[int, Field(ge=1, le=100)] = Field(
        80, description="The least score, of 100, with which it is passed.", examples=[80]
    )
    repeat: Annotated[int, Field(ge=1, le=9)] = Field(
        1, description="How often each question is asked; what most answers meet is met.", examples=[3]
    )
    timeout_seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = Field(
        60, description="Time for one answer, in seconds.", examples=[60]
    )
    max_tokens: Count = Field(
        200_000, description="Most tokens of a run; what is beyond is not asked.", examples=[200_000]
    )
    max_cost: BudgetAmount | None = Field(
        None, description="Most that a run may cost, in the house currency; left out: any sum.", examples=[0.5]
    )
    on_failure: Literal["alert", "out"] = Field(
        "alert",
        description="What follows a failed or an old proof: somebody is told, or the fallback also leaves its strategy "
        "until it passes.",
        examples=["out"],
    )
    judge: ModelName | None = Field(
        None, description="The model that grades where `judge` is expected.", examples=["gpt-4o"]
    )
    embedder: ModelName | None = Field(
        None,
        description="The model whose embeddings `similar` compares; left out: the one inside the gate where the extra "
        "`semantic` is installed, else common words.",
        examples=["text-embedding-3-small"],
    )
    dearer_than: Annotated[float, Field(ge=1, le=1_000, allow_inf_nan=False)] = Field(
        3, description="A fallback that costs more than so many times its primary is said.", examples=[3]
    )
