"""What every part of a running twin shares."""

from random import Random

from tidegate.ports import Clock
from tidegate.twin.calls import Call, Calls
from tidegate.twin.directory import Directory
from tidegate.twin.events import Event, Events
from tidegate.twin.faults import Faults
from tidegate.twin.pace import Pace
from tidegate.twin.prompt_cache import PromptCache
from tidegate.twin.settings import Settings
from tidegate.twin.tokens import Tokenizer
from tidegate.twin.windows import SECOND


class State:
    """Settings, books, limiters, faults, the tokenizer, the clock and the dice of one twin."""

    __slots__ = (
        "cache",
        "calls",
        "clock",
        "directory",
        "epoch",
        "events",
        "faults",
        "models",
        "pace",
        "rng",
        "settings",
        "tokenizer",
    )

    def __init__(self, settings: Settings, clock: Clock, tokenizer: Tokenizer) -> None:
        self.settings = settings
        self.clock = clock
        self.tokenizer = tokenizer
        self.rng = Random(settings.seed)
        self.faults = Faults(Random(settings.seed + 1))  # drawing a fault changes no answer
        self.calls = Calls(settings.seed)
        self.directory = Directory(settings, clock.now())
        self.cache = PromptCache(int(settings.rules.cache_ttl_s * SECOND))
        self.events = Events(settings.events)
        self.pace = Pace(clock, settings.timing.chunk_ms, settings.timing.chunk_tokens)
        self.models = {model.name: model for model in settings.models}
        self.epoch = clock.wall() - clock.now()

    def reset(self) -> None:
        """Empty books, full windows, no calls remembered. Limits and faults stay as they were set."""
        self.directory.reset(self.clock.now())
        self.calls.forget()
        self.cache.clear()
        self.events.forget()

    def note(self, call: Call) -> None:
        """The limiter has decided on a call: an event, where those are kept."""
        if self.settings.events:
            event = Event(call.arrived_at, call.key, call.model, call.user, call.charged_tokens, call.label)
            self.events.note(event)

    def call(self, method: bytes, path: bytes) -> Call:
        """A new call, on the record."""
        return self.calls.begin(method.decode("latin-1"), path.decode("latin-1"), self.clock.now())
