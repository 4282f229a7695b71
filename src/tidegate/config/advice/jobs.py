"""What is worth saying of patient work: settings without effect, packages that are missing, secrets in the file."""

from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from tidegate.config.build.jobs import embedded
from tidegate.config.findings import Advice, Path
from tidegate.config.schema.file import Config
from tidegate.config.schema.jobs import JobsConfig
from tidegate.config.schema.strategy import StrategyConfig
from tidegate.config.source import Document

_SHORT_SECONDS = 10


def advise_jobs(config: Config, document: Document) -> Iterator[Advice]:
    """Paths, messages and remedies. O(strategies)."""
    jobs, strategies = config.jobs, list(_strategies(config))
    enabled = jobs.enabled if jobs is not None else any(one.execution_mode == "async" for _, one in strategies)
    for path, strategy in strategies:
        yield from _of_strategy(strategy, path, enabled=enabled)
    if jobs is not None:
        yield from _of_section(jobs, enabled=enabled)
    if enabled:
        yield from _brokers(config)
    yield from _secrets(config, document)


def _strategies(config: Config) -> Iterator[tuple[Path, StrategyConfig]]:
    if config.model_strategy is not None:
        yield ("model_strategy",), config.model_strategy
    for name, strategy in config.strategies.items():
        yield ("strategies", name), strategy


def _of_strategy(strategy: StrategyConfig, path: Path, *, enabled: bool) -> Iterator[Advice]:
    patient = strategy.execution_mode == "async"
    if patient and not enabled:
        message = "no effect while `jobs.enabled` is false: calls are answered at once"
        yield (*path, "execution_mode"), message, "remove one of the two"
    elif patient and strategy.deadline_seconds < _SHORT_SECONDS:
        stated = "deadline_seconds" in strategy.model_fields_set
        message = "a call that waits as a job has less than 10 s, so few are answered while their clients wait"
        yield (*path, "deadline_seconds" if stated else "execution_mode"), message, "give it a longer deadline"
    if strategy.queue_backend is not None and not enabled:
        remedy = "say `execution_mode: async` beside it, or `jobs: {}` for the APIs of jobs and batches"
        yield (*path, "queue_backend"), "no effect while no work is patient", remedy


def _of_section(jobs: JobsConfig, *, enabled: bool) -> Iterator[Advice]:
    if enabled and not jobs.runners and embedded(jobs.queue_backend):
        message = "nobody runs the jobs of the embedded queue, unless you do with `tidegate jobs worker`"
        yield ("jobs", "runners"), message, "leave `runners` out"
    if jobs.call_deadline_seconds > jobs.deadline_seconds:
        stated = "call_deadline_seconds" in jobs.model_fields_set
        message = "an attempt may take longer than its job, whose deadline decides"
        yield ("jobs", "call_deadline_seconds" if stated else "deadline_seconds"), message, "make it the shorter one"
    if jobs.webhooks.model_fields_set and jobs.webhooks.secret is None:
        message = "no webhook is sent without a secret, and jobs that name one are refused"
        yield ("jobs", "webhooks"), message, 'give it: `secret: "${TIDEGATE_WEBHOOK_SECRET}"`'


def _urls(config: Config) -> Iterator[tuple[Path, str]]:
    """Every queue that is named."""
    if config.jobs is not None and config.jobs.queue_backend is not None:
        yield ("jobs", "queue_backend"), config.jobs.queue_backend
    for path, strategy in _strategies(config):
        if strategy.queue_backend is not None:
            yield (*path, "queue_backend"), strategy.queue_backend


def _brokers(config: Config) -> Iterator[Advice]:
    named = [path for path, url in _urls(config) if not embedded(url)]
    if named and find_spec("celery") is None:
        for path in named:
            message = "the package for it is not installed here, so its jobs are kept and not run"
            yield path, message, "pip install 'tidegate[celery]'"


def _secrets(config: Config, document: Document) -> Iterator[Advice]:
    urls = list(_urls(config))
    if config.jobs is not None:
        urls.append((("jobs", "database"), config.jobs.database or ""))
    for path, url in urls:
        if path not in document.substituted and urlsplit(url).password:
            yield path, "a password stands in the file", 'keep the URL in the environment and write "${NAME}"'
    at: Path = ("jobs", "webhooks", "secret")
    if config.jobs is not None and config.jobs.webhooks.secret and at not in document.substituted:
        yield at, "a key stands in the file", 'keep it in the environment and write "${NAME}"'
