"""The workers: the main one in replicas, and one for each isolated namespace. Which there are, by which configuration.

A new configuration is in force when every worker that it names serves by it. Workers that it adds are started for its
trial, unless they are given a port that another one leaves; those that it drops, and those that it puts behind another
port, drain once it is in force.
"""

import os
import socket
from collections.abc import Sequence

from tidegate.observe.log import Log
from tidegate.supervisor.bounds import Bounds
from tidegate.supervisor.cgroup import sweep
from tidegate.supervisor.configuration import Configuration
from tidegate.supervisor.failure import GateError
from tidegate.supervisor.homes import Homes, forget_nonces, made, replica
from tidegate.supervisor.listen import listen
from tidegate.supervisor.messages import (
    Died,
    Drain,
    Go,
    Load,
    Loaded,
    Message,
    Part,
    Quiet,
    Ready,
    Rejected,
    Warm,
    Workers,
)  # fmt: skip
from tidegate.supervisor.process_manager import ProcessManager
from tidegate.supervisor.rolling import Rolling
from tidegate.supervisor.service import Death, Service, describe
from tidegate.supervisor.worker import GRACE, Now, Setting, Worker

_NO_PART = Part("", 0, 0, b"")
_LONG_SECONDS = 600.0  # whoever was replaced has so long for its calls: nobody waits for it


