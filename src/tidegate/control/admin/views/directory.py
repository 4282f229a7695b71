"""What the admin API answers."""

from typing import Literal

from pydantic import BaseModel, Field

Origin = Literal["file", "managed"]


class View(BaseModel):
    """A JSON object; what does not apply is left out."""


class LimitsView(View):
    """Bounds that are set."""

    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    tokens_per_day: int | None = None
    on_state_loss: str | None = None


class BudgetView(View):
    """Money in the house currency, exact."""

    per_day: str | None = None
    per_month: str | None = None
    on_state_loss: str | None = None


class AllowanceView(View):
    """What may be used and spent."""

    limits: LimitsView = LimitsView()
    budget: BudgetView = BudgetView()


class RecordView(AllowanceView):
    """A namespace, user or key: `declared` says where it is changed."""

    name: str
    declared: Origin
    created: str | None = None
    changed: str | None = None
    models: list[str] = []


class BodiesView(View):
    """What is kept of what calls say."""

    sample: float
    always: list[str]
    max_bytes: int
    keep_days: int
    redact: list[str]


class NamespaceView(RecordView):
    """A namespace."""

    tier: str
    weight: float
    by_model: dict[str, AllowanceView] = {}
    timezone: str
    on_revoked: str
    stored_objects: bool
    bodies: BodiesView | None = None


class UserView(RecordView):
    """A user of a namespace."""

    namespace: str


class KeyView(RecordView):
    """A key. `hint` is how it begins; the key itself is told once, when it is made."""

    namespace: str
    state: Literal["active", "not_yet", "expired", "revoked"]
    hint: str = ""
    user: str | None = None
    addresses: list[str] = []
    signing: str
    not_before: str | None = None
    expires: str | None = None
    revoked: str | None = None


class MadeKey(KeyView):
    """A new key: `key` is shown this once."""

    key: str


class RotatedKey(View):
    """`made` is in the place of `former`, which is good until it expires."""

    made: MadeKey
    former: KeyView


class TokenView(View):
    """An admin token; the token itself is told once."""

    name: str
    role: str
    namespace: str | None = None
    created: str | None = None
    expires: str | None = None
    used: str | None = Field(None, description="Its last use, to the minute.")


class MadeToken(TokenView):
    """A new token: `token` is shown this once."""

    token: str


class SelfView(View):
    """Who asks."""

    name: str
    role: str
    namespace: str | None = None
    rights: list[str]


class AuditView(View):
    """One change. `before` and `after` are JSON objects without anything secret."""

    id: int
    at: str
    actor: str
    role: str
    address: str
    action: str
    namespace: str
    target: str
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None


class Fault(View):
    """What is wrong with one field."""

    field: str
    problem: str
    remedy: str


class Problem(View):
    """Why a call was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]
