"""Keeps services alive on one selector: their channels, their deaths, and when they are started again."""

import selectors
import time
from functools import partial
from typing import Protocol

from tidegate.observe.log import Log
from tidegate.supervisor.messages import Message
from tidegate.supervisor.service import Death, Service

_PATIENCE = 1.0  # seconds until the system may have a process for us again


class Owner(Protocol):
    """Who is told what becomes of a service."""

    def begun(self, service: Service) -> None:
        """A process was started for it."""

    def heard(self, service: Service, message: Message) -> None:
        """It said something."""

    def buried(self, service: Service, death: Death) -> None:
        """Its process ended. To have it started again, set `start_at`."""


class ProcessManager:
    """All services of a gate. Nothing here waits."""

    __slots__ = ("_log", "_owner", "_selector", "forgiving", "services")

    def __init__(self, selector: selectors.BaseSelector, log: Log, owner: Owner) -> None:
        self._selector = selector
        self._log = log
        self._owner = owner
        self.forgiving = False  # False: a process that cannot be started is an error
        self.services: list[Service] = []

    def start(self, service: Service) -> None:
        """Start its process and keep it from now on. Raises `OSError` unless `forgiving`."""
        if service not in self.services:
            self.services.append(service)
        now = time.monotonic()
        try:
            channel = service.start(now)
        except OSError as error:
            if not self.forgiving:
                raise
            self._log.error(f"{service.name} cannot be started; trying again", problem=str(error))
            service.start_at = now + _PATIENCE
            return
        self._selector.register(channel, selectors.EVENT_READ, partial(self._on_channel, service))
        self._owner.begun(service)

    def start_due(self, now: float) -> None:
        """Start what is to be started again by now."""
        for service in tuple(self.services):
            if service.start_at is not None and service.start_at <= now:
                self.start(service)

    def next_start(self) -> float | None:
        """When `start_due` has something to do; None: not before something happens."""
        return min((service.start_at for service in self.services if service.start_at is not None), default=None)

    def forget(self, service: Service) -> None:
        """Keep it no longer: it has ended."""
        service.start_at = None
        if service in self.services:
            self.services.remove(service)

    def tell(self, service: Service, message: Message) -> None:
        """Send as much as its channel takes, the rest later. Nothing when the child is away."""
        service.send(message)
        self._flush(service)

    def reap(self) -> None:
        """Bury every process that has ended."""
        for service in tuple(self.services):
            if service.process is None or service.process.poll() is None:
                continue
            if service.channel is not None:
                self._selector.unregister(service.channel)
            death = service.reap(time.monotonic())
            if death is not None:
                self._owner.buried(service, death)

    def end(self, last: Service) -> None:
        """End every process but one, and give everything back but its channel."""
        others = [service for service in self.services if service is not last]
        for service in others:
            service.kill()
        for service in others:
            if service.process is not None:
                service.process.wait()
            service.close()

    def _flush(self, service: Service) -> None:
        left = service.flush()
        if service.channel is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0)
            key = self._selector.get_key(service.channel)
            if key.events != events:
                self._selector.modify(service.channel, events, key.data)

    def _on_channel(self, service: Service, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(service)
        if events & selectors.EVENT_READ:
            said = service.receive()
            if said is None:
                self._cut(service)
                return
            for message in said:
                self._owner.heard(service, message)

    def _cut(self, service: Service) -> None:
        """Without its channel a child cannot be told anything: should it still live, it must not."""
        if service.channel is not None:
            self._selector.unregister(service.channel)
        service.close()
        service.kill()
