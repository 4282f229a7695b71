"""Celery as a carrier of job ids, over Redis (or Valkey) or RabbitMQ. Needs the extra `celery`; the rows are the truth.

A message says which job, and what its fence was: who shows it to the rows is handed the job, or is told that it is old.
So a broker may lose messages, give them twice or in another order, and neither results nor Celery's own retries, times
and priorities are used: each of these is the rows' business.
"""
