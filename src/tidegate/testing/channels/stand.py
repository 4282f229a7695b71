"""All imitations in one process, on one port of this machine, each at its path; the mail server on another."""

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tidegate.model.alerts import AlertChannel
from tidegate.testing.channels.dingtalk import DingTalk
from tidegate.testing.channels.feishu import Feishu
from tidegate.testing.channels.mail import MailServer
from tidegate.testing.channels.records import Asked, Imitation, Kept, Said
from tidegate.testing.channels.services import Services
from tidegate.testing.channels.slack import Slack
from tidegate.testing.channels.webhook import AppriseJson, Webhook
from tidegate.testing.channels.wecom import WeCom

# Secrets of robots that do not exist: a test looks for them where they must not be.
TOKEN: Final = "token4dingtalk4wecom4feishu4slack"  # noqa: S105
SECRET: Final = "SECcanary0canary0canary0canary0"  # noqa: S105
SIGNING: Final = "whsec_" + "Y2FuYXJ5" * 4
USER: Final = "gate@example.com"
PASSWORD: Final = "canary-password"  # noqa: S105

_TOKENLESS: Final = 2  # slashes of a path without a token at its end
_MOST: Final = 10_000  # messages that are kept


class Stand:
    """`with Stand() as stand:`. Threads of its own; `kept` and `fail` may be used from any."""

    def __init__(self, now: Callable[[], float] = time.time, port: int = 0, tls: ssl.SSLContext | None = None) -> None:  # noqa: TID251 - services have clocks of their own
        """`now`: their clock, seconds since 1970. `tls`: the mail server's STARTTLS, and HTTPS for all others."""
        self.webhook = Webhook(SIGNING)
        robots: tuple[Imitation, ...] = (
            DingTalk(TOKEN, SECRET), WeCom(TOKEN), Feishu(TOKEN, SECRET), Slack(TOKEN), self.webhook, AppriseJson(),
        )  # fmt: skip
        self._imitations = {robot.name: robot for robot in robots}
        self._now = now
        self._lock = threading.Lock()
        self._kept: deque[Kept] = deque(maxlen=_MOST)
        self._faults: dict[str, list[str]] = {}
        self.refused: list[tuple[str, int, str]] = []  # channel, status, body of what was not taken; the last hundred
        self.over = threading.Event()
        self._tls = tls
        self._server = Services(self, port, tls)
        self.mail = MailServer(self._keep, now, tls, user=USER if tls else "", password=PASSWORD)
        self._threads = [threading.Thread(target=one.serve_forever, args=(0.05,)) for one in (self._server, self.mail)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for server in (self._server, self.mail):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        """Where all of them but the mail server are."""
        return self._server.url

    def address(self, kind: str) -> str:
        """What a user would copy into `url`."""
        if kind == "email":
            return f"smtp://127.0.0.1:{self.mail.port}" if self._tls else f"smtp+plain://127.0.0.1:{self.mail.port}"
        if kind == "apprise":
            return f"json://{self.url.partition('://')[2]}{self._imitations[kind].path}"
        return self.url + self._imitations[kind].path

    def channel(self, kind: str, timeout_us: int = 5_000_000, language: str = "en") -> AlertChannel:
        """A channel to one of them, as the configuration would have it."""
        secrets = {"dingtalk": SECRET, "feishu": SECRET, "webhook": SIGNING, "email": PASSWORD if self._tls else ""}
        url = self.address(kind)
        if kind == "email":
            url = url.replace("://", f"://{USER.replace('@', '%40')}@") if self._tls else url
        return AlertChannel(
            name=kind, kind=kind, url=url, secret=secrets.get(kind, ""), language=language, timeout_us=timeout_us,
            sender="Tidegate <gate@example.com>", receivers=("值班组 <ops@example.com>",),
        )  # fmt: skip

    def kept(self, channel: str = "") -> list[Kept]:
        """What was taken so far, in order; of one channel, or of all."""
        with self._lock:
            return [one for one in self._kept if channel in ("", one.channel)]

    def fail(self, channel: str, fault: str, times: int = 1) -> None:
        """The next so many requests to this channel meet this fault (`faults.py`)."""
        with self._lock:
            self._faults.setdefault(channel, []).extend([fault] * times)

    # ── for the handlers ────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, path: str) -> Imitation | None:
        """Whose path it is, whatever the token."""
        for robot in self._imitations.values():
            own = robot.path.partition("?")[0]
            if path == own or (own.count("/") > _TOKENLESS and path.rpartition("/")[0] == own.rpartition("/")[0]):
                return robot
        return None

    def fault(self, channel: str) -> str:
        """The one that is due."""
        with self._lock:
            waiting = self._faults.get(channel)
            return waiting.pop(0) if waiting else ""

    def take(self, robot: Imitation, asked: Asked) -> Said:
        """Have it judged, and keep what it takes."""
        with self._lock:
            taken = robot.take(asked, self._now())
            if taken.kept is not None:
                self._kept.append(taken.kept)
            else:
                self.refused = [*self.refused[-99:], (robot.name, taken.said.status, taken.said.body.decode())]
            return taken.said

    def _keep(self, kept: Kept) -> None:
        with self._lock:
            self._kept.append(kept)


def shown(kept: Kept) -> str:
    """On one line."""
    return json.dumps(kept._asdict(), ensure_ascii=False)
