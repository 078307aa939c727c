"""Reading one file out of a multipart body, in memory: what is uploaded never lies on a disk in the clear."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.runtime.problems import Problem, Text, invalid

FILE_BYTES_MAX = 15 << 20
_ENVELOPE_BYTES_MAX = 64 << 10
"""What part headers and other parts may take beside the file."""
_UNNAMED_TYPE = "application/octet-stream"


class Upload(NamedTuple):
    media_type: str
    content: bytes


class _Parts:
    """Gathers the part named `file` as the parser comes upon it."""

    def __init__(self, boundary: bytes) -> None:
        self.upload: Upload | None = None
        self.size = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._content = bytearray()
        self._wanted = False
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    def _begin(self) -> None:
        self._headers, self._name, self._value, self._content = {}, b"", b"", bytearray()

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._wanted = options.get(b"name") == b"file"

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._content += data[start:end]
            if len(self._content) > FILE_BYTES_MAX:
                raise Problem("too-large", limit=FILE_BYTES_MAX)

    def _end(self) -> None:
        if not self._wanted:
            return
        if self.upload is not None:
            raise invalid("/file", "repeated", Text("is given twice", "重复给出"))
        self.upload = Upload(_media_type(self._headers.get(b"content-type", b"")), bytes(self._content))


async def read_upload(content_type: bytes, chunks: AsyncIterator[bytes]) -> Upload:
    """The part `file` of a multipart body.

    Raises: Problem 400 (not multipart), 413 (over 15 MiB), 422 (no such part).
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise Problem(
            "unreadable", Text("a multipart/form-data body is needed", "需要 multipart/form-data 内容")
        )
    try:
        parts = _Parts(boundary)
        async for chunk in chunks:
            parts.size += len(chunk)
            if parts.size > FILE_BYTES_MAX + _ENVELOPE_BYTES_MAX:
                raise Problem("too-large", limit=FILE_BYTES_MAX)
            parts.parser.write(chunk)
        parts.parser.finalize()
    except FormParserError:
        raise Problem("unreadable") from None
    if parts.upload is None:
        raise invalid("/file", "missing", Text("is required", "必填"))
    return parts.upload


def _media_type(content_type: bytes) -> str:
    """`type/subtype` in lower case, without parameters; what can't be one is any bytes."""
    essence = content_type.decode("latin-1").partition(";")[0].strip().lower()
    kind, slash, subtype = essence.partition("/")
    plain = all(part.replace("-", "").replace("+", "").replace(".", "").isalnum() for part in (kind, subtype))
    return essence if slash and plain and essence.isascii() and len(essence) <= 100 else _UNNAMED_TYPE
