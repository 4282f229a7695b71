"""How long silence means what. All in microseconds; the order of these moments is what keeps a partition exact.

A member sends a beat every `BEAT_US`. The shared state counts it as lost `LOST_US` after its last beat was received, and
every other member knows that one beat later; from then on nobody is granted what the lost one may use. The lost one
begins to use it `LOCAL_US` after its last answered beat was *sent*: by then everybody has stopped counting on it, since
`LOST_US + 2 × BEAT_US < LOCAL_US`, and who has not heard of the membership for `STALE_US` asks for nothing.
A lease is void for its holder `LEASE_US - SAFE_US` after the exchange that renewed it was sent, for the fund `LEASE_US`
after it was received; only the rates of two clocks matter, never what they show.
"""

from typing import Final

BEAT_US: Final = 50_000
STALE_US: Final = 100_000
LOST_US: Final = 200_000
LOCAL_US: Final = 350_000
LEASE_US: Final = 300_000
SAFE_US: Final = 50_000
RENEW_US: Final = 100_000  # who holds something, or has something to tell, says so at least this often
GATHER_US: Final = 0  # what happens in one turn of the loop goes together
LEAST_US: Final = 2_000  # between two exchanges of one fund
REMEMBER_US: Final = 250_000  # how old what a member remembers of a log may be
