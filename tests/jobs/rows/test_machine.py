"""Whatever order runners, brokers, clients and clerks come in: rows do what their reference does."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.jobs.rows.reference import Reference
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.rows.tables import METADATA
from tidegate.store.engine import writing

_WHICH = st.integers(0, 11)
_RUNNER = st.integers(0, 2)
_SUBMIT = st.tuples(
    st.just("submit"), st.integers(0, 2), st.booleans(), st.integers(-1, 1), st.sampled_from([0, 0, 40]),
    st.sampled_from([60, 10_000]), st.booleans(),
)  # fmt: skip
_STEPS = st.one_of(
    _SUBMIT,
    st.tuples(st.just("claim"), st.integers(1, 4), _RUNNER),
    st.tuples(st.just("dispatch"), st.integers(1, 3), st.sampled_from([0, 90])),
    st.tuples(st.just("lease"), _WHICH, _RUNNER),
    st.tuples(st.just("finish"), _WHICH, st.sampled_from(["done", "failed", "dead", "queued", "cancelled"]),
              st.booleans(), st.sampled_from([0, 40])),
    st.tuples(st.just("renew"), _RUNNER),
    st.tuples(st.just("reap")),
    st.tuples(st.just("cancel"), _WHICH),
    st.tuples(st.just("requeue"), _WHICH, st.sampled_from([60, 10_000])),
    st.tuples(st.just("undispatch"), _WHICH),
    st.tuples(st.just("tick"), st.sampled_from([1, 45, 101])),
)  # fmt: skip
_STORY = st.builds(list.__add__, st.lists(_SUBMIT, min_size=3, max_size=8), st.lists(_STEPS, min_size=8, max_size=60))
_EXAMPLES = int(os.environ.get("TIDEGATE_EXAMPLES", "0"))


def _clear(rows: JobRows) -> None:
    with writing(rows.engine) as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())


def _play(rows: JobRows, steps: list[tuple[Any, ...]]) -> None:
    _clear(rows)
    reference = Reference(rows)
    for name, *values in steps:
        getattr(reference, name)(*values)
    reference.compare()


def _limits(examples: int) -> Any:
    return settings(
        max_examples=_EXAMPLES or examples,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate] if _EXAMPLES else list(Phase),
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@_limits(40)
@given(steps=_STORY)
def test_sqlite_does_what_the_reference_does(sqlite: JobRows, steps: list[tuple[Any, ...]]) -> None:
    """Each job has one end for each time that it began, counts agree with rows, and no fence goes back."""
    _play(sqlite, steps)


@_limits(20)
@given(steps=_STORY)
def test_postgresql_does_what_the_reference_does(postgresql: JobRows, steps: list[tuple[Any, ...]]) -> None:
    """The same."""
    _play(postgresql, steps)


@pytest.mark.parametrize("state", ["done", "queued"])
def test_the_reference_is_no_mirror(sqlite: JobRows, state: str) -> None:
    """It sees a row that is not as it should be."""
    reference = Reference(sqlite)
    reference.submit(0, False, 0, 0, 10_000, True)
    reference.claim(1, 0)
    reference.finish(0, state, True, 0)
    reference.compare()
    with writing(sqlite.engine) as connection:
        connection.exec_driver_sql("UPDATE jobs SET fence = 0")
    with pytest.raises(AssertionError):
        reference.compare()
