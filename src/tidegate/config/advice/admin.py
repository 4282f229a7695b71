"""What is worth saying about sign-in."""

from collections.abc import Iterator

from tidegate.config.findings import Advice
from tidegate.config.schema.file import Config
from tidegate.config.source import Document


def advise_admin(config: Config, document: Document) -> Iterator[Advice]:
    """A secret that everybody can read who reads the file; a sign-in whose idle time never comes."""
    item, path = config.admin, ("admin", "oidc", "client_secret")
    if item.oidc is not None and item.oidc.client_secret is not None and path not in document.substituted:
        yield path, "a secret stands in the file", 'keep it in the environment and write "${NAME}"'
    if item.idle_seconds > item.session_seconds:
        remedy = "make it shorter than session_seconds"
        yield ("admin", "idle_seconds"), "no effect: a sign-in has ended before", remedy
