"""AppendObject."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anycrc import Model


def append(client: Any, position: object, body: bytes = b"hello", key: str = "a.log", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    query = {"append": "", "position": str(position)}
    return client.send("POST", key, query=query, body=body, headers=named)


def test_append(client: Any) -> None:
    """An object grows piece by piece; each answer tells where the next begins and the CRC of the whole."""
    first, second = append(client, 0), append(client, 5, b" world")
    found = client.get("a.log")

    assert (200, 200, b"hello world") == (first.status, second.status, found.body)
    assert ("5", "11") == tuple(item.headers["x-oss-next-append-position"] for item in (first, second))
    assert str(Model("CRC64-XZ").calc(b"hello world")) == second.headers["x-oss-hash-crc64ecma"]
    assert ("Appendable", "11") == (
        found.headers["x-oss-object-type"],
        found.headers["x-oss-next-append-position"],
    )
    assert second.headers["ETag"] == found.headers["ETag"] != first.headers["ETag"]
    assert found.headers["Content-MD5"] is None


def test_headers_of_the_first_append(client: Any) -> None:
    """What is said at the beginning stays."""
    append(client, 0, Content_Type="text/plain", x_oss_meta_a="1")
    append(client, 5, Content_Type="text/css", x_oss_meta_a="2")
    found = client.head("a.log").headers

    assert ("text/plain", "1") == (found["Content-Type"], found["x-oss-meta-a"])


def test_empty_pieces(client: Any) -> None:
    """A piece may be empty, the first too."""
    assert "0" == append(client, 0, b"").headers["x-oss-next-append-position"]
    assert "5" == append(client, 0).headers["x-oss-next-append-position"]
    again = append(client, 5, b"")
    assert ("5", "11177612005948864433") == (
        again.headers["x-oss-next-append-position"],
        again.headers["x-oss-hash-crc64ecma"],
    )


@pytest.mark.parametrize("position", [0, 4, 6])
def test_wrong_position(client: Any, position: int) -> None:
    """The position is the object's length; the answer tells it."""
    append(client, 0)
    answer = append(client, position)

    assert (
        409,
        "PositionNotEqualToLength",
        "Position is not equal to file length",
        "0026-00000016",
    ) == answer.error
    assert "5" == answer.headers["x-oss-next-append-position"]
    assert b"hello" == client.get("a.log").body


def test_new_object_begins_at_zero(client: Any) -> None:
    """What is not there has no length."""
    assert (409, "PositionNotEqualToLength") == append(client, 5).error[:2]
    assert 404 == client.head("a.log").status


def test_other_object_types(client: Any) -> None:
    """Only what was begun by appending can be appended to."""
    client.put("a.log", b"")
    answer = append(client, 0)

    assert (409, "ObjectNotAppendable", "The object is not appendable.", "") == answer.error


def test_overwritten_by_put(client: Any) -> None:
    """PutObject makes an ordinary object of it."""
    append(client, 0)
    client.put("a.log", b"new")

    assert (409, "ObjectNotAppendable") == append(client, 3).error[:2]


@pytest.mark.parametrize(
    ("query", "headers", "message", "ec"),
    [
        ({"append": ""}, {}, "The position parameter is missing.", "0016-00000501"),
        (
            {"append": "", "position": "-1"},
            {},
            "The append position must be a non-negative integer.",
            "",
        ),
        ({"append": "", "position": "x"}, {}, "The append position must be a non-negative integer.", ""),
        (
            {"append": "", "position": "0"},
            {"x-oss-storage-class": "ColdArchive"},
            "The storage class of an appendable object is not valid.",
            "0016-00000503",
        ),
        (
            {"append": "", "position": "0"},
            {"x-oss-object-acl": "open"},
            "no such object access control exists.",
            "",
        ),
    ],
)
def test_refused(client: Any, query: dict[str, str], headers: dict[str, str], message: str, ec: str) -> None:
    """Arguments and headers are checked before anything is stored."""
    answer = client.send("POST", "a.log", query=query, body=b"x", headers=headers)

    assert (400, "InvalidArgument", message, ec) == answer.error
    assert 404 == client.head("a.log").status


def test_wrong_digest(client: Any) -> None:
    """A piece that is not what its Content-MD5 says is not appended."""
    append(client, 0)
    answer = append(client, 5, Content_MD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    assert (400, "InvalidDigest") == answer.error[:2]
    assert b"hello" == client.get("a.log").body


def test_many_at_once(client: Any) -> None:
    """Of many appends at one position exactly one succeeds."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: append(client, 0, b"%d" % number), range(8)))

    assert [200] + [409] * 7 == sorted(answer.status for answer in answers)
    assert b"%d" % [answer.status for answer in answers].index(200) == client.get("a.log").body
