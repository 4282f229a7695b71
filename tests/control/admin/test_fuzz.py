"""Whatever the OpenAPI document allows, and much that it does not, is answered as it says, and never by a defect."""

import os
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from starlette.types import Receive, Scope, Send

from tests.control.admin.desk import Desk, opened
from tests.control.admin.ledger import called, write_calls
from tests.control.admin.playing import playing
from tidegate.control.admin.app import application

EXAMPLES = int(os.environ.get("TIDEGATE_FUZZ_EXAMPLES", "3"))  # `./dev prove 4` asks for more
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
QUIETLY = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


class Port:
    """The admin port of this module's desk, for a document that is read before there is one."""

    desk: Desk | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.desk is not None
        await self.desk.front.guarded(scope, receive, send)


PORT = Port()
DOCUMENT = schemathesis.openapi.from_dict(application(cast(Any, None)).openapi())
DOCUMENT.app = PORT
OPERATIONS = {found.label: found for found in (result.ok() for result in DOCUMENT.get_all_operations())}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A gate with something in it."""
    for desk in opened(tmp_path_factory.mktemp("fuzz")):
        desk.made("/namespaces", {"name": "team"})
        desk.made("/namespaces/team/users", {"name": "ann"})
        desk.made("/namespaces/team/keys", {"name": "app", "user": "ann"})
        desk.token("admin", name="spare")
        write_calls(desk, called(1, "team"))
        PORT.desk = desk
        with playing(desk.folder):
            yield desk


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_call_is_answered_by_a_defect(fuzzed: Desk, label: str, mode: GenerationMode) -> None:
    """No 5xx; the media type and the form that the document promises; a refusal names its field."""
    headers = {"host": "localhost", "authorization": f"Bearer {fuzzed.token('admin')}"}

    @QUIETLY
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        response = case.call(base_url="http://localhost", headers=headers)
        case.validate_response(response, checks=CHECKS)
        assert response.status_code < 400 or response.json()["errors"][0]["field"]

    answered()
