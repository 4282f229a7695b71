"""What all parts of the configuration schema share: the strict record and the types of its fields."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_MODEL = re.compile(r"[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,254}[^\s\x00-\x1f\x7f])?")
_KEY = re.compile(r"[\x21-\x7e]+")
_SHARE = re.compile(r"([0-9]{1,6})(?:\.([0-9]))?\s*%")
_ALL = 1_000  # permille


# What is secret: fields with `repr=False`, as a whole, or the password in an address, where a field says this too.
PASSWORD_INSIDE: dict[str, JsonValue] = {"x-tidegate-secret": "password"}


def only_inside(field: FieldInfo) -> bool:
    """Is only a password within the value secret?"""
    return field.json_schema_extra == PASSWORD_INSIDE


class Section(BaseModel):
    """A part of the file: unknown fields and wrong types are errors, an empty field counts as left out."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any) -> Any:
        if value is None:
            return {}
        if isinstance(value, dict) and None in value.values():
            return {name: item for name, item in value.items() if item is not None}
        return value


def refused(message: str, remedy: str, detail: str = "") -> PydanticCustomError:
    """An error of our own making. Only `detail` may hold parts of the value: it is not told of what is secret."""
    return PydanticCustomError("refused", "refused", {"message": message, "remedy": remedy, "detail": detail})


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise refused("not usable as a name", "use letters, digits and . _ : @ -, at most 128 characters")
    return value


def check_model(value: str) -> str:
    """`value` if it can be the name of a model."""
    if not _MODEL.fullmatch(value):
        raise refused("not usable as a name of a model", "write it as the provider spells it, without spaces around")
    return value


def _check_key(value: str) -> str:
    if not value:
        raise refused("the key is empty", "give a key; for a provider without keys write any word, such as none")
    if not _KEY.fullmatch(value):
        raise refused("a key cannot hold spaces, line breaks or non-ASCII characters", "check how the key was copied")
    return value


def permille(share: object) -> int | None:
    """`30%` or `12.5%` in thousandths; None when it is no such text."""
    match = _SHARE.fullmatch(share) if isinstance(share, str) else None
    return int(match[1]) * 10 + int(match[2] or 0) if match else None


def _check_share(value: object) -> str:
    part = permille(value)
    if part is None:
        raise refused("not a share", "write it in per cent, for example 30% or 12.5%")
    if not 0 < part <= _ALL:
        raise refused("a share is above 0 % and at most 100 %", "for example 30%")
    return str(value)


Name = Annotated[str, AfterValidator(_check_name)]
ModelName = Annotated[str, AfterValidator(check_model)]
Secret = Annotated[str, AfterValidator(_check_key)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000_000)]
WindowName = Literal["continuous", "fixed", "sliding", "quantised"]
ShareText = Annotated[str, BeforeValidator(_check_share)]
