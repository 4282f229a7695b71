"""The supervisor: starts loader, worker and control, keeps the two that live alive, reloads and drains.

`selectors` and `subprocess`, no asyncio and nothing of the gate's own rooms: it must be small, quick to start, and the
last thing to fail. Whatever a child does, the supervisor only ever waits in `select`.
"""

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tidegate.observe.log import Log
from tidegate.planes.configuration import Configuration
from tidegate.planes.failure import GateError
from tidegate.planes.listen import listen, loopback, url
from tidegate.planes.loading import Loading, Outcome
from tidegate.planes.messages import Drain, Message, Ready, Rejected, Status
from tidegate.planes.service import Death, Service, describe
from tidegate.planes.state_dir import StateDir
from tidegate.planes.watch import Watch

_PATIENCE = 1.0  # seconds until the system may have a process for us again
_GRACE = 1.0  # seconds beyond the worker's own drain time before it is killed
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})

_Callback = Callable[[int], None]


class Options(NamedTuple):
    """What `tidegate serve` was asked for, and which modules the children are."""

    config: str
    host: str = "127.0.0.1"
    port: int = 8080
    admin_port: int = 8081
    state_dir: str = "./.tidegate"
    worker_module: str = "tidegate.worker"
    control_module: str = "tidegate.control"
    loader_module: str = "tidegate.config.loader"
    watch_seconds: float = 1.0  # how often the configuration is looked at, 0 = on SIGHUP only


