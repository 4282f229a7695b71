"""Calls as OpenTelemetry spans, and counters as its metrics, sent by OTLP over HTTP: made from records, after the fact.

A call pays nothing for it. Needs the extra `tidegate[otel]`; nothing of that is imported before an endpoint is named.
"""
