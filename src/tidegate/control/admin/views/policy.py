"""What the API of the policy is sent, and how it answers."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tidegate.config.schema.access import Moment
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.sent import Body

MOST_CHANGES = 500
_Digest = Annotated[str, Field(max_length=64, description="`digest` of what was seen: 409 when it is another now.")]
Span = Annotated[str, Field(pattern=r"^[0-9]{1,4}[mhd]$")]
Text = Annotated[str, Field(max_length=2_097_152, description="The whole file, with masks in the place of secrets.")]


class FindingView(View):
    """What is wrong, or worth saying. Lines and columns count from 1."""

    line: int
    column: int
    field: str
    message: str
    remedy: str
    file: str | None = Field(None, description="Another file than the configuration.")


class FallbackForm(View):
    """A fallback."""

    model: Any
    priority: Any = None


class StrategyForm(View):
    """A strategy with all fields of the visual editor; what the file leaves out is as it counts then."""

    path: list[str | int]
    name: str
    primary_model: Any
    fallback_models: list[FallbackForm]
    rate_limit_policy: Any
    retry_policy: Any
    caching: Any
    execution_mode: Any
    queue_backend: Any = None
    deadline_seconds: Any
    fallback_after_seconds: Any
    on_unsupported: Any
    streams: Any
    set: list[str] = Field(description="Fields that stand in the file, as `caching.ttl_seconds`.")


class PolicyForm(View):
    """What the visual editor shows."""

    strategies: list[StrategyForm]
    models: list[str] = Field(description="Names that targets may have.")


class PolicyView(View):
    """The configuration in force. Secrets in `text` are masked as `«secret:…»`."""

    digest: str
    version: int
    file: str
    text: str
    form: PolicyForm | None = Field(None, description="Left out while the text is no YAML.")
    writable: bool
    why_not: str | None = None
    errors: list[FindingView] = Field([], description="Of a file that was broken by hand, and is not in force.")
    warnings: list[FindingView] = []


class ChangeBody(Body):
    """A value that is to stand at a path, or nothing."""

    path: Annotated[list[str | int], Field(min_length=1, max_length=32, examples=[["model_strategy", "primary_model"]])]
    value: Any = None
    remove: Literal[True] | None = None


class Preview(Body):
    """A text, or changes of one, or of the file."""

    base: _Digest
    text: Text | None = None
    changes: Annotated[list[ChangeBody], Field(max_length=MOST_CHANGES)] = []


class PreviewView(View):
    """What it would come to."""

    text: str
    diff: str = Field(description="Unified; against what is in force.")
    errors: list[FindingView]
    warnings: list[FindingView]
    form: PolicyForm | None = None
    digest: str = Field(description="Of what is in force.")


class Application(Body):
    """A text to serve by."""

    base: _Digest
    text: Text
    comment: str = Field("", max_length=500, description="Why, for the history.")


class Restoration(Body):
    """Which text it replaces."""

    base: _Digest
    comment: str = Field("", max_length=500)


class AppliedView(View):
    """Every worker serves by it."""

    version: int
    digest: str
    in_force_after_ms: int
    changed: bool = Field(description="`false`: it was in force already.")


class VersionView(View):
    """A configuration that was in force."""

    id: str
    at: str
    by: str = Field(description="Empty: it was changed outside of the gate, and seen at that moment.")
    comment: str
    digest: str
    added: int = Field(description="Lines.")
    removed: int


class OneVersionView(VersionView):
    """With its text and what it changed."""

    text: str
    diff: str


class DryRun(Body):
    """A text, and of which calls."""

    text: Text
    base: _Digest | None = None
    since: Moment | Span = Field("24h", description="Calls that ended from then on, or so long ago: 90m, 24h, 7d.")


class Started(View):
    """A dry run."""

    id: str


class DryRunView(View):
    """How it stands."""

    id: str
    state: Literal["collecting", "playing", "done", "failed", "cancelled"]
    percent: int
    report: Any = Field(None, description="As `tidegate policy test --json` prints it.")
    why: str | None = Field(None, description="Why it failed.")
