"""A multipart upload, to disk as it arrives (RFC 7578). Blocks: for threads; nothing of the file stays in memory."""

from collections.abc import Callable
from typing import Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from tidegate.jobs.batches.folder import Part
from tidegate.jobs.desk.errors import Fault, Refused

_FILE: Final = "file"
_LONGEST_FIELD: Final = 4_096
_MOST_PARTS: Final = 16
_LONGEST_FILENAME: Final = 255


class Upload:
    """What is known of the form so far. `feed` raises `Refused`, `OSError`."""

    __slots__ = (
        "_check",
        "_disposition",
        "_ended",
        "_field",
        "_header",
        "_most",
        "_name",
        "_parser",
        "_part",
        "_parts",
        "_value",
        "fields",
        "filename",
    )  # fmt: skip

    def __init__(self, content_type: str, part: Part, most: int, check: Callable[[str, str], None]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Refused(Fault.BAD_REQUEST, "Send multipart/form-data with the fields `file` and `purpose`.")
        self.fields: dict[str, str] = {}
        self.filename: str | None = None  # None: there was no file
        self._part = part
        self._most = most
        self._check = check
        self._parts = 0
        self._header = self._value = self._disposition = b""
        self._name = ""
        self._field: bytearray | None = None  # None: what comes is the file's
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._data,
                "on_part_end": self._on_part_end,
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise Refused(Fault.BAD_REQUEST, f"The form cannot be read: {str(error)[:200]}") from None

    def finish(self) -> None:
        """The body is over. Raises `Refused` where the form is not."""
        if not self._ended:
            raise Refused(Fault.BAD_REQUEST, "The form breaks off before its last boundary. Send it again.")
        if self.filename is None:
            raise Refused(Fault.BAD_REQUEST, "Send the file in the field `file`.", _FILE)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Refused(Fault.BAD_REQUEST, f"The form has more than {_MOST_PARTS} fields.")
        self._disposition = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        if self._name != _FILE:
            self._field = bytearray()
            return
        if self.filename is not None:
            raise Refused(Fault.BAD_REQUEST, "The form has two files. Send one at a time.", _FILE)
        self._field = None
        name = options.get(b"filename", b"").decode(errors="replace")
        self.filename = name[:_LONGEST_FILENAME] or "upload.jsonl"

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            if self._part.size + end - start > self._most:
                raise too_large(self._most)
            self._part.write(data[start:end])
            return
        self._field += data[start:end]
        if len(self._field) > _LONGEST_FIELD:
            raise Refused(Fault.BAD_REQUEST, f"The field `{self._name[:64]}` is too long.", self._name[:64])

    def _on_part_end(self) -> None:
        if self._field is not None:
            value = self._field.decode(errors="replace")
            self._check(self._name, value)
            self.fields[self._name] = value

    def _end(self) -> None:
        self._ended = True


def too_large(most: int) -> Refused:
    """A file beyond what is kept."""
    return Refused(Fault.TOO_LARGE, f"The file is larger than {most} bytes (jobs.max_file_bytes). Split it.", _FILE)
