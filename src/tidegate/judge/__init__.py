"""The referee: scores any gateway by what the quota twin behind it saw and what the clients in front of it got.

It knows nothing of the gateway but its URLs and the keys that it takes. docs/judge.md has the rules.
"""
