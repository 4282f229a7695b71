"""A gateway that keeps answers, in front of a playbook's line."""

from typing import Any

from tests.edge.test_gateway import BODY, CHAT, Asked, Door
from tests.line.scenes import play_of
from tidegate.cache.answers import Answers
from tidegate.cache.memory import Memory
from tidegate.edge.caching.cache import Cache
from tidegate.edge.caching.hits import HitLog
from tidegate.edge.gateway import Gateway
from tidegate.model.facts import Hit, Hits
from tidegate.model.snapshot import CacheSettings, Caching
from tidegate.policy.caching.purges import Purges
from tidegate.testing.playbook import Playbook


class Quiet:
    """A log that nobody reads."""

    def warning(self, event: str, **fields: Any) -> None:
        """Nothing."""


def keeping(door: Door, purges: Purges | None = None) -> Answers:
    """From now on this door's gateway keeps answers: here."""
    clock, recorder, runtime = door.play.clock, door.play.recorder, door.gateway.runtime
    purged = Purges() if purges is None else purges
    answers = Answers(Memory(1 << 20), [], CacheSettings(), purged, clock, Quiet())  # type: ignore[arg-type]
    door.gateway = gateway = Gateway(runtime, door.play.line, clock, recorder, recorder)
    log = HitLog(clock, recorder)
    gateway.pipeline.cache = Cache(answers, gateway.replies, clock, log, gateway.pipeline.resume)
    return answers


class CachedDoor(Door):
    """As `Door`; a call names the strategy `s`, whose first model is `a`."""

    def __init__(
        self, caching: Caching | None = None, play: Playbook | None = None, names: dict[str, str] | None = None
    ) -> None:
        caching = caching or Caching(enabled=True, ttl_seconds=60)
        super().__init__(play or play_of(primary_model="a", caching=caching), names)
        self.purges = Purges()
        self.answers = keeping(self, self.purges)

    def chat(self, **fields: Any) -> Asked:
        """A call of the strategy; `h_NAME`: a header."""
        headers = {name[2:]: value for name, value in fields.items() if name.startswith("h_")}
        body = {**BODY, **{name: value for name, value in fields.items() if not name.startswith("h_")}}
        return self.ask(CHAT, body=body, **headers)

    @property
    def cache(self) -> Cache:
        """Where its gateway keeps them."""
        cache = self.gateway.pipeline.cache
        assert isinstance(cache, Cache)
        return cache

    @property
    def sent(self) -> int:
        """Requests that reached the provider."""
        return len(self.play.sent("openai")) if "openai" in self.play.transports else 0

    @property
    def hits(self) -> list[Hit]:
        """What the cache has answered."""
        self.cache.hits.flush()
        return [hit for fact in self.play.recorder.facts if isinstance(fact, Hits) for hit in fact.hits]

    @property
    def notes(self) -> list[str]:
        """What became of the answers that were made."""
        self.cache.hits.flush()
        return [note.word for fact in self.play.recorder.facts if isinstance(fact, Hits) for note in fact.notes]
