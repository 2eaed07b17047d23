"""The multipart form: limits, order of parts, garbage."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.errors import OssError
from ossgate.emulator.form_parser import FormFields, FormParser, parse_boundary

MALFORMED = "The body of your POST request is not well-formed multipart/form-data"
KEY_MISSING = "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields"


class Sink:
    def __init__(self) -> None:
        self.data = bytearray()
        self.joined = False

    def write(self, data: memoryview) -> None:
        self.data += data

    def join(self) -> None:
        self.joined = True


def parse(pieces: list[bytes]) -> tuple[FormFields, bytes]:
    sink = Sink()
    parser = FormParser(b"BOUNDARY", lambda fields: sink)
    for piece in pieces:
        parser.write(bytearray(piece))
    parser.finish()
    return parser.fields, bytes(sink.data)


def test_form_in_any_pieces(form: Callable[..., bytes]) -> None:
    """However the bytes are cut, the same fields and the same file come out."""
    file = b"\r\n--BOUNDAR\r\n--BOUNDARYX\r\n--"
    body = form({"key": "图.txt", "x:A": "1"}, file, file_name='a"b')
    for size in (1, 2, 7, len(body)):
        fields, data = parse([body[start : start + size] for start in range(0, len(body), size)])

        assert file == data
        assert ("图.txt", "1", "x:A") == (fields.get("key"), fields.get("x:a"), fields.names["x:a"])


def test_the_file_is_done_with_at_its_end(form: Callable[..., bytes]) -> None:
    """What comes behind the file may use its memory again, so the sink is told to be done with it."""
    sink = Sink()
    parser = FormParser(b"BOUNDARY", lambda fields: sink)
    parser.write(form({"key": "a"}, b"hello", after=SUBMIT, closed=False))

    assert sink.joined


def test_file_without_name_and_type(client: Any) -> None:
    """The file part may lack both; the object is then of the general type."""
    assert 204 == client.post(file_name=None, content_type=None).status
    assert "application/octet-stream" == client.head("a.txt").headers["Content-Type"]


def test_empty_file(client: Any) -> None:
    """An object of no bytes is an object."""
    answer = client.post(file=b"")

    assert (204, "0") == (answer.status, answer.headers["x-oss-hash-crc64ecma"])
    assert (200, "0") == (client.head("a.txt").status, client.head("a.txt").headers["Content-Length"])


def test_first_of_a_repeated_field_counts(client: Any, form: Callable[..., bytes]) -> None:
    """What the policy checks is what takes effect."""
    body = form([*client.make_fields([["eq", "$key", "a.txt"]]).items(), ("KEY", "evil.txt")], b"hello")

    assert 204 == client.post_body(body).status
    assert (200, 404) == (client.head("a.txt").status, client.head("evil.txt").status)


SUBMIT = b'--BOUNDARY\r\nContent-Disposition: form-data; name="submit"\r\n\r\nUpload to OSS\r\n'
NAMELESS = b"--BOUNDARY\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
SECOND = b'--BOUNDARY\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\nx\r\n'


@pytest.mark.parametrize("after", [SUBMIT, NAMELESS, SUBMIT * 3])
def test_parts_after_the_file_are_ignored(client: Any, after: bytes) -> None:
    """The documentation's own example has a submit button there."""
    assert 204 == client.post(after=after).status


def test_second_file_refused(client: Any) -> None:
    """Exactly one file is allowed, and nothing is stored."""
    answer = client.post(after=SUBMIT + SECOND)

    message = "POST requires exactly one file upload per request."
    assert (400, "IncorrectNumberOfFilesInPOSTRequest", message, "0006-00000107") == answer.error
    assert 404 == client.head("a.txt").status


def test_no_file(client: Any, form: Callable[..., bytes]) -> None:
    """A form without a file is told so."""
    answer = client.post_body(form(client.make_fields(), None))

    assert (400, "IncorrectNumberOfFilesInPOSTRequest") == answer.error[:2]


def test_key_missing_or_late(client: Any, form: Callable[..., bytes]) -> None:
    """The key must come before the file."""
    fields = client.make_fields()
    del fields["key"]
    late = b'--BOUNDARY\r\nContent-Disposition: form-data; name="key"\r\n\r\na.txt\r\n'

    assert (400, "InvalidArgument", KEY_MISSING, "") == client.post(fields).error
    assert KEY_MISSING == client.post(fields, after=late).error[2]
    assert KEY_MISSING == client.post_body(form(fields, None)).error[2]


def test_signature_after_the_file_counts_for_nothing(client: Any) -> None:
    """Fields behind the file are not seen, so the form is anonymous."""
    after = "".join(
        f'--BOUNDARY\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in client.make_fields().items()
    )

    assert (403, "AccessDenied") == client.post({"key": "a.txt"}, after=after.encode()).error[:2]


