"""Records of alerts."""

from tidegate.model.alerts import AlertChannel, AlertSettings


def test_a_channel_is_printed_without_its_secrets() -> None:
    """By `repr`, by rich, and within other records."""
    channel = AlertChannel(
        "ops", "slack", "https://hooks.slack.com/services/canary", "canary", proxy="http://u:canary@p"
    )
    assert repr(channel) == "AlertChannel('ops', 'slack')"
    assert list(channel.__rich_repr__()) == [("name", "ops"), ("kind", "slack")]
    assert "canary" not in repr(AlertSettings(channels=(channel,)))
