"""What `./dev prove N` shows: what issue N of 9 promised, in the order of its list "Must show", and what shows it.

The one place that knows of issues: everything beside it is named by its subject.
"""

from typing import Final

from bench.proofs.alerts import alarms, channels, rehearsal
from bench.proofs.caching import clocks, crowds, keys, stores, strangers
from bench.proofs.caching.meaning import rows as meaning
from bench.proofs.cluster import exact, failover, reference, refused, regions, revoked, silence, splits
from bench.proofs.cluster import price as sharing
from bench.proofs.control_room import browser
from bench.proofs.dialects import graded, standard
from bench.proofs.drills import dryrun, fallbacks
from bench.proofs.faults import run as matrix
from bench.proofs.jobs import batch, engines, mixed
from bench.proofs.jobs import faults as killing
from bench.proofs.jobs.scene import ENGINES
from bench.proofs.judge import judged
from bench.proofs.observability import finding, prometheus, trends
from bench.proofs.observability import price as watching
from bench.proofs.pools import conversations, mission
from bench.proofs.quota import fairness, honesty, overload, split, used
from bench.proofs.release import fresh_root
from bench.proofs.steps import Step, passing
from bench.proofs.streams import bounded, departures, hedged, once, seams
from bench.proofs.streams import price as chunks
from bench.proofs.tenants import budgets, isolation, ledger, security
from bench.proofs.upgrade import upgraded
from bench.proofs.wire import benches, replay, walkthrough

_Rows = tuple[tuple[str, tuple[Step, ...]], ...]

_WIRE: _Rows = (
    (
        "The walk-through as a conversation on the manual clock, and for real against the twin",
        (passing("tests/line/test_walkthrough.py"), walkthrough.for_real),
    ),
    ("The official openai SDK, sync and async", (passing("tests/e2e/test_openai_sdk.py"),)),
    (
        "The trace at 3× the quota: no 429 at the provider, ≥ 97 % charged, everybody told",
        (replay.at_speed(20), replay.at_speed(60, windows=False)),
    ),
    ("The same calls by a bare SDK with its own retries", (benches.sdk_compared,)),
    ("bench wire beside nginx and Envoy", (benches.whole_wire,)),
    ("This list as a table and as JSON", (benches.itself,)),
    (
        "Bad input: the right status, dialect and message; nothing hung",
        (
            passing("tests/e2e/test_bad_input.py", name="through the gate: tests passed"),
            passing(
                "tests/wire/test_vectors.py",
                "tests/wire/test_server_fuzz.py",
                "tests/wire/test_server_gone.py",
                "tests/wire/test_server_times.py",
                name="the wire's table, fuzzing, disconnects and slow clients: tests passed",
            ),
        ),
    ),
    (
        "check on 30 broken configuration files",
        (
            passing("tests/config/test_broken.py", name="broken files: tests passed"),
            passing("tests/config/test_secrets.py", name="secrets never echoed: tests passed"),
        ),
    ),
)

_QUOTA: _Rows = (
    (
        "≥ 99 % of the quota with 0 avoidable 429s, four kinds of window",
        (used.side_by_side(used.FULL), used.side_by_side(used.SECONDS)),
    ),
    (
        "With 30 % of the quota used by others: ≥ 95 % of what is left",
        (used.side_by_side(used.GHOSTS), used.side_by_side(used.GHOST_SECONDS)),
    ),
    (
        "The same right after a restart, and when the limits halve or double unannounced",
        (used.shaken,),
    ),
    ("Bursts: 10 s on, 20 s off, mean 0.9 × the quota", (overload.bursts, overload.bursts_bare, overload.bursts_peers)),
    (
        "Steady 3×: nothing wasted, refusals told at once, every vip answered",
        (overload.steady, overload.steady_bare, overload.steady_peers),
    ),
    ("Fairness: a flood beside steady and rare tenants", (fairness.flood_beside_quiet,)),
    ("Retry-After is true", (honesty.returning,)),
    ("The mission's table: one account, a pool of sixteen, 500 and 5,000 connections", (mission.table,)),
    ("Conversations where cached reads are free", (conversations.multi_turn,)),
    (
        "Scheduling cost with 100,000 waiters, and a call through the wire",
        (benches.schedulers, benches.beside_the_first),
    ),
    (
        "Chaos: no permit leaked, no call lost, none served twice",
        (
            passing("tests/e2e/test_pool_chaos.py", name="pools under faults: tests passed"),
            passing("tests/e2e/test_reload.py", name="reload under load: tests passed"),
        ),
    ),
    (
        "Bad input: check names line and remedy",
        (passing("tests/config/test_broken.py", name="broken files: tests passed"),),
    ),
)

