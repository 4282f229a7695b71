"""Names of time zones."""

from datetime import UTC

from tidegate.zones import zone_of


def test_time_zones_of_the_system() -> None:
    """The same one for the same name; what the system does not know is UTC."""
    assert zone_of("Asia/Shanghai") is zone_of("Asia/Shanghai")
    assert str(zone_of("Asia/Shanghai")) == "Asia/Shanghai"
    assert zone_of("UTC") is zone_of("") is zone_of("Nowhere/None") is zone_of("../etc/passwd") is UTC
