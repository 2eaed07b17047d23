"""InitiateMultipartUpload, UploadPart, ListParts, AbortMultipartUpload."""

import re
import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from anycrc import Model

NO_SUCH_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)


def test_initiate(client: Any) -> None:
    """An upload is begun under an ID of 32 characters; the key may be asked for encoded."""
    plain = client.send("POST", "图/a.txt", query={"uploads": ""})
    encoded = client.send("POST", "图/a.txt", query={"uploads": "", "encoding-type": "url"})

    assert (200, "application/xml") == (plain.status, plain.headers["Content-Type"])
    assert ("test-bucket", "图/a.txt", None) == tuple(map(plain.xml.get, ["Bucket", "Key", "EncodingType"]))
    assert re.fullmatch(r"[0-9A-F]{32}", plain.xml["UploadId"])
    assert ("%E5%9B%BE%2Fa.txt", "url") == (encoded.xml["Key"], encoded.xml["EncodingType"])
    assert plain.xml["UploadId"] != encoded.xml["UploadId"]


def test_initiate_written_with_an_equals_sign(client: Any) -> None:
    """`?uploads=` is the same as `?uploads`, as oss2 writes it."""
    headers = client.make_headers_v4("POST", "a.txt", query={"uploads": ""})

    assert 200 == client.request("POST", "/test-bucket/a.txt?uploads=", headers=headers).status


def test_initiate_touches_no_object(client: Any) -> None:
    """The object that is there stays until the upload is completed."""
    client.put()
    client.initiate("a.txt")

    assert b"hello" == client.get("a.txt").body


def test_initiate_forbids_overwriting(client: Any) -> None:
    """A taken key is refused at the beginning already."""
    client.put()
    answer = client.send("POST", "a.txt", query={"uploads": ""}, headers={"x-oss-forbid-overwrite": "true"})

    assert (409, "FileAlreadyExists") == answer.error[:2]


def test_initiate_with_bad_headers(client: Any) -> None:
    """What is said of the object is checked when it is said."""
    headers = {"x-oss-storage-class": "Cold"}
    answer = client.send("POST", "a.txt", query={"uploads": ""}, headers=headers)

    assert (400, "InvalidArgument", "The storage class you specified is not valid.", "") == answer.error


def test_upload_part(client: Any) -> None:
    """A part's answer tells its digests."""
    upload_id = client.initiate("a.txt")
    answer = client.upload_part("a.txt", upload_id, 1, b"hello")

    assert (200, b"") == (answer.status, answer.body)
    assert '"5D41402ABC4B2A76B9719D911017C592"' == answer.headers["ETag"]
    assert "XUFAKrxLKna5cZ2REBfFkg==" == answer.headers["Content-MD5"]
    assert "11177612005948864433" == answer.headers["x-oss-hash-crc64ecma"]
    assert 404 == client.head("a.txt").status


@pytest.mark.parametrize("number", ["0", "10001", "-1", "", "x", "²", "9" * 20])
def test_part_number_out_of_range(client: Any, number: str) -> None:
    """Parts are numbered 1 to 10000."""
    upload_id = client.initiate("a.txt")
    answer = client.upload_part("a.txt", upload_id, number, b"hello")
    message = "Part number must be an integer between 1 and 10000, inclusive."

    assert (400, "InvalidArgument", message, "0017-00000220") == answer.error
    assert ("PartNumber", number) == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])


def test_part_of_an_unknown_upload(client: Any) -> None:
    """An ID belongs to one key of one bucket."""
    upload_id = client.initiate("a.txt")
    for key, other_id in (("a.txt", "0" * 32), ("b.txt", upload_id)):
        answer = client.upload_part(key, other_id, 1, b"hello")

        assert (404, "NoSuchUpload", NO_SUCH_UPLOAD, "0042-00000104") == answer.error


def test_part_with_a_wrong_digest(client: Any) -> None:
    """A part that is not what its Content-MD5 says is not kept."""
    upload_id = client.initiate("a.txt")
    headers = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    answer = client.upload_part("a.txt", upload_id, 1, b"hello", headers=headers)

    assert (400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "") == answer.error
    assert "Part" not in client.list_parts("a.txt", upload_id).xml


def read_parts(answer: Any) -> list[tuple[str, ...]]:
    return [
        tuple(part.findtext(name) or "" for name in ("PartNumber", "ETag", "HashCrc64ecma", "Size"))
        for part in ElementTree.fromstring(answer.body).iterfind("Part")
    ]


