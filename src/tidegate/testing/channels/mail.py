"""A mail server that takes everything, after RFC 5321, 3207 (STARTTLS), 4954 (AUTH) and 8314 (as of 2026).

One thread for each conversation. It keeps what it took; it is no server for anything but tests.
"""

import base64
import socketserver
import ssl
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Final

from tidegate.testing.channels.records import Kept

_LONGEST: Final = 1_000_000
_LINE: Final = 2_000


class MailServer(socketserver.ThreadingTCPServer):
    """`user` and `password` are asked for, where they are given, and only within TLS, where there is any."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, keep: Callable[[Kept], None], now: Callable[[], float], tls: ssl.SSLContext | None = None,
        *, implicit: bool = False, user: str = "", password: str = "", refuses: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """`implicit`: TLS from the beginning. `refuses`: receivers that are not known."""
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.keep = keep
        self.now = now
        self.tls = tls
        self.implicit = implicit
        self.login = base64.b64encode(f"\0{user}\0{password}".encode()).decode() if user else ""
        self.refuses = refuses
        self.mute = False  # it takes connections and says nothing

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what this server is for."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer
    timeout = 30

    def setup(self) -> None:
        if self.server.implicit and self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self._secure = self.server.implicit
        self._known = not self.server.login
        self._receivers: list[str] = []

    def finish(self) -> None:
        super().finish()
        self.request.close()  # what TLS was put around is another object than the server knows

    def handle(self) -> None:
        try:
            if self.server.mute:
                self.rfile.read(1)
                return
            self._say("220 imitation ESMTP")
            while line := self.rfile.readline(_LINE):
                if not self._answer(line.decode(errors="replace").strip()):
                    return
        except OSError:
            return

    def _answer(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        answers: dict[str, Callable[[str], None]] = {
            "EHLO": self._hello, "HELO": self._hello, "STARTTLS": self._start_tls, "AUTH": self._auth,
            "MAIL": self._mail, "RCPT": self._receiver, "DATA": self._data, "RSET": self._reset,
        }  # fmt: skip
        if word.upper() == "QUIT":
            self._say("221 bye")
            return False
        answers.get(word.upper(), self._unknown)(rest)
        return True

    def _reset(self, _: str) -> None:
        self._say("250 ok")

    def _unknown(self, _: str) -> None:
        self._say("502 unknown command")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _hello(self, _: str) -> None:
        offers = ["STARTTLS"] if self.server.tls is not None and not self._secure else []
        offers += ["AUTH PLAIN"] if self.server.login and (self._secure or self.server.tls is None) else []
        lines = ["imitation", *offers, f"SIZE {_LONGEST}"]
        for number, one in enumerate(lines):
            self._say(f"250{' ' if number == len(lines) - 1 else '-'}{one}")

    def _start_tls(self, _: str) -> None:
        if self.server.tls is None or self._secure:
            self._say("454 TLS not available")
            return
        self._say("220 go ahead")
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self._secure = True
        super().setup()

    def _auth(self, rest: str) -> None:
        method, _, given = rest.partition(" ")
        if method.upper() != "PLAIN":
            self._say("504 unknown mechanism")
            return
        if not given:
            self._say("334 ")
            given = self.rfile.readline(_LINE).decode().strip()
        self._known = given == self.server.login
        self._say("235 welcome" if self._known else f"535 authentication failed for {given}")

    def _mail(self, _: str) -> None:
        self._receivers = []
        self._say("250 ok" if self._known else "530 authentication required")

    def _receiver(self, rest: str) -> None:
        address = rest.partition("<")[2].partition(">")[0]
        if not self._known or address in self.server.refuses:
            self._say("550 no such user")
            return
        self._receivers.append(address)
        self._say("250 ok")

    def _data(self, _: str) -> None:
        if not self._receivers:
            self._say("503 no receivers")
            return
        self._say("354 go ahead")
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline()) not in (b".\r\n", b"") and size < _LONGEST:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            size += len(line)
        self._keep(b"".join(lines))
        self._say("250 taken")

    def _keep(self, raw: bytes) -> None:
        message = message_from_bytes(raw, _class=EmailMessage, policy=default)
        found = {name.lower(): str(value) for name, value in message.items()} | {"receivers": tuple(self._receivers)}
        kept = Kept("email", self.server.now(), str(message["Subject"]), str(message.get_content()), found)
        self.server.keep(kept)
