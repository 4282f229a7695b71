"""What is worth saying of alerts: rules that nobody hears of, silences that are over, ends that never come."""

from collections.abc import Iterator

from tidegate.config.findings import Advice
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Snapshot


def advise_alerts(config: Config, snapshot: Snapshot, wall: int) -> Iterator[Advice]:
    """Paths, messages and remedies; `wall`: microseconds since 1970, 0 = no moment has passed. O(routes + silences)."""
    alerts, found = config.alerts, snapshot.alerts
    if alerts.rules and not alerts.channels:
        message = "nobody is told: there is no channel"
        yield ("alerts", "rules"), message, "add one under alerts.channels, or look at `tidegate alerts list`"
    if alerts.routes:
        told = {name for route in alerts.routes for name in (*route.channels, *route.escalate_to)}
        for name in alerts.channels:
            if name not in told:
                yield ("alerts", "channels", name), "no route leads here, so it is never told", "add it to a route"
    for number, silence in enumerate(found.silences):
        at = ("alerts", "silences", number)
        if silence.until_us <= silence.from_us:
            yield (*at, "until"), "it ends before it begins", "the later moment is `until`"
        elif 0 < silence.until_us <= wall:
            yield (*at, "until"), "it is over", "remove it"
