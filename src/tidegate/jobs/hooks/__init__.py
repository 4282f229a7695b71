"""Webhooks: who is told of the end of a job or a batch. Sent from rows, signed, tried again, and logged."""
