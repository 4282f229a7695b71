"""A question that is compared with those answered before, and what came of it.

Read on the path of a call: no msgspec structs. `model/cached.py` has what is kept of answers.
"""

from tidegate.model.caching import SemanticPolicy


class Comparison:
    """A question. Two are compared where their `scope` is equal: who shares, the model, and all else of the request.

    `vector` is its embedding (float32, little-endian) where the embedder is a model; b"" = the process embeds it.
    """

    __slots__ = ("call_id", "policy", "scope", "text", "vector")

    def __init__(self, scope: bytes, text: str, vector: bytes, policy: SemanticPolicy, call_id: int) -> None:
        self.scope = scope  # 32 bytes
        self.text = text
        self.vector = vector
        self.policy = policy
        self.call_id = call_id


class MatchResult:
    """What came of a comparison. With `serve` the answer under `key` is given, else the call goes on.

    `explore`: the call goes on, and what it is answered is worth comparing with the answer under `key`
    (`ports.Semantics.compared`). `why` it was not served: `none` (nothing to compare with), `below` (not alike enough),
    `lexical:…` (what must agree differs, and what that is), `explore` (still to be learnt), `shadow` (it would have
    been), `long` (the text), `late` (no time, or a full queue), `away` (there is no embedder).
    """

    __slots__ = ("call_id", "explore", "key", "serve", "similarity_permille", "source", "why")

    def __init__(
        self, key: bytes, similarity_permille: int, source: int, serve: bool, explore: bool, why: str, call_id: int = 0
    ) -> None:
        self.key = key  # b"" where there is no neighbour
        self.similarity_permille = similarity_permille
        self.source = source  # the call that was answered so
        self.serve = serve
        self.explore = explore
        self.why = why
        self.call_id = call_id  # of the question
