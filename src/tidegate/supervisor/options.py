"""What a gate was asked for."""

from typing import NamedTuple

from tidegate.supervisor.asides import Kind


class Options(NamedTuple):
    """What `tidegate serve` was asked for, and which modules the children are."""

    config: str
    host: str = "127.0.0.1"
    port: int = 8080
    admin_port: int = 8081
    state_dir: str = "./.tidegate"
    workers: int = 1  # replicas of the main worker
    node: str = ""  # this machine's name in a cluster
    worker_module: str = "tidegate.worker"
    control_module: str = "tidegate.control"
    loader_module: str = "tidegate.config.loader"
    semantic_module: str = "tidegate.semantic"
    regions_module: str = "tidegate.regions"
    desk_module: str = "tidegate.jobs.desk"
    runner_module: str = "tidegate.jobs.runner"
    shared_module: str = "tidegate.supervisor.valkey"
    admin_host: str = "127.0.0.1"
    watch_seconds: float = 1.0  # how often the configuration is looked at, 0 = on SIGHUP only
    loader_seconds: float = 40.0  # who takes longer waits in vain; two runs are less than control waits for a verdict


def kinds(options: Options) -> dict[str, Kind]:
    """The services that a configuration may want beside the calls."""
    return {
        "semantic": Kind(options.semantic_module),
        "regions": Kind(options.regions_module),
        "desk": Kind(options.desk_module, holds=True),
        "runner": Kind(options.runner_module, holds=True),
    }
