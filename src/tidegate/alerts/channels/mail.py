"""E-mail: by the standard library's client, in a thread that is cut off when the time is over.

`smtps://` is TLS from the beginning (RFC 8314), `smtp://` STARTTLS and nothing without it, `smtp+plain://` neither, for
a relay on the same network: no password is sent there.
"""

import asyncio
import contextlib
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from typing import Final
from urllib.parse import unquote, urlsplit

from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.spoken import paced
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.alerts.formats import plain
from tidegate.alerts.texts import compose
from tidegate.model.alerts import AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock
from tidegate.wire.limit import TimeLimit

PER_MINUTE: Final = 30
PORTS: Final = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_MOST: Final = 64_000
_GRACE_US: Final = 1_000_000
_LATE: Final = "the mail server did not answer in time; it may have taken the message"


class Mail:
    """`face.Channel`."""

    __slots__ = ("_channel", "_clock", "_pace", "_settings", "_told", "_trust", "_work")

    def __init__(self, channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> None:
        self._channel = channel
        self._settings = settings
        self._clock = clock
        self._trust = trust
        self._pace = Pace(channel.per_minute or PER_MINUTE)
        self._told: tuple[str, frozenset[str]] = ("", frozenset())  # who has the notice already
        self._work: asyncio.Future[dict[str, int]] | None = None  # the last thread

    async def send(self, notice: Notice) -> None:
        """As `face.Channel.send`. Where some receivers are refused the others are told, once."""
        channel, clock = self._channel, self._clock
        until = clock.now() + channel.timeout_us
        if self._work is not None and not self._work.done():
            raise NotSent("the mail server still holds the message before this one")
        told = self._told[1] if self._told[0] == notice.id else frozenset()
        receivers = [one for one in channel.receivers if one not in told]
        if not receivers:
            return
        await paced(self._pace, clock, channel.timeout_us)
        refused = await self._deliver(notice, receivers, until)
        self._told = (notice.id, told | (set(receivers) - set(refused)))
        if refused:
            codes = ", ".join(sorted({str(code) for code in refused.values()}))
            raise NotSent(
                f"{len(refused)} of {len(channel.receivers)} receivers were refused ({codes}); check `receivers`",
                final=all(code >= 500 for code in refused.values()),
            )

    async def _deliver(self, notice: Notice, receivers: list[str], until: int) -> dict[str, int]:
        session = _Session(self._channel, (until - self._clock.now()) / 1_000_000)
        loop = asyncio.get_running_loop()
        self._work = None
        try:
            message = self._message(notice)
            async with TimeLimit(self._clock, until):
                tls = await self._trust.context()
                self._work = loop.run_in_executor(None, session.deliver, message, receivers, tls)
                return await asyncio.shield(self._work)
        except TimeoutError:
            raise NotSent(_LATE) from None
        except (OSError, ValueError) as error:
            raise _told_of(error) from None
        finally:
            session.cut()
            if self._work is not None:
                await _ended(self._work, self._clock)

    def _message(self, notice: Notice) -> EmailMessage:
        channel = self._channel
        text = compose(notice, self._settings, channel.language)
        message = EmailMessage(policy=SMTP)
        message["Subject"] = text.title
        message["From"] = _addresses([channel.sender])
        message["To"] = _addresses(channel.receivers)
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.at_us // 1_000_000, UTC))
        message["Message-ID"] = f"<{notice.id}@{_addresses([channel.sender])[0].domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
        message.set_content(plain(text, _MOST), cte="base64")
        return message


def open_mail(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Mail:
    """The row of the table."""
    return Mail(channel, settings, clock, trust)


async def _ended(work: "asyncio.Future[dict[str, int]]", clock: Clock) -> None:
    """Wait for a thread that was cut off: it ends at once, unless it asks for the host's address."""
    work.add_done_callback(_heard)
    with contextlib.suppress(TimeoutError):
        async with TimeLimit(clock, clock.now() + _GRACE_US):
            await asyncio.wait([work])


def _heard(work: "asyncio.Future[dict[str, int]]") -> None:
    """What it raises when nobody waits any more is of no interest."""
    if not work.cancelled():
        work.exception()


class _Session:
    """One conversation with the server, in a thread of its own. `cut` ends it from outside, whatever it waits for."""

    def __init__(self, channel: AlertChannel, seconds: float) -> None:
        self._channel = channel
        self._seconds = max(seconds, 0.01)
        self._held: socket.socket | None = None
        self._cut = False

    def deliver(self, message: EmailMessage, receivers: list[str], tls: ssl.SSLContext) -> dict[str, int]:
        """Who was refused, with the code. Raises `OSError`, which `smtplib.SMTPException` is."""
        try:
            with self._connected(tls) as client:
                try:
                    refused = client.send_message(message, to_addrs=[_bare(one) for one in receivers])
                except smtplib.SMTPRecipientsRefused as error:
                    refused = error.recipients
                codes = {bare: code for bare, (code, _) in refused.items()}
                return {one: codes[_bare(one)] for one in receivers if _bare(one) in codes}
        finally:
            if self._held is not None:
                self._held.close()

    def hold(self, connection: socket.socket) -> None:
        """A second handle of the connection, which stays good when TLS is put around the first."""
        self._held = connection.dup()
        if self._cut:
            self.cut()

    def cut(self) -> None:
        """The thread's reads and writes fail from now on. Harmless afterwards."""
        self._cut = True
        if self._held is not None:
            try:
                self._held.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _connected(self, tls: ssl.SSLContext) -> smtplib.SMTP:
        channel = self._channel
        parts = urlsplit(channel.url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        client = _Secure(self, self._seconds, tls) if parts.scheme == "smtps" else _Client(self, self._seconds)
        try:
            client.open(host, port)
            if parts.scheme == "smtp":
                client.starttls(context=tls)
            if parts.username and parts.scheme != "smtp+plain":
                client.login(unquote(parts.username), channel.secret)
        except BaseException:
            client.close()
            raise
        return client


class _Client(smtplib.SMTP):
    """Tells the session which connection is its."""

    def __init__(self, session: _Session, seconds: float) -> None:
        super().__init__(timeout=seconds)
        self._session = session

    def open(self, host: str, port: int) -> None:
        self._host = host  # whom a certificate has to name
        code, _ = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        self._session.hold(connection)
        return connection


class _Secure(_Client):
    """The same with TLS from the beginning."""

    def __init__(self, session: _Session, seconds: float, tls: ssl.SSLContext) -> None:
        super().__init__(session, seconds)
        self._tls = tls

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = super()._get_socket(host, port, timeout)
        try:
            return self._tls.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise


def _addresses(written: list[str] | tuple[str, ...]) -> list[Address]:
    """Names and addresses, in any script. Raises `ValueError`."""
    return [Address(name, addr_spec=bare) for name, bare in getaddresses(list(written))]


def _bare(receiver: str) -> str:
    return getaddresses([receiver])[0][1]


def _told_of(error: OSError | ValueError) -> NotSent:
    """In our words: a server may repeat what it was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        remedy = "write smtps://, or smtp+plain:// for a relay on your own network"
        return NotSent(f"the mail server offers no STARTTLS or no log-in; {remedy}", final=True)
    if isinstance(error, smtplib.SMTPException):
        return NotSent("the mail server broke off")
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotSent("the mail server's certificate is not trusted; write its host as the certificate names it")
    if isinstance(error, ssl.SSLError):
        return NotSent("the mail server speaks no TLS on this port; smtps:// is 465 and smtp:// 587")
    if isinstance(error, ValueError):
        return NotSent("`sender` or `receivers` are no addresses", final=True)
    return NotSent("the mail server cannot be reached; check the host in `url`")


def _refused(error: smtplib.SMTPResponseException) -> NotSent:
    code = error.smtp_code
    if isinstance(error, smtplib.SMTPAuthenticationError):
        what, remedy = "user and password", "; correct `username` and `password`"
    elif isinstance(error, smtplib.SMTPSenderRefused):
        what, remedy = "`sender`", "; write one that it sends for"
    else:
        what, remedy = "the message", ""
    return NotSent(f"the mail server refused {what} ({code}){remedy}", final=code >= 500)
