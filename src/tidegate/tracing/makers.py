"""Who is asked, as OpenTelemetry's conventions name it: by the profile that a provider has, not by what it is called.

`gen_ai.provider.name` "acts as a discriminator that identifies the GenAI telemetry format flavor": two accounts of one
maker are one provider there, whatever the configuration calls them. `server.address` and `server.port` are those of
the base URL. Source: https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tidegate.tracing import names

_PORTS: Final = {"https": 443, "http": 80}


class Maker(NamedTuple):
    """What one provider of the configuration is called there, and where it is asked."""

    name: str
    address: str = ""  # "" = not known
    port: int = 0


Makers = Mapping[str, Maker]  # by what the configuration calls the provider


def maker(profile: str, base_url: str) -> Maker:
    """Of one provider: the conventions' word for its profile or, where they have none, its host; else the profile's."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # no URL: the configuration's check says so
        host, port = "", 0
    return Maker(names.PROVIDERS.get(profile) or _by_host(host) or profile or names.UNKNOWN, host, port)


def of(makers: Makers, provider: str) -> Maker:
    """Of a provider that a record names; one that is configured no more keeps the name that it had. O(1)."""
    return makers.get(provider) or Maker(names.PROVIDERS.get(provider, provider))


def _by_host(host: str) -> str:
    return next((name for like, name in names.HOSTS.items() if fnmatchcase(host, like)), "")
