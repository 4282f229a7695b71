"""A plan: how calls that name one model or strategy are served. Composed at configuration time, then frozen."""

from dataclasses import dataclass

from tidegate.line.target import Target
from tidegate.model.snapshot import RetryPolicy, SmoothingPolicy
from tidegate.policy.recovery import RetryBudget


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
