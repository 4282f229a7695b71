"""The order of things: from a call to its reply. Sees ports and policies, never an adapter."""
