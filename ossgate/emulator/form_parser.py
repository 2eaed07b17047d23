"""The multipart form of PostObject, parsed as it comes.

Fields stand before the file, later parts are ignored, a second file is refused; limits of names and values.
Source: "PostObject", https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ossgate.emulator.errors import (
    FORM_FIELD_UNNAMED,
    FORM_FIELDS_TOO_LONG,
    FORM_FILE_COUNT,
    FORM_MALFORMED,
    FORM_NAME_TOO_LONG,
    FORM_VALUE_TOO_LONG,
    NOT_MULTIPART,
    OssError,
)

MAX_NAME_BYTES = 8 * 1024
MAX_VALUE_BYTES = 2 * 1024 * 1024
MAX_FIELDS_BYTES = 8 * 1024 * 1024
_MAX_HEADER_BYTES = 64 * 1024
_MAX_FIELDS = 10_000


@dataclass(slots=True)
class FormFields:
    """The fields that came before the file.

    Args:
        values: By lower-case name; the first of a repeated field counts.
        names: Lower-case name to the spelling that was sent.
        file_name: The file part's own name, as sent.
        file_content_type: The file part's own Content-Type, empty when it has none.
    """

    values: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    file_content_type: str = ""

    def add(self, name: str, value: str) -> None:
        """Take one field; a repetition changes nothing."""
        lowered = name.lower()
        if lowered not in self.values:
            self.values[lowered] = value
            self.names[lowered] = name

    def get(self, name: str) -> str:
        """Tell a field's value by its lower-case name, empty when absent."""
        return self.values.get(name, "")


class FileSink(Protocol):
    """Takes the file's bytes."""

    def write(self, data: memoryview) -> None:
        """Take further bytes; they stay untouched until the next call has returned."""

    def join(self) -> None:
        """Be done with the bytes of the last call."""


class _Part(Enum):
    HEADERS = auto()
    FIELD = auto()
    FILE = auto()
    IGNORED = auto()


class FormParser:
    """Feeds on pieces of the body; hands the file's bytes on as they come.

    Args:
        begin_file: Called with the fields once the file part begins; its result takes the file.
    """

    def __init__(self, boundary: bytes, begin_file: Callable[[FormFields], FileSink]) -> None:
        self.fields = FormFields()
        self._begin_file = begin_file
        self._sink: FileSink | None = None
        self._part = _Part.IGNORED
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._field_name = ""
        self._field_value = bytearray()
        self._fields_size = 0
        self._finished = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": self._on_end,
                },
                max_header_size=_MAX_HEADER_BYTES,
                max_header_count=32,
            )
        except FormParserError as error:
            raise OssError(FORM_MALFORMED) from error

    def write(self, data: bytes | bytearray) -> None:
        """Parse a further piece.

        Raises:
            OssError: The form is malformed or over a limit, or what takes the file refuses.
        """
        try:
            self._parser.write(data)  # type: ignore[arg-type]  # a bytearray serves as well
        except FormParserError as error:
            raise OssError(FORM_MALFORMED) from error

    def finish(self) -> None:
        """Check that the form is complete.

        Raises:
            OssError: The closing boundary or the file is missing.
        """
        if not self._finished:
            raise OssError(FORM_MALFORMED)
        if self._sink is None:
            raise OssError(FORM_FILE_COUNT)

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._part = _Part.HEADERS

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        raw_name = options.get(b"name", b"")
        if disposition != b"form-data" or not raw_name:
            if self._sink is None:
                raise OssError(FORM_FIELD_UNNAMED)
            self._part = _Part.IGNORED
            return
        if len(raw_name) > MAX_NAME_BYTES:
            raise OssError(FORM_NAME_TOO_LONG)
        name = _decode(raw_name)
        if name.lower() == "file":
            self._start_file(options)
        elif self._sink is not None:
            self._part = _Part.IGNORED
        else:
            if len(self.fields.values) >= _MAX_FIELDS:
                raise OssError(FORM_FIELDS_TOO_LONG)
            self._part = _Part.FIELD
            self._field_name = name
            self._field_value.clear()

    def _start_file(self, options: dict[bytes, bytes]) -> None:
        if self._sink is not None:
            raise OssError(FORM_FILE_COUNT)
        self.fields.file_name = _decode(options.get(b"filename", b""))
        self.fields.file_content_type = _decode(self._headers.get(b"content-type", b"").strip())
        self._sink = self._begin_file(self.fields)
        self._part = _Part.FILE

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is _Part.FILE:
            assert self._sink is not None
            self._sink.write(memoryview(data)[start:end])
        elif self._part is _Part.FIELD:
            self._fields_size += end - start
            if len(self._field_value) + end - start > MAX_VALUE_BYTES:
                raise OssError(FORM_VALUE_TOO_LONG)
            if self._fields_size > MAX_FIELDS_BYTES:
                raise OssError(FORM_FIELDS_TOO_LONG)
            self._field_value += data[start:end]

    def _on_part_end(self) -> None:
        if self._part is _Part.FIELD:
            self.fields.add(self._field_name, _decode(bytes(self._field_value)))
        elif self._part is _Part.FILE:
            assert self._sink is not None
            self._sink.join()
        self._part = _Part.IGNORED

    def _on_end(self) -> None:
        self._finished = True


def parse_boundary(content_type: str) -> bytes:
    """Read the boundary from a Content-Type header.

    Raises:
        OssError: It is no form, or has no boundary.
    """
    kind, options = parse_options_header(content_type.encode("utf-8", "surrogateescape"))
    if kind != b"multipart/form-data":
        raise OssError(NOT_MULTIPART)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise OssError(FORM_MALFORMED)
    return boundary


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise OssError(FORM_MALFORMED) from error
