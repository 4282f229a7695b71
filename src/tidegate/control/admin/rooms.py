"""What else of the control process the admin API shows and changes, beside the store."""

from typing import NamedTuple

from tidegate.control.drills import Drills
from tidegate.control.jobs import Jobs
from tidegate.control.leader import Among
from tidegate.control.live import Live
from tidegate.control.policy.office import PolicyOffice


class Rooms(NamedTuple):
    """None: this process has none of it."""

    jobs: Jobs | None = None
    among: Among | None = None
    drills: Drills | None = None
    live: Live | None = None
    policy: PolicyOffice | None = None
