"""Batches: files of requests that run as jobs, by OpenAI's Batch API and Anthropic's Message Batches."""

from tidegate.jobs.batches.keeper import BatchWorker as BatchWorker
from tidegate.jobs.batches.routing import routes as routes
