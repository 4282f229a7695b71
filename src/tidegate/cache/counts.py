"""What a layer of the cache did: plain integers, so that the path of a hit adds to them without a look-up."""


class Counts:
    """Of one layer, memory included, since the worker began. `timeouts` are among the `errors`."""

    __slots__ = ("corrupt", "dropped", "errors", "gets", "hits", "timeouts", "writes")

    def __init__(self) -> None:
        self.gets = 0
        self.hits = 0
        self.errors = 0  # reads and writes that failed
        self.timeouts = 0
        self.corrupt = 0  # frames that could not be read, or were another key's
        self.writes = 0
        self.dropped = 0  # writes that were not tried: too many waited, or the layer was out


class Standing:
    """One layer at this moment. -1 entries or bytes: it does not tell."""

    __slots__ = ("bytes", "counts", "entries", "evicted", "name", "up")

    def __init__(self, name: str, counts: Counts, entries: int, held: int, evicted: int, up: bool) -> None:
        self.name = name
        self.counts = counts
        self.entries = entries
        self.bytes = held
        self.evicted = evicted
        self.up = up  # False: left alone for a while, because it failed

    @property
    def figures(self) -> tuple[str, int, int, int, int, int, int, int, int, int, int, bool]:
        """The fields of `observe.meters.AnswersMeter`, in their order."""
        of = self.counts
        did = (of.gets, of.hits, of.errors, of.timeouts, of.corrupt, of.writes, of.dropped)
        return (self.name, *did, self.evicted, self.entries, self.bytes, self.up)
