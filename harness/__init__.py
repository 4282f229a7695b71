"""Real programs, started and ended: gates, twins and servers, for tests and benches alike.

It imports neither tests nor bench, and needs no pytest. Why a gate is started in two ways: `gate.py` and `node.py`.
"""
