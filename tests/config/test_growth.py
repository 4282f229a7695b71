"""What is read, checked and edited costs what the file has, and not its square: counted in lines of Python that run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.config import large
from tests.config.steps import growth, steps
from tidegate.config import source
from tidegate.config.advice import isolation, tenants
from tidegate.config.advice.cache_rules import covered
from tidegate.config.advice.ends import Ends
from tidegate.config.edit import masks, tree
from tidegate.config.edit.asked import Applicable, ApplyAsk, EditAsk, Preview
from tidegate.config.edit.work import answer
from tidegate.config.findings import ConfigError
from tidegate.config.load import Loaded, load
from tidegate.config.nodes import compose
from tidegate.config.rules.access import check_access
from tidegate.config.rules.regions import check_regions
from tidegate.config.rules.tenants import check_tenants
from tidegate.config.schema.cache import CacheRuleConfig
from tidegate.config.source import Document

N = 120
LINEAR = 2.05  # 2 exactly, but for logarithms; 4 for a square
WALL = 1_700_000_000_000_000
ENVIRON = {"KEY": "k" * 30, "TIER": "paid"}
EDIT = "queue: {max_calls: 77}\n"
Shape = Callable[[int], str]


def name_of(shape: Shape) -> str:
    return shape.__name__


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So low that they are reached by what these tests have."""
    monkeypatch.setattr(source, "MAX_COMPARISONS", 1)
    monkeypatch.setattr(tenants, "MOST_OUTSIDE", 10)
    monkeypatch.setattr(isolation, "MOST_UNSERVED", 10)


def loaded(path: Path, text: str) -> Loaded | ConfigError:
    path.write_text(text)
    try:
        return load(str(path), ENVIRON, wall=WALL)
    except ConfigError as error:
        return error


@pytest.mark.parametrize("shape", large.RIGHT, ids=name_of)
def test_reading_grows_with_the_file(shape: Shape, tmp_path: Path) -> None:
    """Whatever a file has very many of."""
    assert isinstance(loaded(tmp_path / "gate.yaml", shape(N)), Loaded)
    assert growth(lambda n: loaded(tmp_path / "gate.yaml", shape(n)), N) < LINEAR


@pytest.mark.parametrize("shape", large.WRONG, ids=name_of)
def test_refusing_grows_with_the_file(shape: Shape, tmp_path: Path) -> None:
    """Very many errors are found, each with its remedy, without looking at everything for each."""
    error = loaded(tmp_path / "gate.yaml", shape(N))
    assert isinstance(error, ConfigError)
    assert len(error.findings) >= N // 4
    assert growth(lambda n: loaded(tmp_path / "gate.yaml", shape(n)), N) < LINEAR


