"""What is judged with: the models of the twin, their limits, and what a gateway has to be told. Pure.

Every discipline has models of its own, so a gateway is configured once and no discipline spends another's quota.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from tidegate.judge.faults import CELLS, TOKENS

KEYS: Final = ("sk-judge-first", "sk-judge-second")  # of two tenants, at the gateway
REVOCABLE: Final = "sk-judge-revocable"
SILENCE_S: Final = 5  # a provider that says nothing for so long has failed
PATIENCE_S: Final = 30  # of every client, for the answer to one request
RPM: Final = 120
FAIR_RPM: Final = 240
TPM: Final = 30_000
CALL_TOKENS: Final = 250  # `max_tokens` of a call that tokens are counted of, all of which are produced
FREE: Final = 1_000_000
REQUESTS, TOKENS_MODEL, FAIR, HONEST = "judge-requests", "judge-tokens", "judge-fair", "judge-retry"
STORM, BOOKS, KEY, KILLED = "judge-storm", "judge-books", "judge-key", "judge-restart"
_PATHS: Final = {"openai": "/openai/v1", "anthropic": "/anthropic/v1"}


@dataclass(frozen=True, slots=True)
class Route:
    """A model that clients name, the provider's limits of it, and the model that is asked when it fails ("" = none)."""

    model: str
    rpm: int
    tpm: int
    spare: str = ""

    @property
    def key(self) -> str:
        """The provider's: each model is at an account of its own, so that what befalls one is no other's."""
        return account(self.model)


def account(model: str) -> str:
    """The provider's key for a model."""
    return f"sk-{model}"


ROUTES: Final = (
    Route(REQUESTS, RPM, FREE * 1_000),
    Route(TOKENS_MODEL, FREE, TPM),
    Route(FAIR, FAIR_RPM, FREE * 1_000),
    Route(HONEST, RPM, FREE * 1_000),
    Route(KILLED, RPM, FREE * 1_000),
    *(Route(model, FREE, FREE * 1_000) for model in (STORM, BOOKS, KEY)),
    *(Route(cell.model, FREE, FREE * 1_000, cell.spare) for cell in CELLS),
)


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the twin is, and how its limits come back."""

    origin: str
    dialect: str = "openai"
    window: str = "continuous"

    @property
    def base_url(self) -> str:
        """What a gateway takes as the provider's base URL."""
        return self.origin + _PATHS[self.dialect]

    def twin(self, seed: int) -> dict[str, Any]:
        """The twin's settings, as its file has them."""
        names = [name for route in ROUTES for name in (route.model, route.spare) if name]
        return {
            "limits": {"rpm": FREE, "tpm": FREE * 1_000, "otpm": FREE * 1_000},
            "model_limits": {one.model: {"rpm": one.rpm, "tpm": one.tpm, "otpm": FREE * 1_000} for one in ROUTES},
            "models": [{"name": name, "provider": self.dialect} for name in names],
            "rules": {"window": self.window},
            "timing": {"ttft_ms": 20, "tpot_ms": 2, "tokens": TOKENS, "chunk_tokens": 1, "chunk_ms": 0},
            "seed": seed,
            "events": 1_000_000,
        }

    def told(self) -> dict[str, Any]:
        """All that a gateway has to be told, as JSON."""
        return {
            "provider": {
                "dialect": self.dialect,
                "base_url": self.base_url,
                "key": account("MODEL"),
                "window": self.window,
            },
            "keys": {"first tenant": KEYS[0], "second tenant": KEYS[1], "to be revoked": REVOCABLE},
            "timeouts": {"provider_silent_seconds": SILENCE_S, "client_waits_seconds": PATIENCE_S},
            "models": [asdict(route) for route in ROUTES],
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        yield f"provider      {self.base_url} in {self.dialect}'s dialect"
        yield "accounts      one for each model: the provider's key is sk-MODEL, of a fallback sk-MODEL-spare"
        yield f"limits        {_WINDOWS[self.window]}; a token limit is charged max(prompt, max_tokens) at admission"
        yield f"client keys   {KEYS[0]} and {KEYS[1]}, two tenants of equal right; {REVOCABLE}, to be revoked"
        yield f"time-outs     a provider that is silent for {SILENCE_S} s has failed; clients wait {PATIENCE_S} s"
        yield ""
        yield f"{'model':<34} {'rpm':>9} {'tpm':>13}  fallback"
        for one in ROUTES:
            rpm, tpm = _amount(one.rpm, FREE), _amount(one.tpm, FREE * 1_000)
            yield f"{one.model:<34} {rpm:>9} {tpm:>13}  {one.spare or '–'}"


_WINDOWS: Final = {
    "continuous": "a bucket of one minute's depth, full at the start, refilled continuously",
    "fixed": "a fixed window of a minute that begins with the first request",
    "sliding": "any stretch of a minute",
    "quantised": "a sixtieth each second",
}


def _amount(number: int, free: int) -> str:
    return "free" if number >= free else f"{number:,}"