_STREAMS: _Rows = (
    ("Fault matrix: every cell ends as documented, no stream is lost, no token comes twice", (matrix.matrix,)),
    ("After a cut: the rest of the answer, or all of it again, as the policy says", (seams.seams,)),
    (
        "A client that leaves: the provider is stopped in < 50 ms, what was delivered is booked",
        (departures.departures,),
    ),
    ("Idempotency-Key: one execution, one answer for all", (once.once,)),
    ("A client that does not read a stream of 10 MB: memory stays bounded", (bounded.bounded,)),
    ("A hedged first token, within its budget", (hedged.hedged,)),
    ("Input and output limited apart: used up, and no 429 that could be avoided", (split.by_output,)),
    (
        "The official SDKs of both makers, each over both makers' models",
        (passing("tests/e2e/test_openai_sdk.py", "tests/e2e/test_anthropic_sdk.py"),),
    ),
    (
        "Graded by llmock as a provider's client: no retry storm, no ignored Retry-After, no accepted truncation",
        (graded.graded,),
    ),
    ("LangChain's standard test suites, both packages over both makers", (standard.standard_tests,)),
    (
        "Round trips keep what both can say; streams cut at every offset decode the same",
        (passing("tests/providers"),),
    ),
    (
        "Bad input in both dialects; a profile with an unknown field or without a date is named",
        (
            passing(
                "tests/e2e/test_bad_input.py",
                "tests/e2e/test_bad_input_messages.py",
                "tests/e2e/test_bad_input_responses.py",
            ),
            passing("tests/config/test_profiles.py", "tests/config/test_broken.py", name="tests of profiles passed"),
        ),
    ),
    (
        "Cost: a translated chunk, and a call and a stream in the same dialect on both sides",
        (chunks.price, chunks.in_the_worker, chunks.same_dialect),
    ),
)

_TENANTS: _Rows = (
    (
        "The ledger equals the provider's bill: aborts, retries, cuts and fallbacks",
        (ledger.cancelled, ledger.drained),
    ),
    (
        "kill -9 of worker, control process and database: each answered call has one row, nothing leaks",
        (ledger.killed, ledger.away, passing("tests/e2e/test_ledger.py", "tests/e2e/test_crash.py")),
    ),
    *budgets.ROWS,
    (
        "Security: every route for every role, other tenants out of reach, signatures, secrets, fuzzing",
        (
            passing("tests/control/admin", name="the admin API: tests passed"),
            passing(
                "tests/policy/access/test_signature.py",
                "tests/policy/access/test_nonces.py",
                "tests/edge/access/test_signatures.py",
                "tests/e2e/test_signing.py",
                "tests/client",
                name="signatures: tests passed",
            ),
            passing("tests/policy/access", "tests/edge/access/test_door.py", name="addresses: tests passed"),
            passing(
                "tests/edge/access/test_reception.py",
                "tests/edge/access/test_rights.py",
                "tests/e2e/test_managed_keys.py",
                name="keys and what they may: tests passed",
            ),
            passing("tests/e2e/test_secrets.py", name="canaries: tests passed"),
            security.fuzzed,
        ),
    ),
    (
        "cgroups: two namespaces that saturate the CPU are held at 70/30 within 5 points",
        (
            isolation.shares,
            isolation.neighbour,
            passing("tests/supervisor/test_fleet.py", "tests/supervisor/test_cgroup.py", "tests/e2e/test_isolation.py"),
        ),
    ),
    ("What it costs: a key with every limit ≤ +5 %, a signature ≤ 8 µs", (benches.identity,)),
    (
        "Bad input: the admin API names the field; a journal that is corrupt, full or stalled is told",
        (
            passing("tests/config/test_broken.py", "tests/config/test_access.py", name="broken files: tests passed"),
            passing("tests/journal", name="journals: tests passed"),
        ),
    ),
)

_CACHING: _Rows = (
    (
        "An exact hit costs ≤ 1.2 × nginx proxy_pass, p50 ≤ 1 ms; what changes the answer changes its key",
        (benches.cached, keys.keys, keys.cost),
    ),
    (
        "1,000 equal calls at once, whole and streamed, are one, whoever leaves",
        (crowds.unary, crowds.streamed, passing("tests/e2e/test_cache.py", name="cache of a real gate: tests passed")),
    ),
    *meaning.ROWS,
    (
        "No tenant gets another's answer, nor can tell by the clock what it has asked",
        (strangers.probed, clocks.told_apart),
    ),
    *stores.ROWS,
    (
        "The RAG assistant: answered, then from the exact cache, then from the semantic one; another quarter is not",
        (passing("tests/e2e/test_rag_assistant.py", name="the example, in both languages: tests passed"),),
    ),
)

