"""Alerts: an outage rehearsed, every channel, and bad input."""
