"""What was in force before, kept in the database without secrets; changes made outside of the gate are noted, too."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tidegate.control.policy.desk import Applied, Current, PolicyDesk

if TYPE_CHECKING:
    from sqlalchemy import Engine

ASKED: Final = "policy."  # what actions in the audit begin with
IN_FORCE: Final = "in force"


class History:
    """For any thread. `wall` tells microseconds since 1970."""

    __slots__ = ("_desk", "_engine_of", "_seen", "_wall")

    def __init__(self, desk: PolicyDesk, engine_of: "Callable[[], Engine]", wall: Callable[[], int]) -> None:
        """`engine_of` may raise what its caller understands."""
        self._desk = desk
        self._engine_of = engine_of
        self._wall = wall
        self._seen = ""  # the digest that the database is known to have

    def whose(self, now: Current) -> str:
        """The node that its versions are of, "" = of all."""
        return "" if now.common else self._desk.ways.node()

    def keep(self, applied: Applied, now: Current, actor: str, comment: str) -> int:
        """A change that somebody made here; returns its number. Once, also where the watch was first."""
        counted = (applied.added, applied.removed)
        return self._add(self.whose(now), actor, comment, applied.digest, counted, applied.text)

    def note(self, now: Current) -> bool:
        """What is in force, if the database does not have it yet. True: it was changed outside of the gate.

        The first of all is a beginning and no change. What somebody asked for here, and the database was away when it
        came into force, is his.
        """
        from tidegate.config.edit.difference import difference  # noqa: PLC0415 - for who notes, which is seldom
        from tidegate.store import audit, policies  # noqa: PLC0415 - the database's imports
        from tidegate.store.engine import writing  # noqa: PLC0415 - likewise

        if now.digest == self._seen:
            return False
        node = self.whose(now)
        with self._engine_of().connect() as connection:
            last = policies.newest(connection, node)
            asked = audit.asked(connection, ASKED, now.digest)
        if last is not None and last[0].digest == now.digest:
            self._seen = now.digest
            return False
        text = self._desk.masked(now)
        found = difference(last[1], text) if last is not None else difference("", "")
        who = asked.actor if asked is not None else ""
        comment = str(json.loads(asked.after or "{}").get("comment", "")) if asked is not None else ""
        number = self._add(node, who, comment, now.digest, (found.added, found.removed), text)
        if asked is not None:
            after = {"outcome": IN_FORCE, "history": number, "comment": comment}
            with writing(self._engine_of()) as connection:
                audit.complete(connection, asked.id, str(number), audit.as_json(after))
        return last is not None and asked is None

    def _add(self, node: str, actor: str, comment: str, digest: str, counted: tuple[int, int], text: str) -> int:
        from tidegate.store import policies  # noqa: PLC0415 - the database's imports
        from tidegate.store.engine import writing  # noqa: PLC0415 - likewise

        version = policies.Version(0, self._wall(), node, actor, comment, digest, *counted)
        with writing(self._engine_of()) as connection:
            last = policies.newest(connection, node)
            there = last is not None and last[0].digest == digest
            number = last[0].id if last is not None and there else policies.add(connection, version, text)
        self._seen = digest
        return number
