"""LiteLLM's groups of models, their fallbacks and aliases: strategies."""

from collections.abc import Sequence
from typing import Any, Final

from tidegate.config.convert import values
from tidegate.config.convert.deployments import Deployment
from tidegate.config.convert.draft import Draft
from tidegate.config.convert.report import Path, Report

_LISTS: Final = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
_CONTEXT: Final = (
    "one list of fallbacks serves for every reason; who is known to have too small a window (`models.….context`) is "
    "passed over"
)


class Groups:
    """What each group's models are, and where calls go when they cannot serve."""

    def __init__(self, found: Sequence[Deployment], draft: Draft, report: Report) -> None:
        self._draft, self._report = draft, report
        self._found = sorted(found, key=lambda item: item.order)
        self._models: dict[str, list[str]] = {}
        for item in self._found:
            models = self._models.setdefault(item.group, [])
            if item.model not in models and "*" not in item.model:
                models.append(item.model)
        self._embeds = {item.group for item in found if item.embeds}  # no model that talks can stand in for them
        self._next: dict[str, list[str]] = {}
        self._rest: list[str] = []

    def fallbacks(self, section: str, name: str, value: Any) -> None:
        """`fallbacks` or `context_window_fallbacks`: a list of `{group: [group, …]}`."""
        at: Path = (section, name)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            for group, others in (item if isinstance(item, dict) else {}).items():
                path = (*at, index, str(group))
                if group not in self._models:
                    self._report.left(path, "no deployment of this group could be carried over")
                    continue
                self._next.setdefault(group, []).extend(values.strings(others))
                self._speak(path, f"strategies.{group}.fallback_models", _CONTEXT if name != "fallbacks" else "")

    def default_fallbacks(self, path: Path, value: Any) -> None:
        """For groups that have none of their own."""
        self._rest = values.strings(value)
        self._report.mapped(path, "strategies")

    def aliases(self, path: Path, value: Any) -> None:
        """`{alias: group}`, or `{alias: {model: group}}`."""
        for alias, item in (value if isinstance(value, dict) else {}).items():
            group = item.get("model") if isinstance(item, dict) else item
            if group in self._models:
                self._models[str(alias)] = self._models[group]
                self._next.setdefault(str(alias), []).extend(self._next.get(group, []))
                self._report.mapped((*path, str(alias)), f"strategies.{alias}")
            else:
                self._report.left((*path, str(alias)), "no deployment of this group could be carried over")

    def _speak(self, path: Path, to: str, why: str) -> None:
        if why:
            self._report.changed(path, to, why)
        else:
            self._report.mapped(path, to)

    def strategies(self, most: int | None, shared: dict[str, Any]) -> None:
        """Write them; `most` fallbacks each, `shared` is what all of them have in common."""
        for group, models in self._models.items():
            chain = list(models)
            rest = () if group in self._embeds else self._rest
            for other in self._next.get(group) or rest:
                chain += [model for model in self._models.get(other, [other]) if "*" not in model]
            chain = list(dict.fromkeys(chain))
            if not chain or "*" in group or chain == [group]:
                continue
            own = len(models)
            chain = chain[: own + most] if most is not None else chain
            strategy: dict[str, Any] = {"primary_model": chain[0]}
            if chain[1:]:
                strategy["fallback_models"] = [
                    {"model": model, "priority": rank} for rank, model in enumerate(chain[1:], 1)
                ]
            self._draft.section("strategies")[group] = strategy | shared
