"""Issue 8/9, row by row, in the order of its list "Must show"."""

from bench.prove.eight import alarms, channels, cost, drills, dryrun, finding, prometheus, rehearsal, trends
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "An outage rehearsed at all channels: the right alerts in the right order, none twice, recovery sent",
        (rehearsal.alone, rehearsal.killed, rehearsal.midway, rehearsal.two_nodes, channels.channels),
    ),
    (
        "A real Prometheus and an OTLP receiver take what is sent; every query of every dashboard has data",
        (
            prometheus.prometheus,
            passing("tests/e2e/test_telemetry.py", name="traces and metrics at an OTLP receiver: tests passed"),
            trends.minutes,
            trends.ahead,
        ),
    ),
    ("A fallback that would not answer is found before it is needed, in Chinese and English", (drills.drills,)),
    ("A dry run foretells what then happens: refused and queued calls within 2 %", (dryrun.foretold, dryrun.speed)),
    ("One call among ten million; the store's size; retention", (finding.finding,)),
    ("What observability costs on the path of a call: at most 8 %", (cost.cost,)),
    (
        "Bad input: unknown metric, channel without secret, endless webhook, judge that is down, 10,000 alerts at once",
        (alarms.wrong_files, alarms.endless, alarms.crowd),
    ),
)
