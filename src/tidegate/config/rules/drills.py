"""Errors of drills that no single field shows: strategies that do not exist, judges that are missing."""

from collections.abc import Iterator

from tidegate.config.findings import Path
from tidegate.config.source import Document, as_list, as_mapping


def check_drills(document: Document) -> None:
    """Add to `document` what is wrong."""
    data = as_mapping(document.data)
    strategies = _strategies(data)
    for name, item in as_mapping(data.get("drills")).items():
        drill, path = as_mapping(item), ("drills", name)
        _of_strategies(drill, path, strategies, document)
        _judge(drill, path, document)
        _names(drill, path, document)


def _strategies(data: dict[str, object]) -> dict[str, bool]:
    """All by name, and whether they have fallbacks."""
    single = as_mapping(data.get("model_strategy"))
    primary = single.get("primary_model")
    found = {primary: bool(single.get("fallback_models"))} if isinstance(primary, str) else {}
    for name, item in as_mapping(data.get("strategies")).items():
        found[name] = bool(as_mapping(item).get("fallback_models"))
    return found


def _of_strategies(drill: dict[str, object], path: Path, known: dict[str, bool], document: Document) -> None:
    named = as_list(drill.get("strategies"))
    for index, name in enumerate(named):
        at = (*path, "strategies", index)
        if isinstance(name, str) and name not in known:
            document.refuse(at, "there is no such strategy", "name one under `strategies`")
        elif isinstance(name, str) and not known[name]:
            document.refuse(at, "this strategy has no fallback to prove", "give it fallback_models, or remove it here")
    if not named and not any(known.values()):
        document.refuse(path, "no strategy has a fallback to prove", "give one fallback_models, or remove the drill")


def _expects(drill: dict[str, object], path: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    for number, prompt in enumerate(as_list(drill.get("prompts"))):
        for index, item in enumerate(as_list(as_mapping(prompt).get("expect"))):
            yield (*path, "prompts", number, "expect", index), as_mapping(item)


def _judge(drill: dict[str, object], path: Path, document: Document) -> None:
    if drill.get("judge") is None:
        for at, item in _expects(drill, path):
            if item.get("judge") is not None:
                message = "nobody judges: the drill names no model for it"
                document.refuse((*at, "judge"), message, f"write `judge: MODEL` into {document.label(path)}")
                return


def _names(drill: dict[str, object], path: Path, document: Document) -> None:
    seen: set[str] = set()
    for number, item in enumerate(as_list(drill.get("prompts")), 1):
        name = as_mapping(item).get("name", str(number))
        if isinstance(name, str):
            if name in seen:
                document.refuse(
                    (*path, "prompts", number - 1, "name"), "another prompt has this name", "give each its own"
                )
            seen.add(name)
