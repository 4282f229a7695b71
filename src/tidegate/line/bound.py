"""A strategy's own limits as all workers spend them: calls and tokens a minute, and a burst of calls, in one fund."""

from tidegate.model.cluster import BUCKET
from tidegate.model.snapshot import RateLimitPolicy
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import REQUESTS, TOKENS, QuotaLease
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Quota
from tidegate.units import MINUTE_US


def shared_bound(strategy: str, policy: RateLimitPolicy, key: str, now: int) -> Outlet:
    """`key` with the strategy's hash tag. Other limits are another fund, as they are other buckets in one worker."""
    capacity, window = policy.bucket_capacity, MINUTE_US
    if capacity and policy.refill_rate_milli:
        window = max(1, capacity * 1_000_000_000 // policy.refill_rate_milli)
    else:
        capacity = 0
    purses = (
        QuotaLease(BUCKET, policy.max_rpm, window_us=MINUTE_US, of=REQUESTS),
        QuotaLease(BUCKET, policy.max_tpm, window_us=MINUTE_US, of=TOKENS),
        QuotaLease(BUCKET, capacity, window_us=window, of=REQUESTS),
    )
    requests = tuple([purse for purse in purses if purse.limit and purse.of == REQUESTS])
    outlet = Outlet(strategy, Quota(requests, tuple([purse for purse in purses if purse.limit and purse.of == TOKENS])))
    name = f"{key}:{policy.max_rpm}:{policy.max_tpm}:{capacity}:{policy.refill_rate_milli}"
    if policy.on_loss:
        name += f":{policy.on_loss}"
    outlet.wallet = LeaseClient(name, purses, now // 1_000)  # milliseconds: no seq comes twice
    outlet.wallet.on_loss = policy.on_loss
    return outlet
