"""The tables of docs/profiles.md as the profiles have them. Print them: `python -m tests.config.profile_table`."""

from tests.config import tables
from tidegate.config.fields import all_fields
from tidegate.config.profiles import profile_names, shipped
from tidegate.config.schema.profile import ProfileConfig

CHARGES = {"max": "the larger of prompt and `max_tokens`", "sum": "prompt and `max_tokens`", "prompt": "the prompt"}
HEAD = ["| profile | dated | charge | corrected | cached input | window | headers | appended |", "|" + "---|" * 8]
SOURCES = ["| profile | source |", "|---|---|"]


def row(name: str) -> str:
    profile = shipped(name)
    cells = (
        f"`{name}`",
        profile.dated,
        CHARGES[profile.charge] + (", output apart" if profile.split else ""),
        "by the usage" if profile.settles else "no",
        "free" if profile.cached_free else "counts",
        profile.window,
        f"`{profile.headers}`",
        f"`{profile.version}`",
    )
    return f"| {' | '.join(cells)} |"


def table() -> list[str]:
    return [*HEAD, *(row(name) for name in profile_names())]


def sources() -> list[str]:
    return [*SOURCES, *(f"| `{name}` | {shipped(name).source} |" for name in profile_names())]


def fields() -> dict[str, list[str]]:
    """The rows of the fields of a profile, and of a row of its refusals."""
    rows: dict[str, list[str]] = {}
    for path, field in all_fields(ProfileConfig):
        parent, _, name = path.rpartition(".")
        rows.setdefault(parent, []).append(tables.row(name, field).replace("``", '`""`'))
    return rows


if __name__ == "__main__":
    print("\n".join([*table(), "", *sources()]))
    for parent, lines in fields().items():
        print(f"\n### `{parent}`\n", *lines, sep="\n")
