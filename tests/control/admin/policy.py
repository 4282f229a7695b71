"""A desk whose gate has a policy that can be edited: a real file, the real process that reads texts, no workers."""

from collections.abc import Callable
from pathlib import Path

from tests.control.admin.desk import Desk
from tidegate.control.policy.desk import PolicyDesk, Ways
from tidegate.control.policy.editor import Editor
from tidegate.control.policy.history import History
from tidegate.control.policy.office import PolicyOffice
from tidegate.control.policy.trial import Standing, Trials, Write

EDITOR = Editor()  # one for all tests: it ends with them
SECRET = "sk-policy-secret"
TEXT = f"""\
# A gate.
providers:
  openai:
    dialect: openai
    base_url: http://127.0.0.1:9100/openai/v1
    scopes:
      - {{name: main, keys: ["{SECRET}"]}}  # the account
model_strategy:
  primary_model: gpt-4o
  retry_policy: {{max_retries: 3}}
"""


class Still(Trials):
    """Nothing runs."""

    __slots__ = ()

    def start(self, file: str, new: bytes, current: bytes, write: Write) -> str:
        """As if it had ended."""
        self._found["r1"] = Standing("r1", "done", 100, {"calls": 0})
        return "r1"


class Workers:
    """Who takes what stands in the file, or says why not."""

    def __init__(self) -> None:
        self.version = 3
        self.reason = ""
        self.meanwhile: Callable[[], object] = lambda: None

    def reload(self) -> tuple[int, str]:
        self.meanwhile()
        if self.reason:
            return 0, self.reason
        self.version += 1
        return self.version, ""


def with_policy(desk: Desk, workers: Workers | None = None, text: str = TEXT) -> PolicyOffice:
    """The policy office of this desk."""
    file = desk.folder / "tidegate.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    known = workers or Workers()
    ways = Ways(lambda: str(file), lambda: None, known.reload, lambda _text: "", lambda: known.version, lambda: "a")
    policy = PolicyDesk(desk.folder, ways, EDITOR)
    office = PolicyOffice(
        policy, History(policy, lambda: desk.office.engine, lambda: desk.hands.wall), Still(desk.folder)
    )
    assert not office.history.note(policy.current())  # the first of all is a beginning
    office.trials.start("", b"", b"", lambda _path, _stopped: 0)
    desk.office.policy = office
    return office


def file_of(desk: Desk) -> Path:
    return desk.folder / "tidegate.yaml"
