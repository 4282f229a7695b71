"""What Celery and its parts log, in our log: warnings and errors, a line each, without the broker's credentials."""

import logging
import warnings
from urllib.parse import unquote, urlsplit

from celery import signals
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

from tidegate.observe.log import Log

_LOGGERS = ("celery", "kombu", "amqp")
_LONGEST = 500


def secrets_of(url: str) -> tuple[str, ...]:
    """What of a broker's URL is not told: the password, as it is and as it is written, and the query."""
    parts = urlsplit(url)
    found = (parts.password or "", unquote(parts.password or ""), parts.query)
    return tuple(one for one in found if one)


def without(text: str, hidden: tuple[str, ...]) -> str:
    """The text with each of these as `**`."""
    for secret in hidden:
        text = text.replace(secret, "**")
    return text


class Handler(logging.Handler):
    """Hands records on to our log."""

    def __init__(self, log: Log, hidden: tuple[str, ...]) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._hidden = hidden

    def emit(self, record: logging.LogRecord) -> None:
        text = without(record.getMessage(), self._hidden).strip()
        said = " ".join(text.split())[:_LONGEST]
        if record.levelno >= logging.ERROR:
            self._log.error("celery", said=said)
        else:
            self._log.warning("celery", said=said)


def quiet(log: Log, url: str) -> None:
    """From now on Celery sets up no logging of its own in this process, and says what matters here."""
    signals.setup_logging.connect(_leave_it, weak=False)
    warnings.simplefilter("ignore", SecurityWarning)  # of root, who runs code that comes in messages: here it is ids
    warnings.simplefilter("ignore", CPendingDeprecationWarning)  # of a default that is the right one here
    handler = Handler(log, secrets_of(url))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.WARNING)
        logger.propagate = False


def _leave_it(**_: object) -> None:
    """Who answers this signal has set up logging."""
