"""Who hears an answer: the exchange itself, a tape that plays to many, or a witness who keeps what it hears.

All three are used alike, and nobody asks which of them it is. A union and no Protocol: compiled code reaches the fields
of these classes by their offset, and would look up those of a Protocol.
"""

from tidegate.edge.bodies import Witness
from tidegate.edge.tape import Tape
from tidegate.wire.exchange import Exchange

Sink = Exchange | Tape | Witness
