"""What a document shows and nobody types is right, too: commands parse, and every YAML text loads."""

import contextlib
import io
import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.config.texts import SMALLEST
from tests.structure.docs import DOCUMENTS, FENCE, ROOT, commands
from tidegate.cli.main import COMMANDS, main
from tidegate.config.load import load
from tidegate.config.profiles import read_profile
from tidegate.simulate import reader
from tidegate.twin import config as twin

# What was measured, and what was once, is not to be typed.
PAGES = [name for name in DOCUMENTS if name not in {"CHANGELOG.md", "bench/report.md"}]
INLINE = re.compile(r"`(tidegate [a-z][^`]*)`")
WANTED = re.compile(r"\$\{(\w+)\}")
# What the parts of a configuration refer to, where they stand alone.
SLACK = "https://hooks.slack.com/services/T/B/x"
GIVEN = {
    "  routes:\n": f"  channels: {{ops: &x {{kind: slack, url: {SLACK!r}}}, phone: *x, boss: *x}}\n  routes:\n",
    "cache:\n": "namespaces: {research: {}, support: {}}\ncache:\n",
}
VALUES = {
    "DINGTALK_URL": "https://oapi.dingtalk.com/robot/send?access_token=x",
    "WECOM_URL": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x",
    "SLACK_URL": SLACK,
    "HOOK_SECRET": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
}


def blocks(page: str, *languages: str) -> list[str]:
    found: list[tuple[str, str]] = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


SHOWN = [
    pytest.param(text, id=f"{page}-{number}")
    for page in PAGES
    if not page.startswith("docs/zh/") and not page.endswith("zh-CN.md")  # test_docs_in_step.py: the same
    for number, text in enumerate(blocks(page, "yaml"))
]


def parser(command: str) -> ArgumentParser:
    made = ArgumentParser(prog=f"tidegate {command}")
    import_module(f"tidegate.cli.{command}").add_arguments(made)
    return made


def typed(page: str) -> Iterator[list[str]]:
    """The words of each line of a `text` block that begins with the program's name."""
    for text in blocks(page, "text"):
        for command in commands(text):
            if command.startswith("tidegate "):
                yield shlex.split(re.split(r" (?:\||&&|>) ", command)[0])[1:]


def unknown(words: list[str]) -> str:
    """The first verb or option of a command in a sentence that the program does not have; "" = it has all."""
    if words[0] not in COMMANDS:
        return words[0]
    at = parser(words[0])
    options = set(at._option_string_actions)
    for word in words[1:]:
        verbs = next((action.choices for action in at._actions if isinstance(action, _SubParsersAction)), None)
        if word.startswith("-"):
            if word.partition("=")[0] not in options:
                return word
        elif verbs is not None and re.fullmatch(r"[a-z-]+", word):
            if word not in verbs:
                return word
            at = verbs[word]
            options |= set(at._option_string_actions)
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_those_of_the_program(page: str) -> None:
    """A line that is shown but not run parses as it stands; a command in a sentence has known verbs and options."""
    for words in typed(page):
        assert words[0] in COMMANDS, words
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                parser(words[0]).parse_args(words[1:])
        except SystemExit:
            pytest.fail(f"tidegate {shlex.join(words)}\n{said.getvalue()}")
    sentences = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for code in INLINE.findall(sentences):
        assert unknown(code.split()[1:]) == "", code


def test_a_command_that_is_none_is_found() -> None:
    """A wrong command, verb or option of a sentence is each told; placeholders are not looked at."""
    told = [
        unknown(words.split()) for words in ("go", "keys make", "serve --prot N", "keys VERB", "calls show CALL -v")
    ]
    assert told == ["go", "make", "--prot", "", "-v"]


def completed(part: str) -> str:
    """A part of a configuration with a provider and all that it refers to."""
    for before, after in GIVEN.items():
        part = part.replace(before, after)
    return SMALLEST + part


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_loads(text: str, tmp_path: Path) -> None:
    """By whoever reads such a file: configuration, whole or a part, profile, scenario, or the twin's own file."""
    file = tmp_path / "file.yaml"
    named = set(YAML(typ="safe").load(text))
    if "model_list" in named:
        return  # another gateway's: what we make of it is looked at below
    if "extends" in named:
        assert read_profile(text.encode(), "file.yaml", {})
    elif "title" in named:
        assert reader.parse(text.encode(), "file.yaml").tenants
    elif "organisations" in named:
        file.write_text(text, encoding="utf-8")
        assert twin.load(file).organisations
    else:
        file.write_text(text if "providers" in named else completed(text), encoding="utf-8")
        assert load(str(file), {name: VALUES.get(name, "k") for name in WANTED.findall(text)}).snapshot.providers


def test_the_converted_file_is_what_the_converter_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/migrate.md shows the same settings, whatever their order and form."""
    asked, shown, *_ = blocks("docs/migrate.md", "yaml")
    source = tmp_path / "config.yaml"
    source.write_text(asked, encoding="utf-8")
    assert main(["policy", "convert", "litellm", str(source)]) == 0
    made = capsys.readouterr().out
    assert YAML(typ="safe").load(shown) == YAML(typ="safe").load(made)
