"""What nobody should send to anybody: bodies, names, sizes; and what a case is made of."""

from dataclasses import dataclass, field
from typing import Any

MEGABYTE = 1024**2
DEEP = 100_000
DIGITS = 5_000
UNKNOWN_ID = "01KDYBB5M8000000000000TEST"


@dataclass(frozen=True)
class Case:
    """One request, and how it is refused. `<open>` and the like stand for ids that the world knows."""

    what: str
    method: str
    path: str
    status: int
    code: str
    body: Any = None
    who: str = "shop"
    headers: dict[str, str] = field(default_factory=dict)
    contract: str = ""

    @property
    def name(self):
        return f"{self.method} {self.path[:60]} {self.what}"


# Bodies that are no JSON object, whatever the route.
NO_OBJECTS = {
    "empty body": b"",
    "half an object": b"{",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "a text": b'"x"',
    "not UTF-8": b'{"a":"\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"size":NaN}',
    "infinity": b'{"size":1e999}',
    "a number of five thousand digits": b'{"size":1' + b"0" * DIGITS + b"}",
    "half a surrogate pair": b'{"filename":"\\ud800"}',
    "form fields": b"profile=file&filename=a.bin",
    "lists without end": b"[" * DEEP,
    "deep lists": b'{"vars":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}
TOO_LARGE = b'{"filename":"' + b"x" * (2 * MEGABYTE) + b'"}'

FILE = {"profile": "file", "filename": "a.bin", "size": 3}
PARTS = FILE | {"via": "multipart"}
NAMES = {
    "10 kB": ("x" * 10_000 + ".jpg", "filename_invalid"),
    "256 bytes": ("x" * 252 + ".jpg", "filename_invalid"),
    "256 bytes of Chinese": ("图" * 84 + ".jpg", "filename_invalid"),
    "nothing": ("", "filename_invalid"),
    "dots": ("../..", "filename_invalid"),
    "a folder": ("photos/", "filename_invalid"),
    "controls alone": ("\x00\x01\x1f\x7f", "filename_invalid"),
    "direction marks alone": ("\u202e\u200b", "filename_invalid"),
    "blanks": (" \t ", "filename_invalid"),
    "a huge text": ("x" * 900_000, "field_invalid"),
}
NOT_TEXT = {"a number": 7, "a list": ["a.bin"], "an object": {"a": 1}, "true": True}
SIZES = {
    "negative": (-1, 422, "size_invalid"),
    "a fraction": (1.5, 422, "size_invalid"),
    "digits": ("3", 422, "size_invalid"),
    "true": (True, 422, "size_invalid"),
    "a list": ([3], 422, "size_invalid"),
    "nothing in it": (0, 422, "size_under_limit"),
    "over the limit": (1024**3 + 1, 413, "size_over_limit"),
    "beyond 64 bits": (2**63, 413, "size_over_limit"),
}
