"""Which store a URL names."""

from tidegate.model.region_url import etcd
from tidegate.regions.etcd import EtcdStore
from tidegate.regions.store import Store


def open_store(url: str, prefix: str, timeout_us: int) -> Store:
    """It connects when it is first asked. Raises `ValueError` or `OSError`."""
    place = etcd(url)
    if place is not None:
        return EtcdStore(place, prefix, timeout_us)
    from tidegate.regions.redis import RedisStore  # noqa: PLC0415 - redis-py is an extra, and slow to import

    return RedisStore(url, prefix, timeout_us)
