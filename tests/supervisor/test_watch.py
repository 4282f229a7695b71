"""When a changed file is read again."""

import os
from pathlib import Path

import pytest

from tidegate.supervisor.watch import Watch


class Editor:
    """Changes files and looks at them, on a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.config, self.keys = folder / "gate.yaml", folder / "keys"
        self.written = 0
        self.write(self.config, "one")
        self.watch = Watch(str(self.config), 1.0)
        self.watch.start(0.0)

    def write(self, path: Path, text: str) -> None:
        """Two writes are never in the same tick of the file system's clock."""
        path.write_text(text)
        self.written += 1
        os.utime(path, ns=(0, self.written))

    def look(self) -> bool:
        assert self.watch.at is not None
        return self.watch.changed(self.watch.at)

    def looks(self, number: int) -> list[bool]:
        return [self.look() for _ in range(number)]


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    return Editor(tmp_path)


def test_nothing_changed(editor: Editor) -> None:
    """Looked at once a second, nothing to do."""
    assert editor.looks(3) == [False, False, False]
    assert editor.watch.at == 4.0


def test_a_change_is_read_when_it_has_settled(editor: Editor) -> None:
    """Not at the first sight of it; once; and soon."""
    editor.write(editor.config, "two")
    assert editor.look() is False
    assert editor.watch.at == pytest.approx(1.3)
    assert editor.look() is True
    editor.watch.reading()
    assert editor.looks(3) == [False, False, False]


def test_what_is_still_being_written_is_left_alone(editor: Editor) -> None:
    """Each write puts it off."""
    for text in ("t", "tw", "two"):
        editor.write(editor.config, text)
        assert editor.look() is False
    assert editor.look() is True


def test_a_change_that_nobody_could_read_is_found_again(editor: Editor) -> None:
    """Nobody read it, so it stays new; and so does a file whose reader could not be started."""
    editor.write(editor.config, "two")
    assert editor.looks(3) == [False, True, True]
    editor.watch.reading()
    assert editor.look() is False
    editor.watch.unread()
    assert editor.look() is True


def test_a_file_that_is_replaced(editor: Editor) -> None:
    """Saving by renaming shows although size and time are the same."""
    other = editor.config.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(0, editor.written))
    other.rename(editor.config)
    assert editor.looks(2) == [False, True]


def test_a_link_that_is_turned(tmp_path: Path) -> None:
    """As Kubernetes does it: the path goes through a link to a folder, which is replaced by renaming."""
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gate.yaml").write_text(name)
        os.utime(tmp_path / name / "gate.yaml", ns=(0, 0))
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "gate.yaml").symlink_to("..data/gate.yaml")
    watch = Watch(str(tmp_path / "gate.yaml"), 1.0)
    assert [watch.changed(1.0), watch.changed(2.0)] == [False, False]
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").rename(tmp_path / "..data")
    assert [watch.changed(3.0), watch.changed(3.3)] == [False, True]


def test_a_file_that_goes_and_comes(editor: Editor) -> None:
    """An editor that removes it first is waited for; one that is gone for good is told by who reads it."""
    editor.config.unlink()
    assert editor.look() is False
    editor.write(editor.config, "two")
    assert editor.looks(2) == [False, True]
    editor.watch.reading()
    editor.config.unlink()
    assert editor.looks(2) == [False, True]


def test_other_files_count(editor: Editor) -> None:
    """From the moment they are named: also one that is not there yet, and until they are not named any more."""
    editor.watch.name([str(editor.keys)])
    assert editor.looks(2) == [False, False]
    editor.write(editor.keys, "k")
    assert editor.looks(2) == [False, True]
    editor.watch.reading()
    editor.watch.name([])
    editor.write(editor.keys, "l")
    assert editor.looks(2) == [False, False]


def test_a_change_is_not_lost_when_others_are_named(editor: Editor) -> None:
    """What changed after it was read stays a change."""
    editor.watch.reading()
    editor.write(editor.config, "two")
    editor.watch.name([str(editor.keys)])
    assert editor.looks(2) == [False, True]


def test_never(editor: Editor) -> None:
    """Without a period nothing is looked at, nor after the end."""
    never = Watch(str(editor.config), 0)
    never.start(5.0)
    assert never.at is None
    editor.watch.stop()
    assert editor.watch.at is None
