"""A plan: how calls that name one model or strategy are served. Composed at configuration time, then frozen."""

from dataclasses import dataclass

from tidegate.line.target import Target
from tidegate.model.call import Kind
from tidegate.model.shadow import ShadowPolicy
from tidegate.model.snapshot import RetryPolicy, SmoothingPolicy, StreamPolicy
from tidegate.policy.caching.terms import Terms
from tidegate.policy.failure.recovery import RetryBudget

_SIMPLE = StreamPolicy()
_NO_HEDGES = RetryBudget(RetryPolicy(budget_permille=0, budget_floor=0))


@dataclass(frozen=True, slots=True)
class Step:
    """What calls of these tiers are given instead of a refusal: fewer tokens, another target, or a stale answer."""

    tiers: frozenset[str]
    max_tokens: int = 0
    target: Target | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Targets in order and the rules that hold for them. Times in microseconds."""

    name: str
    targets: tuple[Target, ...]
    retry: RetryPolicy
    smoothing: SmoothingPolicy
    deadline_us: int
    fallback_after_us: int
    budget: RetryBudget
    ladder: tuple[Step, ...] = ()  # tried in order, each once, when a call would be refused
    loyal: bool = False  # one of its targets is: calls need to be recognised, before they are run
    strict: bool = False  # what a provider's dialect cannot say is a reason not to ask it
    streams: StreamPolicy = _SIMPLE
    hedges: RetryBudget = _NO_HEDGES
    caching: Terms | None = None  # None: its calls are always made
    asynchronous: bool = False  # its calls are jobs, also where a client waits for them
    backend: str = ""  # what carries its jobs
    shadow: "Shadow | None" = None  # who is asked some of the same, too

    @property
    def counts(self) -> bool:
        """Whether one of its providers counts a prompt's tokens."""
        return any(Kind.COUNT in target.ways for target in self.targets)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate for the place of a strategy's primary model: when it is asked, and the plan for that."""

    policy: ShadowPolicy
    plan: Plan
