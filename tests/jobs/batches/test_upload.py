"""Multipart uploads, however their bytes are cut."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.jobs.batches.folder import Folder
from tidegate.jobs.batches.upload import Upload
from tidegate.jobs.desk.errors import Refused

HEAD = "multipart/form-data; boundary=edge"
DATA = b"line 1\r\n--edg\r\n--edgy\nline 2" + bytes(range(256))


def form(*parts: tuple[str, bytes]) -> bytes:
    made = b"".join(b"--edge\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (name.encode(), data)
                    for name, data in parts)  # fmt: skip
    return made + b"--edge--\r\n"


BODY = form(('name="purpose"', b"batch"), ('name="file"; filename="a.jsonl"', DATA), ('name="x"', b"1"))


def upload(folder: Path, body: bytes, cuts: list[int], most: int = 10_000) -> tuple[Upload, bytes]:
    part = Folder(folder).part()
    made = Upload(HEAD, part, most, lambda *_: None)
    try:
        edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
        for start, end in pairwise(edges):
            made.feed(body[start:end])
        made.finish()
        return made, part.read().read()
    finally:
        part.drop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@given(st.lists(st.integers(0, len(BODY)), max_size=6))
def test_a_form_is_the_same_however_it_is_cut(folder: Path, cuts: list[int]) -> None:
    """The file's bytes, its name and the fields beside it, before and behind."""
    made, data = upload(folder, BODY, cuts)
    assert data == DATA
    assert (made.filename, made.fields) == ("a.jsonl", {"purpose": "batch", "x": "1"})


def test_a_byte_at_a_time(folder: Path) -> None:
    """The worst cut of all."""
    assert upload(folder, BODY, list(range(len(BODY))))[1] == DATA


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (BODY[:-20], "breaks off"),
        (form(('name="purpose"', b"batch")), "field `file`"),
        (form(('name="file"', b"1"), ('name="file"', b"2")), "two files"),
        (form(('name="purpose"', b"x" * 5_000)), "too long"),
        (form(*[('name="f"', b"")] * 20), "more than 16 fields"),
        (b"nonsense", "cannot be read"),
        (b"--edge\r\n" + b"a: " + b"x" * 9_000 + b"\r\n\r\n--edge--", "cannot be read"),
        (form(('name="file"; filename="a"', b"x" * 10_001)), "larger than 10000 bytes"),
    ],
)
def test_forms_that_are_refused(folder: Path, body: bytes, match: str) -> None:
    """The message says what is wrong, and nothing stays on disk."""
    with pytest.raises(Refused, match=match):
        upload(folder, body, [])
    assert [path.name for path in folder.iterdir()] == ["place"]


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=edge"])
def test_other_kinds_of_bodies(folder: Path, kind: str) -> None:
    """Only a form with a boundary can be an upload."""
    part = Folder(folder).part()
    with pytest.raises(Refused, match="Send multipart/form-data"):
        Upload(kind, part, 1, lambda *_: None)
    part.drop()


def test_nobody_names_a_file_on_disk(folder: Path) -> None:
    """What the client calls it is told again, shortened, and nothing else."""
    name = "../../etc/" + "x" * 300
    made, _ = upload(folder, form((f'name="file"; filename="{name}"', b"1")), [])
    assert made.filename == name[:255]
