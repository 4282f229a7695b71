"""`/twin/*`: reading the ledger and the last calls, setting faults and limits, starting again. JSON in and out."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from tidegate.twin import faults
from tidegate.twin.ledger import book
from tidegate.twin.settings import MAX_LIMIT
from tidegate.twin.state import State
from tidegate.wire.exchange import Exchange

_JSON: Final = b"content-type: application/json\r\n"
_DEFAULT_CALLS: Final = 100
_DEFAULT_EVENTS: Final = 100_000


class LimitsChange(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /twin/limits` takes: limits, for one model or all, for one key's organisation or everybody."""

    model: str | None = None
    key: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    otpm: int | None = None  # of output, where it is limited apart


class BadControl(Exception):
    """A control request is wrong; the text names the field."""


class Control:
    """The judge's own endpoints. `refuse` stops listening for so many microseconds."""

    __slots__ = ("_refuse", "_routes", "_state")

    def __init__(self, state: State, refuse: Callable[[int], None]) -> None:
        self._state = state
        self._refuse = refuse
        self._routes: dict[tuple[bytes, bytes], Callable[[Exchange], Any]] = {
            (b"GET", b"/twin/ledger"): self._ledger,
            (b"POST", b"/twin/reset"): self._reset,
            (b"GET", b"/twin/faults"): self._faults,
            (b"POST", b"/twin/faults"): self._set_faults,
            (b"GET", b"/twin/limits"): self._limits,
            (b"POST", b"/twin/limits"): self._set_limits,
            (b"GET", b"/twin/calls"): self._calls,
            (b"GET", b"/twin/events"): self._events,
            (b"GET", b"/twin/health"): self._health,
        }

    def answer(self, exchange: Exchange) -> None:
        """Answer one control request."""
        route = self._routes.get((exchange.method, exchange.path))
        if route is None:
            known = ", ".join(f"{method.decode()} {path.decode()}" for method, path in self._routes)
            _error(exchange, 404, f"no such control endpoint; there are {known}")
            return
        try:
            value = route(exchange)
        except BadControl as error:
            _error(exchange, 400, str(error))
        else:
            exchange.respond(200, _JSON, msgspec.json.encode(value))

    def _ledger(self, exchange: Exchange) -> dict[str, Any]:
        directory, now = self._state.directory, self._state.clock.now()
        ledger, query = directory.ledger, _query(exchange)
        seconds, length = query.get("per_second") != "0", ledger.length(now)
        report = ledger.totals() | {"by_model": {}, "by_key": {}}
        for model in ledger.models():
            limits, rules = directory.limits(None, model), directory.rules(model)
            report["by_model"][model] = book(ledger.of_model(model), limits, rules, length, per_second=seconds)
        if query.get("by_key") != "0":
            for key, models in ledger.keys().items():
                report["by_key"][key] = {model: self._of_key(key, model, length, seconds) for model in models}
        return report

    def _of_key(self, key: str, model: str, length: int, per_second: bool) -> dict[str, Any]:
        directory = self._state.directory
        limits = directory.limits(directory.organisation(key), model)
        account, rules = directory.ledger.of_key(key, model), directory.rules(model)
        return book(account, limits, rules, length, per_second=per_second)

    def _reset(self, exchange: Exchange) -> dict[str, Any]:
        self._state.reset()
        return {"reset": True}

    def _faults(self, exchange: Exchange) -> dict[str, Any]:
        return {"rules": self._state.faults.rules}

    def _set_faults(self, exchange: Exchange) -> dict[str, Any]:
        try:
            rules = faults.parse(exchange.body)
        except ValueError as error:
            raise BadControl(str(error)) from None
        self._state.faults.rules = tuple(rule for rule in rules if rule.fault != "refuse")
        for rule in rules:
            if rule.fault == "refuse":
                self._refuse(int((rule.ms or 0) * 1_000))
        return {"rules": self._state.faults.rules}

    def _limits(self, exchange: Exchange) -> dict[str, Any]:
        directory = self._state.directory
        return {model: directory.limits(None, model) for model in directory.models()}

    def _set_limits(self, exchange: Exchange) -> dict[str, Any]:
        try:
            change = msgspec.json.decode(exchange.body, type=LimitsChange)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadControl(str(error)) from None
        self._check(change)
        models = (change.model,) if change.model is not None else self._state.directory.models()
        now = self._state.clock.now()
        for model in models:
            self._state.directory.relimit(change.key, model, (change.rpm, change.tpm, change.otpm), now)
        return self._limits(exchange)

    def _check(self, change: LimitsChange) -> None:
        if change.rpm is None and change.tpm is None and change.otpm is None:
            raise BadControl("rpm, tpm, otpm: state at least one of them")
        for name in ("rpm", "tpm", "otpm"):
            limit = getattr(change, name)
            if limit is not None and not 1 <= limit <= MAX_LIMIT:
                raise BadControl(f"{name}: {limit} is not between 1 and {MAX_LIMIT}")
        models = self._state.directory.models()
        if change.model is not None and change.model not in models:
            raise BadControl(f"model: {change.model!r} is none of {', '.join(models)}")
        if change.key is not None and self._state.directory.organisation(change.key) is None:
            raise BadControl("key: belongs to no organisation, and unknown keys are refused")

    def _events(self, exchange: Exchange) -> dict[str, Any]:
        events, query = self._state.events, _query(exchange)
        if not self._state.settings.events:
            raise BadControl("events: this twin keeps none; start it with --events N")
        first, limit = _integer(query, "after", 0), _integer(query, "limit", _DEFAULT_EVENTS)
        return {"noted": events.noted, "events": list(events.after(first, limit))}

    def _calls(self, exchange: Exchange) -> list[dict[str, Any]]:
        query = _query(exchange)
        limit = _integer(query, "limit", _DEFAULT_CALLS)
        full = query.get("full", "0") != "0"
        return [call.row(self._state.epoch, full=full) for call in self._state.calls.last(limit)]

    def _health(self, exchange: Exchange) -> dict[str, Any]:
        return {"status": "ok"}


def _query(exchange: Exchange) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}


def _integer(query: dict[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise BadControl(f"{name}: {query[name]!r} is no integer") from None


def _error(exchange: Exchange, status: int, message: str) -> None:
    exchange.respond(status, _JSON, msgspec.json.encode({"error": {"message": message}}))