_JOBS: _Rows = (
    (
        "10,000 jobs while anything is killed: each ends once, no answer is lost, the ledger shows each execution",
        tuple(killing.killed(engine) for engine in ENGINES),
    ),
    ("A killed runner's job runs again within 10 s", (killing.recovery,)),
    (
        "Conversations at 3× quota do not feel the jobs behind them, and the jobs finish",
        (mixed.beside_conversations,),
    ),
    ("A batch file of 50,000 lines by the OpenAI SDK: memory flat, progress, each line answered", (batch.large,)),
    ("Throughput, and what a job costs on each engine", (engines.engines,)),
    (
        "One conformance suite on all three engines; bad input, a broker that is away, webhooks that never answer",
        (
            passing("tests/jobs/engines", name="the engines' suite: tests passed"),
            passing("tests/jobs", name="rows, desk, batches, webhooks: tests passed"),
        ),
    ),
)

_CLUSTER: _Rows = (
    (
        "1 to 8 workers and 3 nodes: nothing over the limit, ≥ 98 % of it used, fair and by rank over all of them",
        (*(exact.exact(shape) for shape in exact.SHAPES), exact.fair, exact.ranked),
    ),
    (
        "The same with kill -9 of a random worker every 5 s",
        tuple(exact.exact(shape, kills=True) for shape in exact.SHAPES[1:]),
    ),
    ("Redis fails over by Sentinel: within the bound, and how soon", (failover.sentinel,)),
    ("A Redis Cluster of 3 + 3 nodes loses a primary", (failover.slots,)),
    (
        "Redis is stopped, killed, emptied, slow, cut off; clocks are stepped: no call feels it, nothing goes over",
        (silence.paced, silence.greedy),
    ),
    ("What sharing costs: CPU, commands of Redis, a second worker, connections", (sharing.shared, sharing.workers)),
    ("A revoked key is refused by every worker of every node in less than a second", (revoked.revoked,)),
    ("Three hosts, links cut and restored: nothing over the limit in any split", (splits.splits,)),
    (
        "Three regions and one quota: nothing over the limit in any split, and what the parts allow is used",
        (regions.regions,),
    ),
    ("A shared state that cannot be relied on is refused at the start, with the remedy", (refused.refused,)),
    ("Reference: LiteLLM over its Redis, the same arrivals, the same provider", (reference.reference,)),
)

_ALERTS: _Rows = (
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
    ("A fallback that would not answer is found before it is needed, in Chinese and English", (fallbacks.drills,)),
    ("A dry run foretells what then happens: refused and queued calls within 2 %", (dryrun.foretold, dryrun.speed)),
    ("One call among ten million; the store's size; retention", (finding.finding,)),
    ("What observability costs on the path of a call: at most 8 %", (watching.cost,)),
    (
        "Bad input: unknown metric, channel without secret, endless webhook, judge that is down, 10,000 alerts at once",
        (alarms.wrong_files, alarms.endless, alarms.crowd),
    ),
)

_RELEASE: _Rows = (
    (
        "In a browser: every page without a complaint, first page, a change that acts, a day of curves, much to find",
        (
            passing("tests/browser"),
            browser.first_page,
            browser.curves,
            browser.many,
        ),
    ),
    (
        "A fresh Debian with git and python3-venv: demo and tests of a clone, in Chinese too; the wheel without Node",
        (fresh_root.from_a_clone, fresh_root.in_chinese, fresh_root.from_the_wheel, fresh_root.as_in_its_image),
    ),
    ("An upgrade from an older store and policy file keeps everything", (upgraded.live, upgraded.kept)),
    (
        "tidegate judge: our gate in three shapes, a bad gateway found out, others by their recipes (--peers)",
        (judged.ours, judged.naive, judged.peers),
    ),
)

PROOFS: Final[dict[int, _Rows]] = {
    1: _WIRE,
    2: _QUOTA,
    3: _STREAMS,
    4: _TENANTS,
    5: _CACHING,
    6: _JOBS,
    7: _CLUSTER,
    8: _ALERTS,
    9: _RELEASE,
}
