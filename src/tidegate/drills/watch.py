"""What runs drills: by their schedule where this node leads, and whenever somebody asks for it."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tidegate.drills.due import digest, held, is_due
from tidegate.drills.gate import Gate
from tidegate.drills.out import publish
from tidegate.drills.runner import Outcome, Runner
from tidegate.model.drills import FAILED, PASSED, Drill, DrillSettings, Latest
from tidegate.model.measures import Sample
from tidegate.observe.log import Log
from tidegate.policy.drills.score import Answered
from tidegate.policy.drills.standing import Stand, left_out, samples, standing
from tidegate.store import drills as store
from tidegate.store.duties import Deposed
from tidegate.store.engine import Begin, writing

SCHEDULE: Final = "schedule"
DEMAND: Final = "demand"
_LOOK: Final = 1.0  # seconds
_LONGEST_WAIT: Final = 15.0
_MOST: Final = 64  # demands that wait
_TIDY_US: Final = 3_600_000_000


class Demand(NamedTuple):
    """A run that somebody asked for. `strategy` "": of all that the drill names."""

    drill: str
    strategy: str = ""


class Clocks(NamedTuple):
    """Microseconds: monotonic, and since 1970."""

    now: Callable[[], int]
    wall: Callable[[], int]


class DrillWatch:
    """One for the control process. `demand`, `standing` and `samples` may be called by any thread."""

    __slots__ = ("_clocks", "_demands", "_engine_of", "_gate", "_lead", "_lock", "_log", "_poked", "_settings",
                 "_state_dir", "_tidied_us", "_trouble", "_wait", "running")  # fmt: skip

    def __init__(
        self,
        state_dir: Path,
        engine_of: Callable[[], Engine | None],
        settings: Callable[[], DrillSettings],
        lead: Callable[[], Begin | None],
        log: Log,
        clocks: Clocks,
    ) -> None:
        """`engine_of`: the database with this version's schema, None while it is away. `settings`: those in force.

        `lead`: how what is done once for all nodes is begun, None = by another node.
        """
        self._state_dir = state_dir
        self._engine_of = engine_of
        self._settings = settings
        self._lead = lead
        self._log = log
        self._clocks = clocks
        self._gate = Gate(state_dir, clocks.now)
        self._demands: dict[Demand, None] = {}
        self._lock = threading.Lock()
        self._poked = threading.Event()
        self._tidied_us = 0
        self._trouble = ""
        self._wait = _LOOK
        self.running = ""  # the drill that runs, "" = none does

    def rest(self, seconds: float) -> None:
        """Until then, or until somebody asks for a run."""
        self._poked.wait(seconds)
        self._poked.clear()

    def demand(self, drill: str, strategy: str = "") -> bool:
        """Have it run as soon as the one that runs has ended. False: too many wait already."""
        with self._lock:
            if len(self._demands) >= _MOST:
                return False
            self._demands[Demand(drill, strategy)] = None
        self._poked.set()
        return True

    @property
    def waiting(self) -> tuple[Demand, ...]:
        """What was asked for and has not begun."""
        with self._lock:
            return tuple(self._demands)

    def standing(self, connection: Connection, wall: int) -> list[Stand]:
        """How every target stands now."""
        settings = self._settings()
        return standing(settings, held(settings, store.latest(connection)), wall)

    def samples(self, connection: Connection, wall: int) -> list[Sample]:
        """For alerts. Nothing while no drill is configured."""
        return samples(self.standing(connection, wall)) if self._settings().drills else []

    def look(self) -> float:
        """Do what there is to do; returns the seconds until the next look. Trouble is said once, and tried again."""
        try:
            self._turn()
        except Exception as error:  # noqa: BLE001 - of a driver or a disk; calls do not wait for it
            trouble = type(error).__name__
            if trouble != self._trouble:
                self._log.error("drills cannot be run, or their proofs not kept", problem=trouble)
            self._trouble, self._wait = trouble, min(self._wait * 2, _LONGEST_WAIT)
            return self._wait
        finally:
            self.running = ""
        self._trouble, self._wait = "", _LOOK
        return _LOOK

    def _turn(self) -> None:
        settings, engine = self._settings(), self._engine_of()
        if not settings.drills:
            self._demands.clear()
            publish(self._state_dir, ())
            return
        if engine is None:
            return
        known = self._publish(engine)
        with self._lock:
            demand = next(iter(self._demands), None)
            if demand is not None:
                del self._demands[demand]
        if demand is not None:
            drill = next((one for one in settings.drills if one.name == demand.drill), None)
            if drill is not None:
                self._carry_out(engine, drill, settings, writing, demand.strategy)
        elif self._gate.ready and (begin := self._lead()) is not None:
            self._tidy(engine, begin)
            wall = self._clocks.wall()
            due = next((one for one in settings.drills if is_due(one, settings, known, wall)), None)
            if due is not None:
                self._carry_out(engine, due, settings, begin)

    def _carry_out(
        self, engine: Engine, drill: Drill, settings: DrillSettings, begin: Begin, strategy: str | None = None
    ) -> None:
        """Run it, and keep each target's proof as soon as it is known. `strategy` None: it was due."""
        self.running = drill.name
        cause = SCHEDULE if strategy is None else DEMAND
        runner = Runner(self._gate, self._clocks.wall, lambda: self._settings() != settings)
        for outcome in runner.run(drill, settings, strategy or ""):
            with contextlib.suppress(Deposed), begin(engine) as connection:
                store.write(connection, [_row(outcome, drill, settings, cause)])
            self._tell(outcome)
            self._publish(engine)

    def _tell(self, outcome: Outcome) -> None:
        proof = outcome.proof
        said = {"drill": outcome.drill, "strategy": outcome.strategy, "target": outcome.target}
        if proof.state == PASSED:
            self._log.info("passed its drill", **said, score=proof.permille / 10)
        elif proof.state == FAILED:
            self._log.warning("did not pass its drill", **said, score=proof.permille / 10, why=proof.why)
        else:
            self._log.warning("could not be judged by its drill", **said, why=proof.why)

    def _publish(self, engine: Engine) -> list[Latest]:
        """Tell the workers of this node who is left out."""
        settings = self._settings()
        with engine.connect() as connection:
            known = held(settings, store.latest(connection))
        publish(self._state_dir, left_out(settings, standing(settings, known, self._clocks.wall())))
        return known

    def _tidy(self, engine: Engine, begin: Begin) -> None:
        wall = self._clocks.wall()
        if wall - self._tidied_us >= _TIDY_US:
            self._tidied_us = wall
            with contextlib.suppress(Deposed, SQLAlchemyError), begin(engine) as connection:
                store.forget(connection, wall)


