"""The one task that there is, and the application of Celery's that has it."""

from collections.abc import Callable

from celery import Celery
from celery.exceptions import Reject

from tidegate.jobs.celery.hands import GivenBack
from tidegate.jobs.celery.names import TASK
from tidegate.jobs.celery.settings import configuration
from tidegate.model.jobs import JobSettings

_NAME = "tidegate.jobs"


def celery_app(url: str, queue: str, jobs: JobSettings, take: Callable[[object, object], str]) -> Celery:
    """For a worker of this broker; `take` is `Hands.take`. Connects to nothing yet."""
    app = Celery(_NAME, set_as_current=False)
    app.conf.update(configuration(url, queue, jobs))

    @app.task(name=TASK)
    def run(job: object, fence: object) -> str:
        """Run the job with this id, if its fence is still this one."""
        try:
            return take(job, fence)
        except GivenBack as error:
            raise Reject(str(error), requeue=True) from None

    return app
