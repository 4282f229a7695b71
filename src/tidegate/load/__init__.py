"""Open-loop load: calls from a trace, texts of three kinds, a driver that never waits for answers, and its report.

The load knows neither the gate nor a tokenizer: it plays the applications in front of the gate.
"""
