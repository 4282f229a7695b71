"""Programs that are run: commands, and apprise in its process."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from harness.wait import until
from tests.alerts.channels.stand import LIMITED, SETTINGS, notice, told
from tidegate.alerts.channels import apprise, apprise_child
from tidegate.model.alerts import AlertChannel
from tidegate.testing.channels import Stand

ITEMS = [LIMITED] * 500


def script(folder: Path, text: str) -> AlertChannel:
    path = folder / "more-quota.sh"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return AlertChannel("more", "command", command=(str(path), "a b", "$HOME"), timeout_us=5_000_000, language="zh")


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text(encoding="utf-8")


async def test_a_command_gets_the_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON and in variables; arguments come as they are written, and of our environment three names and no more."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("LANG", "C.UTF-8")
    channel = script(tmp_path, f'cat > {tmp_path}/in; env > {tmp_path}/env; echo "$1|$2" > {tmp_path}/words')
    assert await told(channel, notice(more=2)) is None
    data = json.loads((tmp_path / "in").read_text())
    assert data["title"] == "【严重】gpt-4o 持续限流 5 分钟，另有 2 条告警"
    assert data["alerts"][0]["labels"] == {"model": "gpt-4o"}
    assert (tmp_path / "words").read_text() == "a b|$HOME\n"
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    ours = {name: value for name, value in found.items() if name.startswith("TIDEGATE_ALERT_")}
    assert set(found) - set(ours) <= {"PATH", "HOME", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    assert {name.removeprefix("TIDEGATE_ALERT_"): value for name, value in ours.items()} == {
        "ID": "n1", "STATE": "firing", "SEVERITY": "critical", "GATE": "prod-gate", "CHANNEL": "more", "COUNT": "3",
        "TITLE": data["title"], "LINK": SETTINGS.link, "RULE": "limited_seconds", "METRIC": "limited_seconds",
        "VALUE": "300", "THRESHOLD": "300", "LABEL_MODEL": "gpt-4o",
    }  # fmt: skip
    assert "sk-canary" not in str(found)


async def test_a_command_that_fails(tmp_path: Path) -> None:
    """Its status is told, with the first line that it complained of; it is tried again."""
    error = await told(script(tmp_path, "echo 'no quota left' >&2; echo more >&2; exit 3"))
    assert str(error) == "the command ended with 3: no quota left"
    assert error is not None
    assert not error.final
    error = await told(script(tmp_path, "kill -9 $$"))
    assert str(error) == "the command ended by signal 9"


async def test_a_command_that_takes_too_long(tmp_path: Path) -> None:
    """It is killed, and with it what it has started."""
    channel = script(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    error = await told(msgspec.structs.replace(channel, timeout_us=500_000))
    assert "took too long and was killed" in str(error)
    child = int((tmp_path / "child").read_text())
    await until(lambda: gone(child), "what it started is gone")


async def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    """It is not waited for, though it holds the output; the command itself was well."""
    channel = script(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child")
    assert await told(channel) is None
    child = int((tmp_path / "child").read_text())
    await until(lambda: gone(child), "what it started is gone")


async def test_a_command_that_talks_without_end(tmp_path: Path) -> None:
    """What it says is thrown away; it runs until its time is over, and costs no memory."""
    channel = script(tmp_path, "yes >&2 & yes")
    error = await told(msgspec.structs.replace(channel, timeout_us=500_000))
    assert "took too long" in str(error)


async def test_a_command_that_does_not_listen(tmp_path: Path) -> None:
    """A notice larger than any pipe does not hold it."""
    assert await told(script(tmp_path, "exit 0"), notice(items=ITEMS)) is None


@pytest.mark.parametrize(
    ("command", "why"),
    [(("/nowhere/at/all",), "No such file"), (("/tmp",), "denied"), (("a\0b",), "not a usable argument")],
)
async def test_a_command_that_cannot_be_run(command: tuple[str, ...], why: str) -> None:
    """It is final, and says why."""
    error = await told(AlertChannel("more", "command", command=command))
    assert error is not None
    assert error.final
    assert why in str(error)


async def test_labels_with_a_nul_are_no_trouble(tmp_path: Path) -> None:
    """No variable can hold one."""
    item = msgspec.structs.replace(LIMITED, labels=(("model", "a\0b\nc"), ("not a name", "x")))
    channel = script(tmp_path, f"env > {tmp_path}/env")
    assert await told(channel, notice(items=(item,))) is None
    assert "TIDEGATE_ALERT_LABEL_MODEL=a b c\n" in (tmp_path / "env").read_text()


async def test_apprise_is_asked_for_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed the error says how to."""
    monkeypatch.setattr(apprise, "find_spec", lambda _: None)
    error = await told(AlertChannel("any", "apprise", "json://127.0.0.1/secret"))
    assert str(error) == 'apprise is not installed; pip install "tidegate[apprise]"'
    assert error is not None
    assert error.final


async def test_a_url_that_apprise_does_not_know() -> None:
    """It is final, and not repeated."""
    error = await told(AlertChannel("any", "apprise", "nothing://canary", timeout_us=30_000_000))
    assert str(error) == "apprise knows no such URL; check `url`"
    assert error is not None
    assert error.final


@pytest.mark.parametrize("fault", ["error", "cut", "slow"])
async def test_apprise_and_a_service_that_fails(stand: Stand, fault: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It is told as far as apprise knows; one that never answers ends with its process, and nothing is printed."""
    stand.fail("apprise", fault, 5)
    error = await told(stand.channel("apprise", timeout_us=2_000_000 if fault == "slow" else 20_000_000))
    assert error is not None
    assert not error.final
    assert stand.url.removeprefix("http://") not in str(error)
    assert capfd.readouterr() == ("", "")


async def test_apprise_ends_with_who_asked() -> None:
    """A process that died has its message sent by another one: what it had begun must not send it, too."""
    reading, writing = os.pipe()
    parent, child = _parent_and_child(reading)
    await until(lambda: _ignores_interrupts(child), "the child")
    parent.kill()
    parent.communicate()
    await until(lambda: gone(child), "its end")
    os.close(reading)
    os.close(writing)


def _parent_and_child(reading: int) -> tuple[subprocess.Popen[bytes], int]:
    """A process that has started apprise's, which waits for its message."""
    words = f"[sys.executable, '-m', '{apprise_child.__name__}'], stdin={reading}"
    code = f"import subprocess, sys, time; print(subprocess.Popen({words}).pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=[reading])
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def _ignores_interrupts(process: int) -> bool:
    """As who ends with its parent does."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return bool(int(status.partition("\nSigIgn:\t")[2].partition("\n")[0], 16) & 1 << signal.SIGINT - 1)
