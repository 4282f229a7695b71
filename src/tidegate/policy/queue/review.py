"""Who waits, and cannot be served in its time any more, since things became worse.

A prediction for each waiting call is too much for one turn of an event loop that has thousands of them. So a review is
a round over the queue in slices: a slice predicts for so many at most and passes over the others, whose costs it only
adds up, so that each is judged by the queue as it is then. What becomes worse during a round begins another after it;
so however often that happens, no slice is larger, and nobody is left out. Who came during a round was told its time.
"""

from collections.abc import Iterator

from tidegate.policy.queue.forecast import Forecast
from tidegate.policy.queue.records import Ahead
from tidegate.policy.queue.waiting import Waiting
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.schedule.face import Scheduler


class Review:
    """Of one queue."""

    __slots__ = ("_again", "_forecast", "_scheduler", "pending", "round")

    def __init__(self, forecast: Forecast, scheduler: Scheduler) -> None:
        self._forecast = forecast
        self._scheduler = scheduler
        self._again = False
        self.pending = False  # some are still to be looked at
        self.round = 0

    def begin(self) -> None:
        """Everybody is to be looked at, and who was looked at in a round that is not over yet once more."""
        if self.pending:
            self._again = True
        else:
            self.pending = True
            self.round += 1

    def unfit(self, now: int, most: int, *, tripped: bool) -> Iterator[Waiting]:
        """Those of the next `most` who have to go: the caller takes each out before it asks for another. O(waiting).

        `tripped`: the outlets refuse on end; who has other targets goes there, whether its turn to be looked at is
        come or not.
        """
        requests = tokens = 0
        for ticket in list(self._scheduler):
            if not isinstance(ticket, Waiting):
                continue
            if tripped and ticket.elsewhere:
                yield ticket
                continue
            if ticket.reviewed != self.round:
                if most <= 0:
                    if not tripped:
                        return
                    continue
                most -= 1
                ticket.reviewed = self.round
                if not self._in_time(ticket, Ahead(requests, tokens), now):
                    yield ticket
                    continue
            requests += 1
            tokens += ticket.cost
        if most > 0:
            self._end()

    def _end(self) -> None:
        self.pending = False
        if self._again:
            self._again = False
            self.begin()

    def _in_time(self, ticket: Waiting, ahead: Ahead, now: int) -> bool:
        """Whether it may be served before it gives up: behind those before it, or by the discipline's own rule."""
        wait = self._forecast.wait(ticket.tenant, ticket.charge, ahead, now)
        if wait > ticket.give_up_at - now:
            ahead = self._scheduler.ahead(ticket.tenant, ticket.cost, now)
            wait = self._forecast.wait(ticket.tenant, ticket.charge, ahead, now)
        if wait > ticket.give_up_at - now and (floor := self._scheduler.floor(ticket.tenant, now)) is not None:
            wait = min(wait, self._forecast.floor(ticket.charge, floor, now))
        return wait != NEVER and wait <= ticket.give_up_at - now
