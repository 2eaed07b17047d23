"""DeleteMultipleObjects."""

import base64
import hashlib
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest


def write_body(*keys: str, quiet: str = "false") -> bytes:
    inner = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
    return f"<Delete><Quiet>{quiet}</Quiet>{inner}</Delete>".encode()


def delete(client: Any, body: bytes, *, md5: str | None = None, **query: str) -> Any:
    digest = base64.b64encode(hashlib.md5(body).digest()).decode() if md5 is None else md5
    headers = {"Content-MD5": digest} if digest else {}
    named = {name.replace("_", "-"): value for name, value in query.items()}
    return client.send("POST", query={"delete": "", **named}, body=body, headers=headers)


def read_keys(answer: Any) -> list[str]:
    return [key.text or "" for key in ElementTree.fromstring(answer.body).iterfind("Deleted/Key")]


def test_delete(client: Any) -> None:
    """All keys are deleted and told, those too that were not there."""
    keys = ["a.txt", "图 <片>&.png", " blank ", "none"]
    for key in (*keys[:3], "stays"):
        client.put(key)
    answer = delete(client, write_body(*keys))

    assert (200, "application/xml", keys) == (
        answer.status,
        answer.headers["Content-Type"],
        read_keys(answer),
    )
    assert [404, 404, 404, 200] == [client.head(key).status for key in (*keys[:3], "stays")]


def test_encoded(client: Any) -> None:
    """Keys in the answer are encoded when asked."""
    answer = delete(client, write_body("图/a b"), encoding_type="url")

    assert ("url", ["%E5%9B%BE%2Fa%20b"]) == (answer.xml["EncodingType"], read_keys(answer))


def test_quiet(client: Any) -> None:
    """A quiet deletion answers nothing."""
    client.put()
    answer = delete(client, write_body("a.txt", quiet="true"))

    assert (200, b"") == (answer.status, answer.body)
    assert 404 == client.head("a.txt").status


def test_digest(client: Any) -> None:
    """Content-MD5 is required, and must be right."""
    client.put()
    missing = delete(client, write_body("a.txt"), md5="")
    wrong = delete(client, write_body("a.txt"), md5="1B2M2Y8AsgTpgAmY7PhCfg==")

    assert (400, "MissingArgument", "Missing Some Required Arguments.", "") == missing.error
    assert (400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "") == wrong.error
    assert 200 == client.head("a.txt").status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete/>",
        b"<Other/>",
        b"<Delete><Object/></Delete>",
        write_body(""),
        write_body(*(str(number) for number in range(1001))),
        b"<Delete>",
        b"\xff",
    ],
)
def test_malformed(client: Any, body: bytes) -> None:
    """A body is a list of 1 to 1000 keys."""
    assert (400, "MalformedXML", "0042-00000205") == (lambda e: (e[0], e[1], e[3]))(
        delete(client, body).error
    )


def test_body_too_large(client: Any) -> None:
    """A body has at most two megabytes."""
    answer = delete(client, write_body("k" * 3_000_000))

    assert (400, "EntityTooLarge") == answer.error[:2]


def test_thousand_keys(client: Any) -> None:
    """A thousand keys go in one request."""
    assert 1000 == len(read_keys(delete(client, write_body(*(str(number) for number in range(1000))))))
