"""`./dev bench schedule`: what a decision costs, with few and with many who wait, and when nobody does."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from rich.table import Table

from bench.figures import Figure, at_most, console, figures_table, median, spread, told, write
from tidegate.model.tenant import FREE, Tenant
from tidegate.policy.schedule.face import Scheduler, Ticket
from tidegate.policy.schedule.make import DISCIPLINES, make

FEW = (10, 100)  # tenants, calls that wait
MANY = (10_000, 100_000)
GROWTH = 1.5
TURNS = 10_000
COSTS = [Random(1).randint(100, 4_000) for _ in range(1_024)]
TENANTS = [Tenant(f"tenant-{number}", FREE) for number in range(MANY[0])]
STRANGERS = [Tenant(f"stranger-{number}", FREE) for number in range(TURNS)]


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU in microseconds, one value a round."""

    few: list[float]
    many: list[float]
    cancel: list[float]  # push and remove, many waiting
    stranger: list[float]  # push and pop of tenants never seen, many waiting
    past: list[float]  # `spent` of calls that pass at once, nobody waiting

    def growth(self) -> list[float]:
        """Many over few, each round by itself: both were measured in the same moment."""
        return [many / few for few, many in zip(self.few, self.many, strict=True)]


def _waiting(name: str, tenants: int, calls: int) -> Scheduler:
    scheduler = make(name)
    for at in range(calls):
        scheduler.push(Ticket(TENANTS[at % tenants], COSTS[at % 1_024], at), at)
    return scheduler


def _turns(scheduler: Scheduler) -> None:
    for at in range(TURNS):
        scheduler.head(at)
        tenant = scheduler.pop(at).tenant
        scheduler.push(Ticket(tenant, COSTS[at % 1_024], at), at)


def _cancels(scheduler: Scheduler) -> None:
    for at in range(TURNS):
        ticket = Ticket(TENANTS[at], COSTS[at % 1_024], at)
        scheduler.push(ticket, at)
        scheduler.remove(ticket, at)


def _strangers(scheduler: Scheduler) -> None:
    for at in range(TURNS):
        scheduler.push(Ticket(STRANGERS[at], COSTS[at % 1_024], at), at)
        scheduler.pop(at)


def _past(scheduler: Scheduler) -> None:
    for at in range(TURNS):
        scheduler.spent(TENANTS[at % 100], COSTS[at % 1_024], at * 1_000)


def _cpu(work: Callable[[Scheduler], None], scheduler: Scheduler) -> float:
    begun = time.process_time()
    work(scheduler)
    return (time.process_time() - begun) * 1e6 / TURNS


def measure(name: str, rounds: int) -> Costs:
    """All costs of one discipline, in turn, so that a busy moment of the machine meets each alike."""
    few, many, idle = _waiting(name, *FEW), _waiting(name, *MANY), make(name)
    costs = Costs([], [], [], [], [])
    for at in range(rounds + 1):
        found = _cpu(_turns, few), _cpu(_turns, many), _cpu(_past, idle), _cpu(_cancels, many), _cpu(_strangers, many)
        if at:  # the first warms up
            for row, value in zip(
                (costs.few, costs.many, costs.past, costs.cancel, costs.stranger), found, strict=True
            ):
                row.append(value)
    return costs


def _table(measured: dict[str, Costs]) -> Table:
    table = Table(title="CPU of one decision, µs (median)", title_justify="left")
    few, many = (f"{calls:,} wait of {tenants:,} tenants" for tenants, calls in (FEW, MANY))
    for heading in ("discipline", few, many, "cancel (many)", "unknown tenant (many)", "nobody waits: `spent`"):
        table.add_column(heading, justify="left" if heading == "discipline" else "right")
    for name, costs in measured.items():
        rows = (costs.few, costs.many, costs.cancel, costs.stranger, costs.past)
        table.add_row(name, *(f"{median(row):.2f}" for row in rows))
    return table


def _figures(measured: dict[str, Costs]) -> list[Figure]:
    found = []
    for name, costs in measured.items():
        growth = costs.growth()
        found.append(
            at_most(f"{name}: a turn with many over one with few", median(growth), GROWTH, note=spread(growth))
        )
        found.append(told(f"{name}: a call past the queue", f"{median(costs.past):.2f} µs", spread(costs.past)))
    return found


def main(words: list[str]) -> int:
    """Measures every discipline; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="./dev bench schedule", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each (default: %(default)s)")
    arguments = parser.parse_args(words)
    measured = {name: measure(name, arguments.rounds) for name in DISCIPLINES}
    figures = _figures(measured)
    out = console()
    out.print(_table(measured))
    out.print(figures_table("Scheduling", figures))
    out.print(f"written: {write('schedule', figures, costs=measured)}")
    return 0 if all(figure.met is not False for figure in figures) else 1