def test_list_parts(client: Any) -> None:
    """Parts are told by number, the later of two with one number."""
    upload_id = client.initiate("a.txt")
    for number, data in ((2, b"hello"), (1, b"123456789"), (2, b"")):
        client.upload_part("a.txt", upload_id, number, data)
    answer = client.list_parts("a.txt", upload_id)

    assert [
        ("1", '"25F9E794323B453885F5181F1B624D0B"', "11051210869376104954", "9"),
        ("2", '"D41D8CD98F00B204E9800998ECF8427E"', "0", "0"),
    ] == read_parts(answer)
    expected = {
        "Bucket": "test-bucket",
        "Key": "a.txt",
        "UploadId": upload_id,
        "StorageClass": "Standard",
        "PartNumberMarker": "0",
        "NextPartNumberMarker": "2",
        "MaxParts": "1000",
        "IsTruncated": "false",
    }
    assert expected == {name: answer.xml[name] for name in expected}
    assert re.search(rb"<LastModified>[\d-]{10}T[\d:]{8}\.000Z</LastModified>", answer.body)


def test_list_parts_page_by_page(client: Any) -> None:
    """Each page begins behind the last one's end; an empty marker is none."""
    upload_id = client.initiate("a.txt")
    for number in (1, 3, 5):
        client.upload_part("a.txt", upload_id, number, b"x")
    first = client.list_parts("a.txt", upload_id, **{"max-parts": "2", "part-number-marker": ""})
    second = client.list_parts("a.txt", upload_id, **{"max-parts": "2", "part-number-marker": "3"})

    assert ["1", "3"] == [part[0] for part in read_parts(first)]
    assert ("true", "3") == (first.xml["IsTruncated"], first.xml["NextPartNumberMarker"])
    assert ["5"] == [part[0] for part in read_parts(second)]
    assert "false" == second.xml["IsTruncated"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max-parts", "0"),
        ("max-parts", "1001"),
        ("max-parts", "x"),
        ("part-number-marker", "-1"),
        ("encoding-type", "base64"),
    ],
)
def test_list_parts_with_bad_arguments(client: Any, name: str, value: str) -> None:
    """An argument out of range is named."""
    answer = client.list_parts("a.txt", client.initiate("a.txt"), **{name: value})

    assert (400, "InvalidArgument", "Invalid Argument.", "") == answer.error
    assert (name, value) == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])


def test_abort(client: Any) -> None:
    """An aborted upload is gone with its parts; another of the same key stays."""
    upload_id, other = client.initiate("a.txt"), client.initiate("a.txt")
    client.upload_part("a.txt", upload_id, 1, b"hello")
    folder = client.emulator.options.data_dir / "multipart/test-bucket"
    answer = client.send("DELETE", "a.txt", query={"uploadId": upload_id})
    again = client.send("DELETE", "a.txt", query={"uploadId": upload_id})

    assert (204, b"") == (answer.status, answer.body)
    assert (404, "NoSuchUpload", NO_SUCH_UPLOAD, "0042-00000002") == again.error
    assert upload_id == again.xml["UploadId"]
    assert (404, "NoSuchUpload") == client.list_parts("a.txt", upload_id).error[:2]
    assert 200 == client.list_parts("a.txt", other).status
    assert [other] == [path.name for path in folder.iterdir()]


def test_uploads_survive_a_restart(start_emulator: Callable[..., Any], client: Any) -> None:
    """A stopped emulator knows its uploads and parts again."""
    upload_id = client.initiate("a.txt")
    client.upload_part("a.txt", upload_id, 1, b"hello")
    client.emulator.stop()
    again = start_emulator(data_dir=client.emulator.options.data_dir)

    assert ["1"] == [part[0] for part in read_parts(again.list_parts("a.txt", upload_id))]
    assert 200 == again.complete("a.txt", upload_id).status
    assert b"hello" == again.get("a.txt").body


def test_ten_thousand_parts(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload may have 10,000 parts; listing and joining them takes seconds, not minutes."""
    monkeypatch.setattr("ossgate.emulator.complete_multipart.MIN_PART_BYTES", 1)
    upload_id = client.initiate("a.txt")
    client.upload_part("a.txt", upload_id, 1, b"x" * 7)
    folder = client.emulator.options.data_dir / "multipart/test-bucket" / upload_id
    first = next(folder.glob("00001.*"))
    # Straight onto the disk: 10,000 requests would take longer than all other tests of this file.
    for number in range(2, 10_001):
        (folder / first.name.replace("00001", f"{number:05d}")).write_bytes(b"x" * 7)
    uploads = client.emulator._server.app.handlers["AbortMultipartUpload"].__self__.uploads
    uploads._entries[upload_id]._parts = None
    started = time.monotonic()
    pages = [
        client.list_parts("a.txt", upload_id, **{"part-number-marker": str(marker)})
        for marker in range(0, 10_000, 1000)
    ]
    answer = client.complete("a.txt", upload_id)
    spent = time.monotonic() - started

    assert [1000] * 10 == [len(read_parts(page)) for page in pages]
    assert answer.headers["ETag"].endswith('-10000"')
    assert str(Model("CRC64-XZ").calc(b"x" * 70_000)) == answer.headers["x-oss-hash-crc64ecma"]
    assert "70000" == client.head("a.txt").headers["Content-Length"]
    assert spent < 30
