"""CompleteMultipartUpload."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anycrc import Model

from ossgate.emulator.complete_multipart import build_multipart_etag

NO_SUCH_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)
INVALID_PART = (
    "One or more of the specified parts could not be found or the specified entity tag might not have matched the "
    "part's entity tag."
)
FIRST, SECOND = b"a" * 102_400, b"hello"
EMPTY_MD5 = "D41D8CD98F00B204E9800998ECF8427E"


@pytest.fixture
def upload(client: Any) -> tuple[str, list[str]]:
    """An upload of two parts, with their ETags."""
    upload_id = client.initiate("a.txt")
    parts = [client.upload_part("a.txt", upload_id, n + 1, data) for n, data in enumerate((FIRST, SECOND))]
    return upload_id, [part.headers["ETag"].strip('"') for part in parts]


def write_body(*parts: tuple[object, str]) -> bytes:
    inner = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()


def test_etag_vectors(vectors: Callable[[str], Any]) -> None:
    """The published ETags come out of their parts."""
    for case in vectors("etag-crc.json")["etag_cases"]:
        assert case["expected_etag"] == build_multipart_etag(case["part_etags"])
        assert case["expected_etag"] != build_multipart_etag(case["part_etags"][::-1])


def test_complete(client: Any, upload: tuple[str, list[str]]) -> None:
    """The parts become one object, whose digests the answer tells in header and body."""
    upload_id, etags = upload
    answer = client.complete("a.txt", upload_id, write_body((1, f'"{etags[0]}"'), (2, f'"{etags[1]}"')))
    etag = answer.headers["ETag"]

    assert (200, "application/xml") == (answer.status, answer.headers["Content-Type"])
    assert etag.endswith('-2"')
    assert {
        "Location": f"{client.emulator.bucket_url}/a.txt",
        "Bucket": "test-bucket",
        "Key": "a.txt",
        "ETag": etag,
    } == answer.xml
    assert str(Model("CRC64-XZ").calc(FIRST + SECOND)) == answer.headers["x-oss-hash-crc64ecma"]
    found = client.get("a.txt")
    assert (FIRST + SECOND, etag, "Multipart") == (
        found.body,
        found.headers["ETag"],
        found.headers["x-oss-object-type"],
    )
    assert found.headers["Content-MD5"] is None
    assert [] == list((client.emulator.options.data_dir / "multipart/test-bucket").iterdir())


@pytest.mark.parametrize("quote", ['"{}"', "&quot;{}&quot;", "&#34;{}&#34;", "{}", "\n  {}\n"])
def test_spellings_of_the_body(client: Any, upload: tuple[str, list[str]], quote: str) -> None:
    """Each SDK quotes ETags in its own way; declarations, blanks and namespaces do no harm."""
    upload_id, etags = upload
    body = write_body(*((n + 1, quote.format(etag)) for n, etag in enumerate(etags)))
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.replace(
        b"<CompleteMultipartUpload>", b'<CompleteMultipartUpload xmlns="http://doc.oss.example">'
    )

    assert 200 == client.complete("a.txt", upload_id, body).status


def test_complete_all(client: Any, upload: tuple[str, list[str]]) -> None:
    """Asked to, OSS takes all parts that are there."""
    answer = client.send(
        "POST",
        "a.txt",
        query={"uploadId": upload[0], "encoding-type": "url"},
        headers={"x-oss-complete-all": "yes"},
    )

    assert (200, "url") == (answer.status, answer.xml["EncodingType"])
    assert FIRST + SECOND == client.get("a.txt").body


def test_complete_all_with_a_body(client: Any, upload: tuple[str, list[str]]) -> None:
    """Both at once are refused, in the service's own spelling."""
    answer = client.complete(
        "a.txt", upload[0], write_body((1, upload[1][0])), headers={"x-oss-complete-all": "yes"}
    )
    message = "Should not speficy both complete all header and http body."

    assert (400, "InvalidArgument", message, "0042-00000216") == answer.error


def test_some_parts_with_gaps(client: Any) -> None:
    """Parts may be left out, and numbers may have gaps."""
    upload_id = client.initiate("a.txt")
    for number, data in ((1, b"no"), (7, FIRST), (10_000, SECOND)):
        client.upload_part("a.txt", upload_id, number, data)
    listed = [(7, etag_of(FIRST)), (10_000, etag_of(SECOND))]

    assert 200 == client.complete("a.txt", upload_id, write_body(*listed)).status
    assert FIRST + SECOND == client.get("a.txt").body


def etag_of(data: bytes) -> str:
    return hashlib.md5(data).hexdigest().upper()


