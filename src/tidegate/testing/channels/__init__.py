"""Strict imitations of the services that alerts go to: `python -m tidegate.testing.channels`.

For whoever tests a policy. Each checks signature, form, sizes and rates as its document says, answers with its codes,
and keeps what it took.
"""

from tidegate.testing.channels.faults import FAULTS as FAULTS
from tidegate.testing.channels.records import Kept as Kept
from tidegate.testing.channels.stand import Stand as Stand
