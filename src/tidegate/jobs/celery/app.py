"""The application for Celery's own commands: `celery -A tidegate.jobs.celery.app worker`, `… flower`; see `plain`."""

import os

from tidegate.jobs.celery.plain import plain_app

app = plain_app(os.environ)
