"""A LiteLLM proxy's `config.yaml` as a file of ours."""

from typing import Any

from tidegate.config.convert.deployments import deployments
from tidegate.config.convert.draft import Draft
from tidegate.config.convert.groups import Groups
from tidegate.config.convert.reasons import reason
from tidegate.config.convert.report import Report
from tidegate.config.convert.settings import Settings
from tidegate.config.convert.writing import Converted, written


def convert(tree: Any) -> Converted:
    """What `tree` says, in our words. Raises `ValueError` when it is no such file or nothing of it can be served."""
    listed = tree.get("model_list") if isinstance(tree, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it has no model_list, so it is not a configuration of LiteLLM's proxy")  # noqa: TRY004 - the file is wrong, not the caller
    draft, report = Draft(), Report(tree)
    found = deployments(tree, draft, report)
    if not found:
        notes = report.notes(reason)
        raise ValueError("no deployment could be carried over: " + "; ".join(note.line() for note in notes[:3]))
    groups = Groups(found, draft, report)
    Settings(tree, draft, report).read(groups, weighted=any(item.weighted for item in found))
    return written(draft, report.notes(reason), "a configuration of LiteLLM")
