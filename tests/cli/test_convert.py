"""`tidegate policy convert`."""

import json
from pathlib import Path

import pytest

from tidegate.cli.main import main

CONFIG = """
model_list:
  - {model_name: chat, litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 60}}
router_settings: {num_retries: 2, cooldown_time: 5}
"""


def test_to_a_file_that_check_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is new, says what became of what, and is right; a second one needs another name."""
    source, out = tmp_path / "config.yaml", tmp_path / "gate.yaml"
    source.write_text(CONFIG)
    command = ["policy", "convert", "litellm", str(source), "--out", str(out)]
    assert main(command) == 0
    assert "1 left" in (said := capsys.readouterr().err)
    assert "set first: OPENAI_API_KEY" in said
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert main(["check", str(out)]) == 0
    assert main(command) == 2
    assert "not there yet" in capsys.readouterr().err


def test_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Channels of one-api, too."""
    source = tmp_path / "channels.json"
    source.write_text(json.dumps([{"id": 1, "type": 1, "key": "sk-9", "name": "a", "models": "gpt-4o", "status": 1}]))
    assert main(["policy", "convert", "one-api", str(source)]) == 0
    assert "base_url: https://api.openai.com/v1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [("litellm", "a: [", "not YAML, line"), ("litellm", "a: 1", "no model_list"), ("new-api", "{", "not JSON"),
     ("new-api", "[]", "one object a row")],
)  # fmt: skip
def test_bad_files(kind: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence on standard error, and 2."""
    source = tmp_path / "source"
    source.write_text(text)
    assert main(["policy", "convert", kind, str(source)]) == 2
    assert words in capsys.readouterr().err
    assert main(["policy", "convert", kind, str(tmp_path / "none")]) == 2