class Fleet:
    """All workers of a gate. `now` is in monotonic seconds."""

    __slots__ = (
        "_bounds", "_homes", "_isolated", "_keeper", "_leaving", "_log", "_new", "_now", "_of",
        "_rolling", "_setting", "announced", "configuration", "draining", "mains", "restarts", "rolled",
    )  # fmt: skip

    def __init__(
        self, setting: Setting, listeners: Sequence[socket.socket], keeper: ProcessManager, log: Log, now: Now
    ) -> None:
        """A listener for each replica of the main worker. Raises `GateError`."""
        self._setting = setting
        self._keeper = keeper
        self._log = log
        self._now = now
        self._bounds = Bounds(setting.state_dir, log)
        self._homes = Homes(setting.state_dir, len(listeners))
        self.restarts = 0  # workers that were started again, since the gate started
        self._of: dict[Service, Worker] = {}
        self._isolated: dict[str, Worker] = {}
        self._new: dict[str, Worker] = {}  # of the configuration on trial, by namespace
        self._leaving: list[Worker] = []
        self._rolling: Rolling | None = None
        self.rolled = False  # every worker was replaced; whoever has heard it says False
        self.configuration = Configuration()
        self.announced = False  # False: what goes wrong ends the gate
        self.draining = False
        self.mains: list[Worker] = []
        for number, listener in enumerate(listeners):
            self.mains.append(self._worker(_NO_PART, listener, replica(number)))

    # What there is

    @property
    def workers(self) -> list[Worker]:
        """Those that serve by the configuration in force, the main one's replicas first."""
        return [*self.mains, *self._isolated.values()]

    @property
    def ready(self) -> bool:
        """Do all of them serve?"""
        return all(worker.service.ready for worker in self.workers)

    @property
    def alive(self) -> bool:
        """Is there any process of a worker?"""
        return any(service.process is not None for service in self._of)

    def states(self) -> Workers:
        """All workers, as the control process is told."""
        return Workers(tuple(worker.state() for worker in self.workers))

    # Configurations

    def open(self, loaded: Loaded) -> None:
        """Serve by the first configuration; the main workers have been started. Raises `GateError`, `OSError`."""
        if os.path.isdir(f"{self._setting.state_dir}/workers"):  # noqa: PTH112 - as in supervisor/state_dir.py
            sweep(self._setting.state_dir)
        self._isolated = self._newcomers(loaded)
        self.configuration.offer(loaded)
        for worker in self.mains:
            self._load(worker)
        for worker in self._isolated.values():
            self._keeper.start(worker.service)

    def offer(self, loaded: Loaded) -> str:
        """Put a new configuration on trial; returns why that is not possible, "" when it is."""
        self._refuse("a newer one was read")
        if self._rolling is not None and self._rolling.midway:
            self.configuration.postponed = loaded
            return ""
        self.configuration.postponed = None
        try:
            self._new = self._newcomers(loaded)
        except GateError as error:
            self.configuration.why = str(error)
            return str(error)
        parts = {part.namespace for part in loaded.parts}
        judges = [worker for worker in self.workers if not worker.namespace or worker.namespace in parts]
        starting = [one for name, one in self._new.items() if name not in self._isolated and not one.inherits]
        self.configuration.offer(loaded, [worker.service.name for worker in (*judges, *starting)])
        for worker in judges:
            self._load(worker)
        for worker in starting:
            self._start(worker)
        return ""

    def _newcomers(self, loaded: Loaded) -> dict[str, Worker]:
        """A worker, not started yet, for each namespace that had none behind this port. Raises `GateError`."""
        found: dict[str, Worker] = {}
        try:
            for part in loaded.parts:
                current = self._isolated.get(part.namespace)
                if current is None or current.part.port != part.port:
                    found[part.namespace] = self._newcomer(part, loaded)
        except GateError:
            for worker in found.values():
                self.dismiss(worker)
            raise
        return found

    def _newcomer(self, part: Part, loaded: Loaded) -> Worker:
        """Behind a port that is free, or that another worker leaves for this configuration."""
        kept = {(one.namespace, one.port) for one in loaded.parts}
        for one in self._isolated.values():
            if part.port and one.part.port == part.port and (one.namespace, part.port) not in kept:
                worker = self._worker(part, one.listener.dup(), part.namespace)
                worker.inherits = True
                return worker
        field = f"namespaces.{part.namespace}.isolation.port"
        return self._worker(part, listen(self._setting.host, part.port, field), part.namespace)

    def _worker(self, part: Part, listener: socket.socket, place: str, home: str = "") -> Worker:
        module, state_dir = self._setting.module, self._setting.state_dir
        try:
            own = made(home or self._homes.of(place))
        except GateError:
            listener.close()
            raise
        taken = {worker.number for worker in self._of.values()}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        service = Service(f"worker-{number}", module, listener, state_dir, number, own)
        worker = Worker(part, number, place, own, listener, service)
        self._of[worker.service] = worker
        return worker

    def _load(self, worker: Worker) -> None:
        current = self.configuration.current(worker.namespace)
        if current is not None and worker.service.channel is not None:
            worker.version = current[0]
            worker.owed.append(current[0])
            self._keeper.tell(worker.service, Load(current[1]))

    def _in_force(self) -> None:
        good = self.configuration.good
        parts = {part.namespace: part for part in good.parts} if good is not None else {}
        for namespace in [name for name in self._isolated if name not in parts or name in self._new]:
            self._leave(self._isolated.pop(namespace))
        new, self._new = self._new, {}
        for worker in new.values():
            self._isolated[worker.namespace] = worker
            if worker.service.process is None:
                self._start(worker)
        self._isolated = {name: self._isolated[name] for name in parts}
        for name, worker in self._isolated.items():
            changed = worker.part.cpu_permille != parts[name].cpu_permille
            worker.part = parts[name]
            if changed:
                self._bounds.put(worker)
        self._log.info("configuration reloaded", version=self.configuration.version)

    def _refuse(self, reason: str) -> None:
        """The trial failed: what was in force stays, and comes back where a worker had changed over already."""
        if not self.configuration.refused(reason):
            return
        new, self._new = self._new, {}
        for worker in new.values():
            self.dismiss(worker)
        for worker in self.workers:
            if worker.version != self.configuration.version:
                self._load(worker)
        self._log.error("the new configuration is not taken; the last good one stays", reason=reason)

    # What becomes of workers

    def begun(self, service: Service) -> None:
        """A process was started: it is bounded before it is told what to serve."""
        worker = self._of[service]
        worker.owed.clear()
        self._bounds.put(worker)
        self._load(worker)

    def heard(self, service: Service, message: Message) -> None:
        """A worker's word. Raises `GateError` when the gate cannot start."""
        worker = self._of.get(service)
        if worker is None:
            return
        if self._rolling is not None:
            self._rolling.heard(worker, message)
        if worker in self._leaving or isinstance(message, (Warm, Quiet)):
            return
        version = worker.owed.popleft() if worker.owed else 0
        if isinstance(message, Ready):
            service.ready = True
            if self.configuration.accepted(service.name, version):
                self._in_force()
        elif isinstance(message, Rejected):
            if not self.announced:
                raise GateError(f"{worker.title} cannot start: {message.reason}", 2 if message.configuration else 1)
            if self.configuration.tried(version):
                self._refuse(f"{worker.title} refused it: {message.reason}")
            else:
                self._log.error(f"{worker.title} refuses the configuration", reason=message.reason)

    def buried(self, service: Service, death: Death) -> None:
        """A worker's process ended. Raises `GateError` when the gate cannot start."""
        worker = self._of[service]
        for message in death.said:
            if isinstance(message, Rejected):
                self.heard(service, message)
        tried = any(self.configuration.tried(version) for version in worker.owed)
        worker.owed.clear()
        how = describe(death.status)
        if self._rolling is not None and self._rolling.ended(worker):
            return
        if worker in self._leaving:
            self._leaving.remove(worker)
            self._gone(worker)
        elif self._new.get(worker.namespace) is worker:
            self._refuse(f"{worker.title} died of it ({how})")
        elif not self.draining and service in self._of:
            if not self.announced:
                raise GateError(f"{worker.title} ended before it was ready ({how})")
            delay = round(death.delay, 3)
            self._log.warning(f"{worker.title} ended and is started again", how=how, delay=delay)
            service.start_at = self._now() + death.delay
            worker.restarts += 1
            self.restarts += 1
            died = Died(worker.number, round(self._now() * 1_000_000))
            for other in self.workers:
                if other is not worker and other.service.ready:
                    self._keeper.tell(other.service, died)
            if tried:
                self._refuse(f"{worker.title} died of the new configuration")

    def _start(self, worker: Worker) -> None:
        """Now, or when whoever writes in its folder has ended: a journal has one writer."""
        for one in self._leaving:
            if one.home == worker.home:
                one.successor = worker
                return
        self._keeper.start(worker.service)

    def _leave(self, worker: Worker) -> None:
        """Let it finish its calls, and nothing new in."""
        worker.listener.close()
        good = self.configuration.good
        seconds = good.drain_timeout_us / 1e6 if good is not None else 0.0
        self._log.info(f"{worker.title} is not needed any more and drains", seconds=seconds)
        self._keeper.tell(worker.service, Drain())
        self._end(worker, self._now() + seconds + GRACE)

    def dismiss(self, worker: Worker) -> None:
        """It served nobody: end it at once."""
        worker.listener.close()
        worker.service.kill()
        self._end(worker, self._now())

    def _end(self, worker: Worker, until: float) -> None:
        worker.service.start_at = None
        worker.until = until
        for one in self._leaving:
            if one.successor is worker:
                one.successor = None
        if worker.service.process is None:
            self._gone(worker)
        else:
            self._leaving.append(worker)

    def _gone(self, worker: Worker) -> None:
        self._keeper.forget(worker.service)
        self._of.pop(worker.service, None)
        self._bounds.gone(worker, self._of.values())
        if self.draining:
            return
        if worker.namespace and worker.namespace not in self._isolated and worker.namespace not in self._new:
            forget_nonces(self._homes.of(worker.place))
        if worker.successor is not None:
            self._start(worker.successor)

    # A rolling restart

    def roll(self) -> str:
        """Replace every worker, one after the other; returns why that cannot begin now, "" when it does."""
        if self._rolling is not None or self._leaving:
            return "workers that were replaced before have not ended yet"
        if self.draining or not self.announced:
            return "the gate begins or ends"
        self._rolling = Rolling(self.workers, self, self._log, self._now)
        return ""

    def _roll_on(self, rolling: Rolling, now: float) -> None:
        rolling.look(now)
        if not rolling.midway and self.configuration.postponed is not None:
            self.offer(self.configuration.postponed)
        if not rolling.midway and not self.configuration.on_trial:
            try:
                rolling.step()
            except GateError as error:
                rolling.fail(str(error))
        if rolling.over:  # also by this step: nothing may happen for long that would have this looked at again
            self._rolling, self.rolled = None, not rolling.failed

    def successor(self, worker: Worker) -> Worker:
        """One that begins in the place's other folder, on the same socket. Raises `GateError`."""
        home = self._homes.next(worker.place)
        new = self._worker(worker.part, worker.listener.dup(), worker.place, home)
        new.service.after = worker.home
        self._keeper.start(new.service)
        return new

    def tell(self, worker: Worker, message: Message) -> None:
        """Say something to a worker. What it was told to load before `Go` it answers once."""
        if isinstance(message, Go):
            while len(worker.owed) > 1:
                worker.owed.popleft()
        self._keeper.tell(worker.service, message)

    def replace(self, old: Worker, new: Worker) -> None:
        """The place is the new one's; the old one has long to finish its calls."""
        self.mains = [new if worker is old else worker for worker in self.mains]
        self._isolated = {name: new if worker is old else worker for name, worker in self._isolated.items()}
        old.listener.close()
        good = self.configuration.good
        seconds = max(_LONG_SECONDS, good.drain_timeout_us / 1e6 if good is not None else 0.0)
        self._end(old, self._now() + seconds + GRACE)

    def arrived(self, new: Worker) -> None:
        """It serves, from now on in this folder."""
        new.service.after = ""
        self._homes.moved(new.place)

    # Time

    def next_moment(self) -> float | None:
        """When `look` has something to do."""
        moments = [worker.until for worker in self._leaving]
        if self._rolling is not None and self._rolling.at is not None:
            moments.append(self._rolling.at)
        return min(moments, default=None)

    def look(self, now: float) -> None:
        """End those that did not leave in time; go on with a rolling restart."""
        for worker in self._leaving:
            if worker.until <= now:
                worker.until = now + GRACE
                worker.service.kill()
        if self._rolling is not None:
            self._roll_on(self._rolling, now)

    def drain(self) -> None:
        """Nothing new; every worker ends when its calls have."""
        self._refuse("the gate ends")
        self.draining = True
        if self._rolling is not None:
            self._rolling.fail("the gate ends")
        for worker in self.workers:
            worker.listener.close()  # with its own copy closed too, new connections are refused, not left waiting
            worker.service.start_at = None
            self._keeper.tell(worker.service, Drain())

    def close(self) -> None:
        """Give everything back; all processes have ended."""
        for worker in self._of.values():
            worker.listener.close()
            self._bounds.gone(worker, ())
        self._bounds.close()
