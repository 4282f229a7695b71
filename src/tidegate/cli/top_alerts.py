"""The alerts that fire, from the admin API, where there is a token; else `top` says what it cannot tell."""

import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace

from tidegate.cli.manage import AdminClient, Failed, token_of
from tidegate.cli.spark import moments
from tidegate.cli.top_state import Alarm, State, place

_FIRES = frozenset(("firing", "clearing"))


class Alerts:
    """Asks for alerts beside each look. Without a token it asks nobody."""

    __slots__ = ("_client",)

    def __init__(self, args: Namespace) -> None:
        """Raises `Failed` for a token file that cannot be read."""
        self._client: AdminClient | None = None
        try:
            token = token_of(args)
        except Failed:
            if args.token_file:
                raise
            return
        self._client = AdminClient(f"http://127.0.0.1:{args.admin_port}", token)

    def beside(self, state: State) -> State:
        """The same with the gate's alerts; where they cannot be had, with the reason and what the page tells."""
        if self._client is None:
            return state
        try:
            found = self._client.call("GET", "/alerts")
        except (Failed, ValueError) as error:
            return replace(state, alarms_from=f"alerts cannot be told: {str(error).splitlines()[0]}")
        told = found.get("alerts") if isinstance(found, dict) else found
        if not isinstance(told, list):
            return replace(state, alarms_from="alerts cannot be told: the gate answered something else")
        alarms = [_alarm(one, time.time()) for one in told if isinstance(one, dict) and _fires(one)]
        alarms.sort(key=lambda one: (one.silenced, one.severity != "critical", one.rule, one.what))
        return replace(state, alarms=alarms, alarms_from="")


def _fires(one: Mapping[str, object]) -> bool:
    return str(one.get("stage", one.get("state", "firing"))) in _FIRES


def _lasts(since: str, now: float) -> float:
    """Seconds; -1 where the gate does not say."""
    try:
        return max(0.0, now - moments(since))
    except ValueError:
        return -1.0


def _alarm(one: Mapping[str, object], now: float) -> Alarm:
    labels = one.get("labels")
    value = one.get("value")
    return Alarm(
        str(one.get("severity", "")),
        str(one.get("rule", "")),
        place(labels) if isinstance(labels, dict) else "",
        float(value) if isinstance(value, int | float) else 0.0,
        fires=True,
        lasts_s=_lasts(str(one.get("since") or ""), now),
        taken_by=str(one.get("taken_by") or ""),
        silenced=bool(one.get("silenced")),
    )
