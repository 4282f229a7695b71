"""Issue 7/9, row by row, in the order of its list "Must show"."""

from bench.prove.cluster import exact, failover, price, reference, refused, regions, revoked, silence, splits
from bench.prove.steps import Step

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
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
    ("What sharing costs: CPU, commands of Redis, a second worker, connections", (price.shared, price.workers)),
    ("A revoked key is refused by every worker of every node in less than a second", (revoked.revoked,)),
    ("Three hosts, links cut and restored: nothing over the limit in any split", (splits.splits,)),
    (
        "Three regions and one quota: nothing over the limit in any split, and what the parts allow is used",
        (regions.regions,),
    ),
    ("A shared state that cannot be relied on is refused at the start, with the remedy", (refused.refused,)),
    ("Reference: LiteLLM over its Redis, the same arrivals, the same provider", (reference.reference,)),
)
