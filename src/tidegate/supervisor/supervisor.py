"""The supervisor: starts loader, workers and control, keeps those that live alive, reloads and drains.

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

from tidegate.observe.log import Log
from tidegate.supervisor.asides import Asides
from tidegate.supervisor.asked import Asked
from tidegate.supervisor.failure import GateError
from tidegate.supervisor.fleet import Fleet
from tidegate.supervisor.listen import listen, listen_together, loopback, url
from tidegate.supervisor.loading import KEPT, Loader, Outcome
from tidegate.supervisor.messages import Load, Loaded, Message, Named, Ready, Rejected, Reload, Reloaded, Source, Status
from tidegate.supervisor.options import Options, kinds
from tidegate.supervisor.process_manager import ProcessManager
from tidegate.supervisor.service import Death, Service, describe
from tidegate.supervisor.shared import OwnValkey, url_of
from tidegate.supervisor.state_dir import StateDir
from tidegate.supervisor.watch import Watch
from tidegate.supervisor.worker import GRACE, Setting

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_ENDS = "the gate ends"

_Callback = Callable[[int], None]


class Supervisor:
    """One gate. `run` is its whole life."""

    def __init__(self, options: Options, log: Log) -> None:
        """Take the state directory and all ports. Raises `GateError`."""
        self._options = options
        self._log = log
        self._state_dir = StateDir(options.state_dir)
        data = listen_together(options.host, options.port, "--port", options.workers)
        self._admin = listen(options.admin_host, options.admin_port, "--admin-port")
        path = self._state_dir.path
        self._selector = selectors.DefaultSelector()
        self._keeper = ProcessManager(self._selector, log, self)
        self._fleet = Fleet(Setting(options.host, options.worker_module, path), data, self._keeper, log, time.monotonic)
        self._control = Service("control", options.control_module, self._admin, path, -1)
        self._asides = Asides(kinds(options), path, self._keeper, log, time.monotonic)
        self._shared = OwnValkey(options.shared_module, path, self._keeper, log, time.monotonic)
        self._waiting: Loaded | None = None  # the first configuration, until what its workers share is there
        self._watch = Watch(options.config, options.watch_seconds)
        command = options.loader_module, options.config
        self._loader = Loader(self._selector, command, options.loader_seconds, self._loader_ended)
        self._load_again = False
        self._offered = 0  # the version that control handed over and has heard nothing of yet
        self._asked = Asked()
        self._declared = 0  # the version that control was told
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
            for worker in self._fleet.mains:
                self._keeper.start(worker.service)
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
        self._keeper.start_due(now)
        self._fleet.look(now)
        if self._fleet.rolled:
            self._rolled()
        self._asides.look(now)
        self._loader.look(now)
        if self._shared.look(now) and self._waiting is not None:
            self._open(self._waiting)
        if self._watch.at is not None and self._watch.at <= now and self._watch.changed(now):
            self._changed()
        if self._drain_until is not None and self._drain_until <= now:
            late = "a worker" if self._fleet.alive else "a service beside the calls"
            self._log.warning(f"{late} did not drain in time and is ended")
            self._over = True

    def _until_next(self) -> float | None:
        leaving = (self._fleet.next_moment(), self._asides.next_moment())
        looks = (self._watch.at, self._shared.at, self._loader.until)
        every = (self._keeper.next_start(), *leaving, self._drain_until, *looks)
        moments = [moment for moment in every if moment is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    # Children

    def begun(self, service: Service) -> None:
        """A child was started: it is told how things are."""
        if service is self._shared.service:
            self._shared.begun()
            return
        aside = self._asides.find(service)
        if aside is not None:
            aside.begun()
            return
        if service is not self._control:
            self._fleet.begun(service)
        self._tell_status()
        if service is self._control:
            self._tell_declared()
            self._tell_source()

    def heard(self, service: Service, message: Message) -> None:
        """A child said something. Raises `GateError` when the gate cannot start."""
        if service is self._control:
            service.ready = service.ready or isinstance(message, Ready)
            if isinstance(message, Loaded):
                self._agreed(message)
            elif isinstance(message, Named):
                self._watch.name(message.files)
            elif isinstance(message, Reload):
                self._asked.ask(message.number)
                if self._drain_until is None:
                    self._load()
                else:
                    self._tell_asked(*self._asked.over(_ENDS))
            return
        aside = self._asides.find(service)
        if aside is not None:
            aside.heard(message)
            return
        self._fleet.heard(service, message)
        if not self._fleet.announced and self._fleet.ready:
            self._fleet.announced = self._keeper.forgiving = True
            self._announce()
        if self._declared != self._fleet.configuration.version:
            self._tell_declared()
        good = self._fleet.configuration.good
        if self._fleet.announced and good is not None and self._drain_until is None:
            self._asides.follow(self._fleet.configuration.version, good)
        self._tell_status()

    def buried(self, service: Service, death: Death) -> None:
        """A child ended. Raises `GateError` when the gate cannot start."""
        aside = self._asides.find(service)
        if aside is not None:
            self._asides.buried(aside, death)
        elif service is self._shared.service:
            self._shared.buried(death)
        elif service is not self._control:
            self._fleet.buried(service, death)
            self._tell_status()
        elif self._drain_until is None:
            delay = round(death.delay, 3)
            self._log.warning("control ended and is started again", how=describe(death.status), delay=delay)
            service.start_at = time.monotonic() + death.delay
        drained = self._drain_until is not None and not self._fleet.alive and not self._asides.holding
        self._over = self._over or drained

    def _tell_status(self) -> None:
        fleet, draining = self._fleet, self._drain_until is not None
        status = Status(
            any(one.service.ready for one in fleet.mains), draining, fleet.configuration.version, fleet.restarts
        )
        self._keeper.tell(self._control, status)
        self._keeper.tell(self._control, fleet.states())
        self._tell_verdict()

    def _tell_declared(self) -> None:
        """What the file in force says: the control process shows it, and changes nothing that it names."""
        configuration = self._fleet.configuration
        if configuration.good is not None:
            self._declared = configuration.version
            self._keeper.tell(self._control, Load(configuration.good.whole or configuration.good.snapshot))

    def _announce(self) -> None:
        good = self._fleet.configuration.good
        scheme = "https" if good is not None and good.tls else "http"
        main = f"{url(self._fleet.mains[0].listener, scheme)}/v1"
        isolated = self._fleet.workers[len(self._fleet.mains) :]
        others = [f"{one.namespace} {url(one.listener, scheme)}/v1" for one in isolated]
        told = "; ".join([f"admin {url(self._admin, 'http')}", *others])
        with contextlib.suppress(OSError, AttributeError):  # nobody may be reading; the gate serves all the same
            os.write(sys.stdout.fileno(), f"tidegate ready: {main} ({told})\n".encode())

    # Configuration

    def _load(self) -> None:
        if self._loader.busy:
            self._load_again = True
            return
        version = self._fleet.configuration.next_version()
        self._watch.reading()
        self._asked.reading(version)
        try:
            first = ["--kept", f"{self._state_dir.path}/{KEPT}"] if self._fleet.configuration.good is None else []
            words = [*self._words(), *first]
            self._loader.start(time.monotonic(), version, words)
        except OSError as error:
            if not self._fleet.announced:
                raise
            self._log.error("configuration not reloaded: the loader cannot be started", problem=str(error))
            self._watch.unread()
            self._tell_asked(self._asked.failed(version, "the loader cannot be started"))

    def _loader_ended(self, outcome: Outcome) -> None:
        if outcome.late:
            self._watch.unread()
        if outcome.files is not None:
            self._watch.name(outcome.files)
        if self._fleet.configuration.good is None:
            self._first_load(outcome)
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
        if outcome.loaded.shared and not self._shared.ready:
            self._waiting = outcome.loaded
            self._shared.start()
        else:
            self._open(outcome.loaded)

    def _open(self, loaded: Loaded) -> None:
        self._waiting = None
        self._fleet.open(loaded)
        # Not before: on two cores its imports would make loader and worker late. Who asks early waits in the backlog.
        self._keeper.start(self._control)
        self._watch.start(time.monotonic())

    def _changed(self) -> None:
        """The file may be another: where several nodes have one configuration, control puts it to all of them."""
        good = self._fleet.configuration.good
        if good is None or not good.common:
            self._load()
        elif self._control.channel is not None:  # one that is away asks for it when it is back
            self._watch.reading()
            self._tell_source()

    def _tell_source(self) -> None:
        self._keeper.tell(self._control, Source(os.path.abspath(self._options.config), tuple(self._words())))  # noqa: PTH100

    def _agreed(self, loaded: Loaded) -> None:
        """All nodes have agreed upon this configuration."""
        if self._loader.busy or self._drain_until is not None:
            self._keeper.tell(self._control, Rejected("the gate reads another one, or ends"))
            return
        self._offered = self._fleet.configuration.next_version()
        self._reload(Outcome(loaded, [], 0))
        self._tell_verdict()

    def _tell_verdict(self) -> None:
        """Control hears what became of what it offered: that it is in force it hears as any other."""
        configuration = self._fleet.configuration
        if self._offered and not configuration.on_trial:
            if configuration.version != self._offered:
                self._keeper.tell(self._control, Rejected(configuration.why or "its workers do not take it"))
            self._offered = 0
        self._tell_asked(self._asked.settled(configuration))

    def _tell_asked(self, *told: Reloaded | None) -> None:
        for message in told:
            if message is not None:
                self._keeper.tell(self._control, message)

    def _reload(self, outcome: Outcome) -> None:
        if self._drain_until is not None:
            return  # whoever asked was told when the drain began
        problem = "the file cannot be used" if outcome.loaded is None else self._exposed(outcome)
        if problem or outcome.loaded is None:
            self._log.error("configuration not reloaded; the last good one stays", reason=problem, lines=outcome.lines)
            told = problem if outcome.loaded is not None else " ".join(outcome.lines)
            self._fleet.configuration.why = told
            self._tell_asked(self._asked.failed(self._fleet.configuration.loads, told))
            return
        self._warn(outcome)
        self._asked.offered()
        problem = self._fleet.offer(outcome.loaded)
        if problem:
            self._log.error("configuration not reloaded; the last good one stays", reason=problem)
            self._tell_asked(self._asked.failed(self._fleet.configuration.loads, problem))
        self._tell_status()

    def _exposed(self, outcome: Outcome) -> str:
        """Why this snapshot must not be served on this address; empty when it may."""
        if loopback(self._fleet.mains[0].listener) or (outcome.loaded is not None and outcome.loaded.clients):
            return ""
        return (
            f"--host {self._options.host} is not a loopback address and no client keys are configured: anybody could "
            "spend your quota. Configure clients (`clients: {required: true}` where keys are made at run time), or "
            "serve 127.0.0.1"
        )

    def _warn(self, outcome: Outcome) -> None:
        for line in outcome.lines:
            self._log.warning("configuration", detail=line.removeprefix("warning: "))

    def _words(self) -> list[str]:
        """What the loader is told beside the file."""
        path, node = self._state_dir.path, self._options.node
        words = ["--state-dir", path, *(("--node", node) if node else ())]
        return [*words, "--shared", url_of(path)] if len(self._fleet.mains) > 1 else words

    # Signals and the end

    def _on_signals(self, wakeup: socket.socket, _events: int) -> None:
        numbers = wakeup.recv(4_096)
        if signal.SIGCHLD in numbers:
            self._loader.reap()
            self._keeper.reap()
        for number in numbers:
            if number == signal.SIGHUP:
                self._changed()
            elif number == signal.SIGUSR2:
                self._roll()
            elif number in _ENDING:
                self._drain()

    def _roll(self) -> None:
        """Replace every process but this one and what workers share, and cut off no call."""
        problem = self._fleet.roll()
        if problem:
            self._log.error("no rolling restart", reason=problem)
        else:
            self._log.info("a rolling restart begins")

    def _rolled(self) -> None:
        """Workers are new: so shall be who serves no calls, and what the file says."""
        self._fleet.rolled = False
        good = self._fleet.configuration.good
        self._asides.renew(good.drain_timeout_us / 1e6 if good is not None else 0.0)
        self._control.kill()
        self._changed()

    def _drain(self) -> None:
        good = self._fleet.configuration.good
        if self._drain_until is not None or good is None or not any(one.service.ready for one in self._fleet.workers):
            self._over = True  # asked twice, or nothing to wait for
            return
        self._watch.stop()
        self._tell_asked(*self._asked.over(_ENDS))
        self._log.info("draining", seconds=good.drain_timeout_us / 1e6)
        self._drain_until = time.monotonic() + good.drain_timeout_us / 1e6 + GRACE
        self._asides.drain(good.drain_timeout_us / 1e6)  # first: what they hand back holds no worker up
        self._fleet.drain()
        self._tell_status()

    def _end(self) -> None:
        """End every child and give everything back."""
        self._loader.kill()
        self._keeper.end(last=self._shared.service)
        self._shared.end()
        self._fleet.close()
        self._admin.close()
        self._state_dir.release()


def _noted(_number: int, _frame: object) -> None:
    """The wake-up descriptor tells the loop; nothing happens inside a signal."""