class Supervisor:
    """One gate. `run` is its whole life."""

    def __init__(self, options: Options, log: Log) -> None:
        """Take the state directory and both ports. Raises `GateError`."""
        self._options = options
        self._log = log
        self._state_dir = StateDir(options.state_dir)
        self._data = listen(options.host, options.port, "--port")
        self._admin = listen("127.0.0.1", options.admin_port, "--admin-port")
        path = self._state_dir.path
        self._worker = Service("worker-0", options.worker_module, self._data, path, 0)
        self._control = Service("control", options.control_module, self._admin, path, -1)
        self._services = (self._worker, self._control)
        self._selector = selectors.DefaultSelector()
        self._configuration = Configuration()
        self._watch = Watch(options.config, options.watch_seconds)
        self._loading: Loading | None = None
        self._load_again = False
        self._announced = False
        self._restarts = 0
        self._drain_until: float | None = None
        self._over = False

    def run(self) -> int:
        """Serve until told to end; returns the exit status. Raises `GateError` when the gate cannot start."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        for number in _SIGNALS:
            signal.signal(number, _noted)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._selector.register(ours, selectors.EVENT_READ, partial(self._on_signals, ours))
        try:
            self._load()
            self._start(self._worker)
            while not self._over:
                self._turn()
        except OSError as error:
            raise GateError(f"a process cannot be started: {error}") from None
        finally:
            self._end()
        return 0

    def _turn(self) -> None:
        for key, events in self._selector.select(self._until_next()):
            callback: _Callback = key.data
            callback(events)
        now = time.monotonic()
        for service in self._services:
            if service.start_at is not None and service.start_at <= now:
                self._start(service)
        if self._watch.at is not None and self._watch.at <= now and self._watch.changed(now):
            self._load()
        if self._drain_until is not None and self._drain_until <= now:
            self._log.warning("the worker did not drain in time and is ended", pid=self._worker.pid)
            self._over = True

    def _until_next(self) -> float | None:
        moments = [service.start_at for service in self._services if service.start_at is not None]
        moments += [moment for moment in (self._drain_until, self._watch.at) if moment is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    # Children

    def _start(self, service: Service) -> None:
        now = time.monotonic()
        try:
            channel = service.start(now)
        except OSError as error:
            if not self._announced:
                raise
            self._log.error(f"{service.name} cannot be started; trying again", problem=str(error))
            service.start_at = now + _PATIENCE
            return
        self._selector.register(channel, selectors.EVENT_READ, partial(self._on_channel, service))
        load = self._configuration.load()
        if service is self._worker and load is not None:
            self._tell(service, load)
        if service is self._control:
            self._tell_status()
            self._tell_declared()

    def _tell(self, service: Service, message: Message) -> None:
        service.send(message)
        self._flush(service)

    def _flush(self, service: Service) -> None:
        left = service.flush()
        if service.channel is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0)
            key = self._selector.get_key(service.channel)
            if key.events != events:
                self._selector.modify(service.channel, events, key.data)

    def _tell_status(self) -> None:
        draining = self._drain_until is not None
        status = Status(self._worker.ready, draining, self._configuration.version, self._restarts)
        self._tell(self._control, status)

    def _tell_declared(self) -> None:
        """What the file in force says: the control process shows it, and changes nothing that it names."""
        load = self._configuration.load()
        if load is not None:
            self._tell(self._control, load)

    def _on_channel(self, service: Service, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(service)
        if events & selectors.EVENT_READ:
            said = service.receive()
            if said is None:
                self._cut(service)
                return
            for message in said:
                self._hear(service, message)

    def _cut(self, service: Service) -> None:
        """Without its channel a child cannot be told anything: should it still live, it must not."""
        if service.channel is not None:
            self._selector.unregister(service.channel)
        service.close()
        service.kill()

    def _hear(self, service: Service, message: Message) -> None:
        if isinstance(message, Ready):
            service.ready = True
            if service is self._worker:
                self._on_worker_ready()
        elif isinstance(message, Rejected):
            if not self._announced:
                raise GateError(f"{service.name} cannot start: {message.reason}")
            self._configuration.refused()
            self._log.error("the worker refused the configuration; the last good one stays", reason=message.reason)

    def _on_worker_ready(self) -> None:
        if self._configuration.accepted():
            self._log.info("configuration reloaded", version=self._configuration.version)
            self._tell_declared()
        if not self._announced:
            self._announced = True
            self._announce()
        self._tell_status()

    def _announce(self) -> None:
        good = self._configuration.good
        data = url(self._data, "https" if good is not None and good.tls else "http")
        admin = url(self._admin, "http")
        with contextlib.suppress(OSError, AttributeError):  # nobody may be reading; the gate serves all the same
            os.write(sys.stdout.fileno(), f"tidegate ready: {data}/v1 (admin {admin})\n".encode())

    def _reap(self) -> None:
        for service in self._services:
            if service.process is None or service.process.poll() is None:
                continue
            if service.channel is not None:
                self._selector.unregister(service.channel)
            death = service.reap(time.monotonic())
            if death is not None:
                self._bury(service, death)

    def _bury(self, service: Service, death: Death) -> None:
        for message in death.said:
            if isinstance(message, Rejected):
                self._hear(service, message)
        if self._drain_until is not None:
            self._over = self._over or service is self._worker
            return
        if not self._announced and service is self._worker:
            raise GateError(f"{service.name} ended before it was ready ({describe(death.status)})")
        delay = round(death.delay, 3)
        self._log.warning(f"{service.name} ended and is started again", how=describe(death.status), delay=delay)
        service.start_at = time.monotonic() + death.delay
        if service is self._worker:
            self._restarts += 1
            if self._configuration.refused():
                self._log.error("the worker died of the new configuration; the last good one stays")
            self._tell_status()

    # Configuration

    def _load(self) -> None:
        if self._loading is not None:
            self._load_again = True
            return
        version = self._configuration.next_version()
        self._watch.reading()
        try:
            self._loading = Loading(self._options.loader_module, self._options.config, version)
        except OSError as error:
            if not self._announced:
                raise
            self._log.error("configuration not reloaded: the loader cannot be started", problem=str(error))
            self._watch.unread()
            return
        for descriptor in self._loading.readable:
            self._selector.register(
                descriptor, selectors.EVENT_READ, partial(self._on_loader, self._loading, descriptor)
            )

    def _on_loader(self, loading: Loading, descriptor: int, _events: int) -> None:
        if not loading.read(descriptor):
            self._selector.unregister(descriptor)
            self._loader_ended()

    def _loader_ended(self) -> None:
        outcome = self._loading.outcome() if self._loading is not None else None
        if outcome is None:
            return
        self._loading = None
        if outcome.files is not None:
            self._watch.name(outcome.files)
        if self._configuration.good is None:
            self._first_load(outcome)
            self._watch.start(time.monotonic())
        else:
            self._reload(outcome)
        if self._load_again:
            self._load_again = False
            self._load()

    def _first_load(self, outcome: Outcome) -> None:
        if outcome.loaded is None:
            sys.stderr.writelines(f"{line}\n" for line in outcome.lines)
            status = 2 if outcome.status == 2 else 1
            raise GateError(f"{self._options.config} cannot be used: nothing was started", status)
        problem = self._exposed(outcome)
        if problem:
            raise GateError(problem, 2)
        self._warn(outcome)
        self._tell(self._worker, self._configuration.offer(outcome.loaded))
        # Not before: on two cores its imports would make loader and worker late. Who asks early waits in the backlog.
        self._start(self._control)

    def _reload(self, outcome: Outcome) -> None:
        problem = "the file cannot be used" if outcome.loaded is None else self._exposed(outcome)
        if problem or outcome.loaded is None:
            self._log.error("configuration not reloaded; the last good one stays", reason=problem, lines=outcome.lines)
            return
        self._warn(outcome)
        if self._drain_until is None:
            self._tell(self._worker, self._configuration.offer(outcome.loaded))

    def _exposed(self, outcome: Outcome) -> str:
        """Why this snapshot must not be served on this address; empty when it may."""
        if loopback(self._data) or (outcome.loaded is not None and outcome.loaded.clients):
            return ""
        return (
            f"--host {self._options.host} is not a loopback address and no client keys are configured: anybody could "
            "spend your quota. Configure clients, or serve 127.0.0.1"
        )

    def _warn(self, outcome: Outcome) -> None:
        for line in outcome.lines:
            self._log.warning("configuration", detail=line.removeprefix("warning: "))

    # Signals and the end

    def _on_signals(self, wakeup: socket.socket, _events: int) -> None:
        numbers = wakeup.recv(4_096)
        for number in numbers:
            if number == signal.SIGHUP:
                self._load()
            elif number in _ENDING:
                self._drain()
        if signal.SIGCHLD in numbers:
            self._loader_ended()
            self._reap()

    def _drain(self) -> None:
        good = self._configuration.good
        if self._drain_until is not None or good is None or not self._worker.ready:
            self._over = True  # asked twice, or nothing to wait for
            return
        self._watch.stop()
        self._log.info("draining", seconds=good.drain_timeout_us / 1e6)
        self._drain_until = time.monotonic() + good.drain_timeout_us / 1e6 + _GRACE
        self._data.close()  # with the worker's own copy closed too, new connections are refused, not left waiting
        self._tell(self._worker, Drain())
        self._tell_status()

    def _end(self) -> None:
        """End every child and give everything back."""
        if self._loading is not None:
            self._loading.kill()
        for service in self._services:
            service.kill()
        for service in self._services:
            if service.process is not None:
                service.process.wait()
            service.close()
        self._data.close()
        self._admin.close()
        self._state_dir.release()


def _noted(_number: int, _frame: object) -> None:
    """The wake-up descriptor tells the loop; nothing happens inside a signal."""