def test_headers_of_initiate_and_complete(client: Any) -> None:
    """Type, metadata and class are Initiate's; the ACL may be Complete's."""
    headers = {"Content-Type": "image/png", "x-oss-meta-a": "1", "Cache-Control": "no-store"}
    upload_id = client.initiate("a.txt", headers=headers)
    client.upload_part("a.txt", upload_id, 1, SECOND)
    given = {"Content-Type": "text/xml", "x-oss-object-acl": "public-read", "x-oss-complete-all": "yes"}
    client.send("POST", "a.txt", query={"uploadId": upload_id}, headers=given)
    found = client.request("GET", "/test-bucket/a.txt")

    assert (200, headers) == (found.status, {name: found.headers[name] for name in headers})


REFUSED = [
    (b"", 400, "MalformedXML", "0042-00000205"),
    (b"<CompleteMultipartUpload>", 400, "MalformedXML", "0042-00000205"),
    (b"<Other/>", 400, "MalformedXML", "0042-00000205"),
    (write_body(), 400, "MalformedXML", "0042-00000205"),
    (write_body(("x", EMPTY_MD5)), 400, "MalformedXML", "0042-00000205"),
    (
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        400,
        "MalformedXML",
        "0042-00000205",
    ),
    (
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + write_body((1, "&b;")),
        400,
        "MalformedXML",
        "0042-00000205",
    ),
    (write_body((10_001, EMPTY_MD5)), 400, "InvalidArgument", "0017-00000220"),
    (write_body((1, etag_of(FIRST)), (1, etag_of(FIRST))), 400, "InvalidPartOrder", "0042-00000209"),
    (write_body((2, etag_of(SECOND)), (1, etag_of(FIRST))), 400, "InvalidPartOrder", "0042-00000209"),
    (write_body((1, EMPTY_MD5)), 400, "InvalidPart", ""),
    (write_body((3, EMPTY_MD5)), 400, "InvalidPart", ""),
]


@pytest.mark.parametrize(("body", "status", "code", "ec"), REFUSED)
def test_refused(
    client: Any, upload: tuple[str, list[str]], body: bytes, status: int, code: str, ec: str
) -> None:
    """A body that does not hold is refused, and the upload stays."""
    answer = client.complete("a.txt", upload[0], body)

    assert (status, code, ec) == (answer.error[0], answer.error[1], answer.error[3])
    if code == "InvalidPart":
        assert INVALID_PART == answer.error[2]
    assert 404 == client.head("a.txt").status
    assert 200 == client.list_parts("a.txt", upload[0]).status


def test_part_that_is_too_small(client: Any) -> None:
    """Every part but the last has at least 100 KB, which only Complete checks."""
    upload_id = client.initiate("a.txt")
    for number in (1, 2):
        client.upload_part("a.txt", upload_id, number, b"x" * 102_399)
    answer = client.complete("a.txt", upload_id)
    message = "Your proposed upload smaller than the minimum allowed size."

    assert (400, "EntityTooSmall", message, "0042-00000213") == answer.error
    assert ("102399", "102400", "1") == tuple(
        answer.xml[name] for name in ("ProposedSize", "MinSizeAllowed", "PartNumber")
    )


def test_without_parts(client: Any) -> None:
    """An upload without parts makes no object."""
    answer = client.complete("a.txt", client.initiate("a.txt"))

    assert (400, "InvalidPart", INVALID_PART, "") == answer.error


def test_completed_twice(client: Any, upload: tuple[str, list[str]]) -> None:
    """A completed upload is gone."""
    client.complete("a.txt", upload[0])

    assert (404, "NoSuchUpload", NO_SUCH_UPLOAD, "0042-00000002") == client.complete("a.txt", upload[0]).error


@pytest.mark.parametrize("at", ["initiate", "complete"])
def test_forbid_overwrite(client: Any, at: str) -> None:
    """Asked for at either end, a key that has been taken meanwhile is refused and the upload stays."""
    headers = {"x-oss-forbid-overwrite": "true"}
    upload_id = client.initiate("a.txt", headers=headers if at == "initiate" else None)
    client.upload_part("a.txt", upload_id, 1, SECOND)
    client.put(body=b"other")
    answer = client.complete("a.txt", upload_id, headers=headers if at == "complete" else {})

    assert (409, "FileAlreadyExists") == answer.error[:2]
    assert b"other" == client.get("a.txt").body
    assert 200 == client.list_parts("a.txt", upload_id).status


def test_many_at_once(client: Any) -> None:
    """Of many completions of one upload one succeeds; of many uploads of one key one is left, whole."""
    ids = [client.initiate("a.txt") for _ in range(4)]
    for number, upload_id in enumerate(ids):
        for part in (1, 2):
            client.upload_part("a.txt", upload_id, part, bytes([65 + number]) * 102_400)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda upload_id: client.complete("a.txt", upload_id).status, ids * 2))

    assert [200] * 4 + [404] * 4 == sorted(statuses)
    body = client.get("a.txt").body
    assert (204_800, 1) == (len(body), len(set(body)))
