"""`tidegate twin` as a process: its ready line, its flags, its end."""

import json
import signal
import urllib.request

import pytest

from tests.twin.command import parser, start
from tidegate.cli import twin


def get(url):
    with urllib.request.urlopen(url) as reply:
        return json.load(reply)


def test_a_life(capsys):
    """One ready line with the URL, limits by flags, the contract's ledger, no second twin there, 0 on SIGTERM."""
    process, url = start("--rpm", "7", "--tpm", "1000000000000", "--window", "sliding", "--ghost", "10%")
    origin = url.removesuffix("/openai/v1")
    assert get(f"{origin}/twin/limits")["gpt-4o"] == {"rpm": 7, "tpm": 10**12, "rpd": 0, "tpd": 0, "otpm": 0}
    assert list(get(f"{origin}/twin/ledger")) == [
        "calls", "served", "throttled", "avoidable", "charged_tokens", "billed_tokens", "by_model", "by_key",
    ]  # fmt: skip
    port = origin.rpartition(":")[2]
    assert outcome("--port", port) == 1
    assert f"port {port}" in capsys.readouterr().err
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0


def outcome(*arguments):
    """The exit status of the command, run in this process."""
    try:
        return twin.run(parser().parse_args(arguments))
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rpm", "0"], "--rpm: 0 is not between 1 and 1000000000000"),
        (["--ghost", "lots"], "no percentage"),
        (["--window", "leaky"], "invalid choice"),
        (["-c", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_a_wrong_argument_ends_it_with_2(arguments, words, capsys):
    """And says what is wrong."""
    assert outcome(*arguments) == 2
    assert words in capsys.readouterr().err