def _row(outcome: Outcome, drill: Drill, settings: DrillSettings, cause: str) -> store.Run:
    strategy = settings.strategy(outcome.strategy)
    targets = () if strategy is None else strategy.targets
    target = next(one for one in targets if one.model == outcome.target)
    return store.Run(
        at_us=outcome.at_us,
        drill=outcome.drill,
        strategy=outcome.strategy,
        target=outcome.target,
        state=outcome.proof.state,
        permille=outcome.proof.permille,
        until_us=outcome.until_us,
        asked=len(outcome.answers),
        tokens=outcome.tokens,
        cost_nano=outcome.cost_nano,
        why=outcome.proof.why,
        detail=json.dumps(list(details(outcome.answers)), ensure_ascii=False),
        digest=digest(drill, target),
        cause=cause,
    )


def details(answers: Iterable[Answered]) -> Iterator[dict[str, object]]:
    """What is kept of answers: verdicts and reasons, and the id of the call, under which the ledger has it."""
    for one in answers:
        yield {
            "prompt": one.prompt,
            "fault": one.fault,
            "streamed": one.streamed,
            "call": one.call,
            "problem": one.broken or one.unasked,
            "verdicts": [{"kind": v.kind, "met": v.met, "weight": v.weight, "why": v.why} for v in one.verdicts],
        }
