"""What the admin API answers about sign-in."""

from pydantic import Field

from tidegate.control.admin.views.directory import View


class SessionView(View):
    """Who is signed in, what they may, and until when."""

    name: str
    role: str
    namespace: str | None = None
    rights: list[str]
    csrf: str = Field(description="With a session's cookie, what changes something sends this as `x-tidegate-csrf`.")
    expires: str | None = Field(None, description="It may end before, when it is not used.")
    version: str = Field(description="Of the gate.")


class OidcMethod(View):
    """An identity provider."""

    title: str


class MethodsView(View):
    """How one may sign in; by `oidc` one goes to `/admin/v1/session/oidc/start`."""

    token: bool = True
    oidc: OidcMethod | None = None
    session: SessionView | None = Field(None, description="Who is signed in already, by this browser's cookie.")


class SessionLine(View):
    """One that is signed in."""

    id: str
    name: str
    role: str
    namespace: str | None = None
    by: str = Field(description="`token`, or `oidc`.")
    subject: str | None = Field(None, description="As the identity provider names it.")
    address: str
    agent: str = Field(description="What the browser says that it is.")
    created: str
    seen: str = Field(description="Its last use, to the minute.")
    expires: str
    own: bool = Field(description="It is the one that asks.")


class EndedView(View):
    """How many sessions were ended."""

    ended: int
