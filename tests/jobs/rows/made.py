"""Jobs to test with."""

from collections.abc import Sequence
from typing import Any

from tidegate.jobs.records import End, Job, Lease, NewJob, Owner, Result
from tidegate.jobs.rows.rows import JobRows

FAR = 10**15
LEASE = 100


def new(name: str, tenant: str = "a", **more: Any) -> NewJob:
    """A job of a tenant."""
    given: dict[str, Any] = {"path": "/v1/chat/completions", "body": b"{}", "deadline_us": FAR}
    return NewJob(id=name, owner=more.pop("owner", Owner(tenant, "key", "u")), **(given | more))


def claimed(rows: JobRows, most: int = 100, wall: int = 10, backend: str = "", runner: str = "r") -> list[Lease]:
    return rows.claim(backend, most, runner, LEASE, wall)


def done(lease: Lease, **more: Any) -> End:
    given: dict[str, Any] = {"state": "done", "result": Result(200, b"a: b\r\n", b"said"), "call_id": "req_1"}
    return End(id=lease.id, fence=lease.fence, **(given | more))


def there(rows: JobRows, name: str) -> Job:
    found = rows.find(name)
    assert found is not None
    return found


def ids(found: Sequence[Lease | Job]) -> list[str]:
    return [one.id for one in found]
