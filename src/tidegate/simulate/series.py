"""Runs over time as CSV: one line for each scheduler and stretch of time."""

import csv
from collections.abc import Sequence
from typing import TextIO

from tidegate.simulate.report import Report

COLUMNS = (
    "scheduler", "at_s", "asked", "answered", "refused", "expired", "failed", "throttled", "charged_tokens",
    "quota_tokens", "waiting",
)  # fmt: skip


def write(file: TextIO, reports: Sequence[Report]) -> None:
    """`at_s` is the beginning of the stretch; `wait_p99_s_NAME` of what was let through in it, by group."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow([*COLUMNS, *(f"wait_p99_s_{group.name}" for group in reports[0].groups)])
    for report in reports:
        for moment in report.moments:
            rows.writerow(
                [
                    report.scheduler,
                    f"{moment.at_s:g}",
                    moment.asked,
                    moment.answered,
                    moment.refused,
                    moment.expired,
                    moment.failed,
                    moment.throttled,
                    moment.charged,
                    moment.quota,
                    moment.waiting,
                    *(f"{wait:.3f}" for wait in moment.p99_s),
                ]
            )
