"""How long silence means what. All in microseconds; the order of these moments is what keeps a partition exact.

A member sends a beat every `BEAT_US`. The shared state counts it as lost `LOST_US` after its last beat was received,
and every other member knows that one beat later; from then on nobody is granted what the lost one may use. The lost one
begins to use it `LOCAL_US` after its last beat, answered or not, was *sent*. By then everybody has stopped counting on
it, since `IN_TIME_US + LOST_US + STALE_US <= LOCAL_US`: a beat that arrives later than `IN_TIME_US` after it was sent
does nothing (`Beat.not_after`), and so does an exchange that arrives later than `STALE_US` after the server took the
last beat that its member has heard of (`Ask.not_after`). After a beat without an answer there is none before the server
answers something else.
A lease is void for its holder `LEASE_US - SAFE_US` after the exchange that renewed it was sent, for the fund `LEASE_US`
after it was received; only the rates of two clocks matter, never what they show.
"""

from typing import Final

BEAT_US: Final = 100_000
STALE_US: Final = 250_000
LOST_US: Final = 400_000
IN_TIME_US: Final = 150_000
LOCAL_US: Final = 800_000
LEASE_US: Final = 600_000
SAFE_US: Final = 100_000
RENEW_US: Final = 200_000  # who holds something, or has something to tell, says so at least this often
HOLD_US: Final = 400_000  # for so long what is held beyond what waits lasts: a short silence is not noticed
LEAST_US: Final = 2_000  # between two exchanges of one fund
REMEMBER_US: Final = 500_000  # how old what a member remembers of a log may be
