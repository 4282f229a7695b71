"""The story of a call that the cache answered: why, whose answer it was, how old, and what that saved. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tidegate.control.admin.services import chain
from tidegate.control.admin.services.chain import END, READ, Figures, Row, Stage, seconds
from tidegate.control.admin.services.settings import as_money
from tidegate.model.facts import STALE
from tidegate.model.story import CACHED, Step

_WHY: Final = {
    "exact": "the same was asked before",
    "semantic": "what was asked before means the same",
    STALE: "no target served, and an older answer stood in",
    "joined": "the same was being answered for another call",
    "inputs": "every input was known",
}


def stages(row: Row, tries: Sequence[Row], story: Sequence[Step]) -> list[Stage]:
    """The chain of a call, made or answered by the cache, or both: where no target served. O(steps + attempts)."""
    hit = row.get("hit")
    if hit is None:
        return chain.stages(row, tries, story)
    if row["cache"] != STALE:
        return list(_answered(row, hit))
    made = [one for one in chain.stages(row, tries, story) if (one.stage, one.why) != (CACHED, STALE)]
    return [*made[:-1], _gave(hit, row["read_us"] + row["duration_us"]), made[-1]]


def saved(hit: Row) -> Mapping[str, object]:
    """As the admin API shows it."""
    return {
        "layer": hit["layer"],
        "source": str(hit["source"]),
        "similarity": hit["similarity_permille"] / 1_000,
        "age_us": hit["age_us"],
        "saved_prompt_tokens": hit["prompt_tokens"],
        "saved_completion_tokens": hit["completion_tokens"],
        "saved": as_money(hit["cost_nano"]),
        "charged": bool(hit["charged"]),
    }


def _answered(row: Row, hit: Row) -> Iterator[Stage]:
    read_us, lasted = row["read_us"], row["duration_us"]
    yield Stage(READ, 0, read_us, says="read, known and let in")
    yield _gave(hit, read_us, lasted)
    yield Stage(END, read_us + lasted, says="answered", figures={"status": row["status"]})


def _gave(hit: Row, at_us: int, lasted_us: int = 0) -> Stage:
    layer, source = hit["layer"], f"req_{hit['source']:x}"
    shown = saved(hit)
    figures: Figures = {"layer": layer, "source": source, "age_us": hit["age_us"], "saved": str(shown["saved"])}
    figures |= {name: hit[name] for name in ("similarity_permille",) if layer == "semantic"}
    figures |= {f"saved_{name}": hit[name] for name in ("prompt_tokens", "completion_tokens")}
    figures |= {"charged": 1} if hit["charged"] else {}
    return Stage(CACHED, at_us, lasted_us, why=layer, says="; ".join(_words(hit, source, shown)), figures=figures)


def _words(hit: Row, source: str, shown: Mapping[str, Any]) -> Iterator[str]:
    layer = hit["layer"]
    like = f" ({shown['similarity']:g})" if layer == "semantic" else ""
    yield f"the cache answered ({layer}): {_WHY.get(layer, layer)}{like}"
    yield f"the answer of {source}, {seconds(hit['age_us'])} old"
    yield f"saved {hit['prompt_tokens']} + {hit['completion_tokens']} tokens, {shown['saved']}"
    if hit["charged"]:
        yield "its tenant paid as if it had been made"
