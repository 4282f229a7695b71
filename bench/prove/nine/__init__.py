"""Issue 9/9, row by row, in the order of its list "Must show"."""

from bench.prove.nine import browser, fresh_root, judged, upgrade
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "In a browser: every page without a complaint, first page, a change that acts, a day of curves, much to find",
        (
            passing("tests/browser"),
            browser.first_page,
            browser.curves,
            browser.many,
        ),
    ),
    (
        "A fresh Debian with git and python3-venv: demo and tests of a clone, in Chinese too; the wheel without Node",
        (fresh_root.from_a_clone, fresh_root.in_chinese, fresh_root.from_the_wheel, fresh_root.as_in_its_image),
    ),
    ("An upgrade from an older store and policy file keeps everything", (upgrade.live, upgrade.kept)),
    (
        "tidegate judge: our gate in three shapes, a bad gateway found out, others by their recipes (--peers)",
        (judged.ours, judged.naive, judged.peers),
    ),
)
