"""The configuration that all nodes share, as one node's control process sees to it.

```
file of A changed ─▶ A: loader, parcel ─▶ proposed ─▶ every node's loader: yes │ no, because … ─▶ A: all yes?
                                                                       no: nobody changes ◀──────┤
   every node: offered to its workers ◀── the next version ◀───────────────── yes: committed ◀───┘
        └─ a worker refuses it: that node takes it back everywhere (the former parcel is the next version)
```

What is in force stands in Redis and in each node's state directory (`Kept`), so a node that was away, and a Redis that
lost it, catch up: the highest version wins. The node's own file is news only when it has changed since it was looked at
last, also while the node was down.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from tidegate.cluster.configuration import InForce, Record, Strange, Trial
from tidegate.cluster.failure import Failure
from tidegate.control.checking import Checked, Checker
from tidegate.model.parcel import Kept, digest, encode, kept_of, parcel_of
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.supervisor.loading import KEPT

LOOK_US: Final = 1_000_000
_HEAR_US: Final = 50_000
_BOUND_US: Final = 15_000_000  # for all nodes to check a proposal
_VERDICT_US: Final = 60_000_000  # for this node's workers
_AWAY: Final = "the shared state cannot be asked: look at what is in force, and try again"
_BEFORE: Final = "another change is before this one: look at what is in force then"


class Sharing:
    """One a control process. `run` until it is cancelled; everything else is told to it, on the loop."""

    __slots__ = (
        "_checker", "_clock", "_kept", "_log", "_looked", "_offer", "_path", "_poked", "_ready", "_refused", "_said",
        "_serves", "_tell", "_trouble", "_verdict", "_wanted", "_why",
    )  # fmt: skip

    def __init__(
        self,
        state_dir: Path,
        checker: Checker,
        offer: Callable[[Checked], Awaitable[None]],
        clock: Clock,
        log: Log,
    ) -> None:
        """`offer` hands a configuration to the supervisor; what becomes of it is told to `serves` or `rejected`."""
        self._checker = checker
        self._offer = offer
        self._clock = clock
        self._log = log
        self._path = state_dir / KEPT
        self._kept = _read(self._path)
        self._tell: Callable[[], None] = lambda: None
        self._poked = asyncio.Event()
        self._verdict = asyncio.Event()
        self._serves = -1  # the version that this node serves by, 0 = its own file, -1 = not known yet
        self._refused = 0  # a version that this node cannot serve by
        self._why = ""  # so
        self._said = ""  # the last trial that was judged
        self._looked = False
        self._ready: dict[str, Checked] = {}  # by digest and version
        self._wanted: tuple[bytes, asyncio.Future[str]] | None = None  # somebody's text for all nodes
        self._trouble = ""

    # What is told

    def source(self, file: str, words: tuple[str, ...]) -> None:
        """The node's own file, which may have changed."""
        self._checker.file, self._checker.words = file, words
        self._looked = False
        self._poked.set()

    def serves(self, version: int) -> None:
        """The supervisor has this version in force now."""
        self._serves = version
        self._verdict.set()

    def rejected(self, why: str) -> None:
        """The supervisor's workers do not take what was offered."""
        self._why = why
        self._verdict.set()

    def poke(self) -> None:
        """Another node proposed, said or committed something."""
        self._poked.set()

    # What is asked

    def file(self) -> str:
        """The node's own file, "" = not known yet."""
        return self._checker.file

    def text(self) -> bytes | None:
        """What all nodes have agreed upon and this one serves by; None: it serves by its own file."""
        kept = self._kept
        return parcel_of(kept.parcel).text if kept.version and kept.version == self._serves else None

    async def put(self, text: bytes) -> str:
        """Propose a text to all nodes: why it is not in force, "" = it is. The own file is left alone."""
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self._wanted is not None:
            return _BEFORE
        self._wanted = text, done
        self._poked.set()
        try:
            return await done
        finally:
            self._forget(done)

    def _forget(self, done: asyncio.Future[str]) -> None:
        """Who asked has heard, or has given up."""
        if self._wanted is not None and self._wanted[1] is done:
            self._wanted = None

    def _answer(self, said: str) -> None:
        """To who asked for a text, if anybody waits."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not wanted[1].done():
            wanted[1].set_result(said)

    # The course of things

    async def run(self, record: Record, tell: Callable[[], None]) -> None:
        """`tell` pokes the other nodes. Trouble is logged once, and everything tried again."""
        self._tell = tell
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._be_there(record))
            while True:
                self._poked.clear()
                try:
                    await self._look(record)
                    self._trouble = ""
                except (Failure, Strange, OSError, ValueError) as error:
                    self._say(f"the configuration cannot be shared now: {error}; each node goes on with what it has")
                    self._answer(_AWAY)
                timer = self._clock.call_at(self._clock.now() + LOOK_US, self._poked.set)
                await self._poked.wait()
                timer.cancel()

    async def _be_there(self, record: Record) -> None:
        """Also while a loader is waited for."""
        while True:
            with contextlib.suppress(Failure, Strange):
                await record.beat(self._stand())
            await self._clock.sleep(LOOK_US // 2)

    def _stand(self) -> int:
        """By which version this node serves, or -N: it cannot serve by N."""
        return -self._refused if self._refused > self._serves else self._serves

    async def _look(self, record: Record) -> None:
        version, trial = await record.beat(self._stand())
        kept = self._kept
        if kept.version > version:
            await record.restore(InForce(kept.version, kept.parcel, kept.node, kept.former))
            self._log.warning("the shared state has lost the configuration: it was put back", version=kept.version)
            self._tell()
        elif version and version not in {self._serves, self._refused} and self._serves >= 0:
            await self._follow(record, await record.in_force())
        if trial and trial != self._said:
            await self._judge(record, await record.trial())
        elif not self._looked and self._checker.file and self._serves >= 0:
            self._looked = True  # before: what changes meanwhile is looked at again
            self._looked = await self._own(record, version) and self._looked
        if self._wanted is not None and not trial and version == self._serves:
            await self._put(record, version, self._wanted[0])

    async def _put(self, record: Record, version: int, text: bytes) -> None:
        """Somebody's text: proposed, and served by here; who wants it hears in any case."""
        said = _AWAY
        try:
            checked = await self._checker.own(version + 1, text)
            if checked.loaded is None:
                said = " ".join(checked.lines)
                return
            problem = await self._propose(record, checked, version)
            said = _BEFORE if problem is None else problem
            if not said:
                said = await self._everywhere(record, InForce(version + 1, checked.parcel))
        finally:
            self._answer(said)

    async def _everywhere(self, record: Record, wanted: InForce) -> str:
        """Serve by what was committed; why not all nodes do, "" = they do. Where it was taken back, by that."""
        end = self._clock.now() + _VERDICT_US + _BOUND_US
        while True:
            serving = await record.serving()
            found = await record.in_force()  # after it: who goes back says so first
            if found.version not in {self._serves, self._refused}:
                await self._follow(record, found)
                continue
            if found.version > wanted.version and wanted.parcel not in {found.parcel, found.former}:
                return _BEFORE
            if found.version > wanted.version and found.why:
                return f"{found.node}: {found.why}"
            late = ", ".join(sorted(node for node, version in serving.items() if abs(version) < wanted.version))
            if not late:
                return ""
            if self._clock.now() > end:
                why = f"{late}: no word of its workers"
                if not found.former or not await record.commit("", wanted.version, found.former, why):
                    return why
                self._tell()
            await self._clock.sleep(_HEAR_US)

    async def _follow(self, record: Record, found: InForce) -> None:
        """Serve by what all nodes have agreed upon."""
        checked = await self._checked(found.parcel, found.version)
        if checked.loaded is None:
            self._refused = found.version
            self._log.error("this node cannot serve by the cluster's configuration; its last good one stays",
                            version=found.version, lines=list(checked.lines))  # fmt: skip
            return
        agreed = self._kept.version == found.version - 1 and self._serves == self._kept.version
        self._verdict.clear()
        self._why = "its workers have not said that they serve by it"
        await self._offer(checked)
        timer = self._clock.call_at(self._clock.now() + _VERDICT_US, self._verdict.set)
        await self._verdict.wait()
        timer.cancel()
        if self._serves == found.version:
            self._keep(found)
        else:
            await self._back(record, found, agreed=agreed)
            self._refused = found.version  # after it: who proposed this waits for this word
        await record.beat(self._stand())

    async def _back(self, record: Record, found: InForce, *, agreed: bool) -> None:
        """It passed its check, and workers do not take it: then it is no configuration for anybody."""
        words, why = "its workers do not take the cluster's configuration", self._why[:1_000]
        if agreed and found.former and await record.commit("", found.version, found.former, why):
            self._log.error(f"{words}: the former one is in force everywhere again", version=found.version + 1, why=why)
            self._tell()
        else:
            self._log.error(f"{words}; the last good one stays here", version=found.version, why=why)

    # Proposals

    async def _own(self, record: Record, version: int) -> bool:
        """Propose this node's file where it is news; False: later. Nothing is in force by this alone."""
        kept = self._kept
        checked = await self._checker.own(version + 1)
        if checked.loaded is None:
            self._log.error("this node's file cannot be put to all nodes; what is in force stays", lines=checked.lines)
            return True
        mine, news = digest(checked.parcel), True
        if mine in {kept.seen, digest(kept.parcel)} or not checked.loaded.common:
            news = False
        elif kept.version and not kept.seen:
            news = False
            words = "the cluster's configuration is in force, and not this node's file, which says another"
            remedy = "change the file to propose it to all nodes, or write `cluster: {configuration: own}`"
            self._log.warning(words, version=kept.version, of=kept.node, remedy=remedy)
        if news and await self._propose(record, checked, version) is None:
            return False
        self._kept.seen = mine
        self._save()
        return True

    async def _propose(self, record: Record, checked: Checked, version: int) -> str | None:
        """Why it is not in force, "" = it is; None: another proposal is before this one."""
        name = secrets.token_hex(8)
        if not await record.propose(name, version, checked.parcel):
            return None
        self._said = name
        await record.say(name, "")
        self._tell()
        self._keep_ready(checked, version + 1)
        problem = await self._heard(record, name)
        if problem:
            await record.drop(name)
            self._log.error("configuration not reloaded; the last good one stays on all nodes", reason=problem)
            return problem
        if not await record.commit(name, version, checked.parcel):
            return None
        for line in checked.lines:
            self._log.warning("configuration", detail=line.removeprefix("warning: "))
        self._tell()
        self._poked.set()
        return ""

    async def _heard(self, record: Record, name: str) -> str:
        """Why a node cannot serve by the proposal, "" = all can."""
        end = self._clock.now() + _BOUND_US
        while True:
            there, said = await record.hear()
            problems = [f"{node}: {why}" for node, why in sorted(said.items()) if why]
            if problems:
                return "; ".join(problems)
            if there <= said.keys():
                return ""
            if self._clock.now() > end:
                return f"not all nodes have said that they can serve by it: {', '.join(sorted(there - said.keys()))}"
            await self._clock.sleep(_HEAR_US)

    async def _judge(self, record: Record, trial: Trial | None) -> None:
        """Say whether this node can serve by a proposal."""
        if trial is None:
            return
        self._said = trial.id
        checked = await self._checked(trial.parcel, trial.base + 1)
        await record.say(trial.id, "" if checked.loaded is not None else " ".join(checked.lines)[:1_000])
        self._tell()

    async def _checked(self, parcel: bytes, version: int) -> Checked:
        known = self._ready.get(f"{version} {digest(parcel)}")
        if known is None:
            known = await self._checker.parcel(parcel, version)
            self._keep_ready(known, version)
        return known

    def _keep_ready(self, checked: Checked, version: int) -> None:
        """What was checked for a trial is what is served by when it is in force."""
        while len(self._ready) > 1:
            del self._ready[next(iter(self._ready))]
        self._ready[f"{version} {digest(checked.parcel)}"] = checked

    # What is kept

    def _keep(self, found: InForce) -> None:
        self._kept = Kept(found.version, found.parcel, found.node, found.former, self._kept.seen)
        self._save()
        self._log.info("the cluster's configuration is in force", version=found.version, of=found.node)

    def _save(self) -> None:
        new = self._path.with_name(KEPT + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode(self._kept))
        new.replace(self._path)

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._log.error(trouble)


def _read(path: Path) -> Kept:
    try:
        return kept_of(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return Kept()
