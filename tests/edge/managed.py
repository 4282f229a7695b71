"""A gateway whose keys are managed while it runs."""

from typing import Any

from tests.edge.known import digest
from tests.edge.test_gateway import Asked, Door
from tests.line.scenes import play_of
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.roster import Roster
from tidegate.edge.gateway import Runtime
from tidegate.model.directory import Change, Gone, PutKey, PutNamespace
from tidegate.model.snapshot import ClientKey, Namespace, Snapshot
from tidegate.testing import Playbook

EMPTY = Snapshot(version=1, providers=())


def key(name: str, **more: Any) -> PutKey:
    """A key of the namespace `acme`, which is its own name."""
    return PutKey("acme", ClientKey(name, digest(name), **more))


def gone(name: str) -> Gone:
    return Gone("key", "acme", name)


class Managed(Door):
    """Beside the file, which declares nothing, a log is followed."""

    def __init__(self, *changes: Change, play: Playbook | None = None) -> None:
        super().__init__(play or play_of())
        self.log = Roster()
        self.gateway.runtime = Runtime(self.play.book, Clients(EMPTY, self.log))
        self.tell(PutNamespace(Namespace("acme")), *changes)

    def tell(self, *changes: Change) -> None:
        for change in changes:
            self.log.apply(change)
        self.gateway.runtime.follow(self.log)
        self.gateway.review()

    def by(self, name: str, path: bytes = b"/v1/chat/completions", **more: Any) -> Asked:
        """A request with a key."""
        return self.ask(path, authorization=b"Bearer " + name.encode(), **more)