@pytest.mark.parametrize(
    "shape",
    [large.namespaces, large.tenants, large.strategies, large.models, large.providers, large.users, large.secrets],
    ids=name_of,
)
def test_editing_grows_with_the_file(shape: Shape, tmp_path: Path) -> None:
    """To try a text, and to have what is to be written, where the rights of who asks are looked at, too."""

    def edit(n: int) -> None:
        tree.composed.cache_clear()
        masks.secret_spans.cache_clear()
        base, path = shape(n), str(tmp_path / "gate.yaml")
        sent = masks.Masker(b"k").hide(base).text + EDIT
        shown = answer(EditAsk(key=b"k", base=base, file=path, text=sent), ENVIRON, WALL)
        assert isinstance(shown, Preview)
        assert not shown.errors
        found = answer(ApplyAsk(key=b"k", base=base, file=path, text=sent, guards=True), ENVIRON, WALL)
        assert isinstance(found, Applicable)
        assert found.plain == base + EDIT

    assert growth(edit, N // 2) < LINEAR


def test_masks_that_stand_for_nothing_are_told_in_one_pass() -> None:
    """Their lines are counted once: what is counted again for each would be the whole text."""
    text = "".join(f"- «secret:{number:016x}»\n" for number in range(50))
    _, findings = masks.put_back(text, {})
    assert [(one.line, one.column) for one in findings] == [(number + 1, 3) for number in range(50)]
    lines = masks.Lines("ab\nc\n\nd")
    assert [lines.place(at) for at in (0, 1, 3, 5, 6)] == [(1, 1), (1, 2), (2, 1), (3, 1), (4, 1)]


def test_merged_values_grow_with_what_is_merged() -> None:
    """One mapping that takes those of very many others; the first that brings a name counts."""
    assert growth(lambda n: tree.plain(compose(large.merged(n))), N) < LINEAR
    assert tree.plain(compose("a: {<<: [{x: 1, y: 2}, {y: 3, z: 4}], z: 5}")) == {"a": {"x": 1, "y": 2, "z": 5}}


def test_pairs_of_tenants_and_providers_are_bounded(tmp_path: Path) -> None:
    """Their number is a product: some are told, and the rest costs nothing."""
    found = loaded(tmp_path / "gate.yaml", large.pools(N))
    assert isinstance(found, Loaded)
    assert sum("is kept for others" in one.message for one in found.warnings) == 10


def test_unknown_names_are_guessed_until_enough_was_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then remedies list what there is."""
    monkeypatch.setattr(source, "MAX_COMPARISONS", 60)
    error = loaded(tmp_path / "gate.yaml", large.unknown_tiers(40))
    assert isinstance(error, ConfigError)
    remedies = [one.remedy for one in error.findings]
    assert sum(remedy.startswith("did you mean t0") for remedy in remedies) == 3  # of 24 tiers each
    assert remedies[-1].startswith("use one of ")


def test_rules_of_the_cache_are_held_against_few() -> None:
    """Whichever of tags and models tells them apart."""
    kinds: list[list[dict[str, object]]] = [
        [{"tags": ["all", f"t{number}"], "models": ["m"]} for number in range(4 * N)],
        [{"tags": ["all"], "models": [f"m{number}", f"n{number}*"]} for number in range(4 * N)],
        [{"routes": ["chat"]} for _ in range(4 * N)],
    ]
    for kind in kinds:
        rules = [CacheRuleConfig.model_validate({"ttl": 5, **rule}) for rule in kind]

        def find(n: int, rules: list[CacheRuleConfig] = rules) -> None:
            list(covered(rules[:n]))

        assert growth(find, N) < LINEAR, kind[0]


def test_ends_are_found_without_looking_at_all_names() -> None:
    """What a pattern allows is asked of a tree."""
    ends = {f"m{number:05}": [f"m{number:05}"] for number in range(4_096)}
    few, many = Ends(dict(list(ends.items())[:64]), 4), Ends(ends, 4)
    patterns = [("m*",), ("m000*", "m00013")]
    assert many.first(patterns) == few.first(patterns) == ("m00000", "m00001", "m00002", "m00003")
    again = [("m0001*",), ("m00012", "m00013", "x*")]
    assert many.first(again) == ("m00012", "m00013")
    asked = [("m*",), ("m00*",)]
    assert steps(lambda: many.first(asked)) < 5 * steps(lambda: few.first(asked))


class Counted(str):
    """A name that knows how often names were compared, which no line of Python shows where a list is searched."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def comparisons(check: Callable[[Document], None], data: dict[str, object]) -> int:
    Counted.compared = 0
    check(Document(data=data))
    return Counted.compared


def test_lists_of_names_are_not_searched() -> None:
    """A name is looked up, and not held against all others."""
    names = [Counted(f"n{number}") for number in range(200)]
    scopes = [Counted(f"p/{name}") for name in names]
    provider = {"scopes": [{"name": name} for name in names]}
    pool = {"scopes": scopes, "only": names, "shares": dict.fromkeys(names, "0.1%")}
    data = {"providers": {"p": provider}, "pools": {"p": pool}, "namespaces": {name: {} for name in names}}
    assert comparisons(check_tenants, data) < 10 * len(names)
    assert comparisons(check_regions, {"regions": {"name": "n0", "all": names}}) < 10 * len(names)
    pools = {name: {"only": [name]} for name in names}
    alone = {name: {"isolation": {"port": number}} for number, name in enumerate(names)}
    assert comparisons(check_access, {"pools": pools, "namespaces": alone}) < 10 * len(names)
