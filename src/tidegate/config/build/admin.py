"""Sign-in, from the checked configuration to the snapshot's record."""

from pathlib import Path

from tidegate.config.schema.admin import AdminConfig, OidcConfig
from tidegate.model.admin import AdminSettings, OidcRole, OidcSettings


def admin(item: AdminConfig, folder: Path) -> AdminSettings:
    """Its record; a relative path starts at `folder`."""
    return AdminSettings(
        session_us=round(item.session_seconds * 1_000_000),
        idle_us=round(item.idle_seconds * 1_000_000),
        oidc=None if item.oidc is None else _oidc(item.oidc, folder),
    )


def _oidc(item: OidcConfig, folder: Path) -> OidcSettings:
    return OidcSettings(
        issuer=item.issuer,
        client_id=item.client_id,
        client_secret=item.client_secret or "",
        title=item.title,
        scopes=tuple(item.scopes),
        roles=tuple(OidcRole(one.claim, one.value, one.role, one.namespace or "") for one in item.roles),
        ca_file=str(folder / item.ca_file) if item.ca_file else "",
    )
