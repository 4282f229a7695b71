"""One text, two dialects."""

from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.rows.statement import Statement
from tidegate.store.engine import writing


def test_a_list_is_one_value(rows: JobRows) -> None:
    """Of numbers or texts, of any length, none included; what else there is of `:` and `%` stays what it is."""
    numbers = Statement("SELECT name, id FROM job_tenants WHERE id IN (:ids) AND name LIKE '%a%' ORDER BY id {lock}")
    texts = Statement("SELECT id FROM job_tenants WHERE name IN (:names) AND id < :most ORDER BY id")
    made = Statement("INSERT INTO job_tenants (id, name) VALUES (:id, :name)")
    with writing(rows.engine) as connection:
        made.for_each(connection, [{"id": number, "name": f'a"\u4e2d:x{number}'} for number in range(1, 4)])
        made.for_each(connection, [])
        assert [row.id for row in numbers.on(connection, ids=[3, 1, 9])] == [1, 3]
        assert numbers.on(connection, ids=[]).all() == []
        assert list(texts.on(connection, names=['a"\u4e2d:x2', 'a"\u4e2d:x3', "?"], most=3).scalars()) == [2]
        assert len(numbers.on(connection, ids=list(range(5_000))).all()) == 3
