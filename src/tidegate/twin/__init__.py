"""The quota twin: a mock provider that enforces, lies and fails exactly as documented, and judges who calls it.

It shares nothing with the gate but the wire: its limiters, its way of counting tokens and its ledger are its own.
"""