@pytest.mark.parametrize(
    "cut",
    [
        lambda body: body[:-20],
        lambda body: body.replace(b"--BOUNDARY--", b"--BOUNDARY"),
        lambda body: b"",
        lambda body: b"garbage" + body,
        lambda body: body.replace(b"BOUNDARY", b"BORDER"),
        lambda body: body.replace(b'name="key"', b'name="\xff\xfe"'),
        lambda body: body.replace(b"Content-Disposition:", b"Content-Disposition\x00", 1),
    ],
)
def test_malformed(client: Any, form: Callable[..., bytes], cut: Callable[[bytes], bytes]) -> None:
    """A broken or cut form is one error, and leaves nothing behind."""
    answer = client.post_body(cut(form(client.make_fields(), b"hello")))

    assert answer.error[0] == 400
    assert answer.error[1:] in (
        ("MalformedPOSTRequest", MALFORMED, "0006-00000104"),
        ("InvalidArgument", KEY_MISSING, ""),
    )
    assert [] == list((client.emulator.options.data_dir / "uploads").iterdir())


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "", "multipart/mixed; boundary=BOUNDARY", "text/plain"],
)
def test_wrong_enclosure(client: Any, content_type: str) -> None:
    """Anything but multipart/form-data is told so."""
    answer = client.post(headers={"Content-Type": content_type})

    message = "Bucket POST must be of the enclosure-type multipart/form-data."
    assert (400, "RequestIsNotMultiPartContent", message, "") == answer.error


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 300]
)
def test_no_usable_boundary(client: Any, content_type: str) -> None:
    """Without a boundary, or with an impossible one, the form is malformed."""
    assert MALFORMED == client.post(headers={"Content-Type": content_type}).error[2]


def test_quoted_boundary() -> None:
    """Quotes round the boundary are no part of it."""
    assert b"a b" == parse_boundary('multipart/form-data; boundary="a b"; charset=utf-8')


NAMELESS_FIELDS = [
    b"--BOUNDARY\r\nContent-Disposition: form-data\r\n\r\nx\r\n",
    b'--BOUNDARY\r\nContent-Disposition: form-data; name=""\r\n\r\nx\r\n',
    b"--BOUNDARY\r\nContent-Type: text/plain\r\n\r\nx\r\n",
    b'--BOUNDARY\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n',
]


@pytest.mark.parametrize("part", NAMELESS_FIELDS)
def test_field_without_name(client: Any, form: Callable[..., bytes], part: bytes) -> None:
    """A part before the file must have a name."""
    answer = client.post_body(part + form(client.make_fields(), b"hello"))

    message = "The bucket POST must contain the specified field name."
    assert (400, "InvalidArgument", message, "") == answer.error


KIB, MIB = 1024, 1024 * 1024


def test_limits_of_names_and_values(client: Any) -> None:
    """Names of 8 KB and values of 2 MB pass, 8 MB together; a byte more does not."""
    fields = client.make_fields()
    name = client.post({**fields, "n" * (8 * KIB + 1): "v"})
    value = client.post({**fields, "n": "v" * (2 * MIB + 1)})
    sums = client.post({**fields, **{str(number): "v" * (2 * MIB) for number in range(4)}})
    most = {"n" * (8 * KIB): "v" * (2 * MIB), "b": "v" * (2 * MIB), "c": "v" * (2 * MIB)}

    assert (400, "FieldItemTooLong", "Your name of form field is too long.", "0006-00000110") == name.error
    assert (400, "FieldItemTooLong", "0006-00000111") == (value.error[0], value.error[1], value.error[3])
    message = "Your POST request fields preceding the upload file were too large."
    assert (400, "MaxPOSTPreDataLengthExceededError", message, "0006-00000112") == sums.error
    assert 204 == client.post({**fields, **most}).status


part_names = st.sampled_from(["key", "file", "policy", "callback", "", "x:a", "图"])
parts = st.builds(
    lambda name, value: (
        b'--BOUNDARY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
    ),
    part_names,
    st.binary(max_size=60),
)


@given(
    st.lists(parts | st.binary(max_size=40) | st.sampled_from([b"--BOUNDARY", b"\r\n", b"--BOUNDARY--\r\n"])),
    st.integers(1, 50),
)
def test_garbage_ends_in_our_errors(pieces: list[bytes], size: int) -> None:
    """Whatever bytes come, in whatever pieces, only OSS's refusals come out."""
    body = b"".join(pieces)
    try:
        fields, _ = parse([body[start : start + size] for start in range(0, len(body), size)])
    except OssError:
        return
    assert isinstance(fields, FormFields)
