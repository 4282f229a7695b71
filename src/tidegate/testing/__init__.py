"""Public helpers to test against Tidegate without time, network or chance."""

from tidegate.testing.clock import ManualClock
from tidegate.testing.playbook import Playbook
from tidegate.testing.transport import Reply, ScriptedTransport

__all__ = ["ManualClock", "Playbook", "Reply", "ScriptedTransport"]
