"""Callbacks of PutObject and CompleteMultipartUpload, asked for in headers or in the query."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

TEMPLATE = "op=${operation}&object=${object}&size=${size}&etag=${etag}&md5=${contentMd5}&v=${x:var}"
FIRST = b"a" * 102_400


def encode(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def put(client: Any, way: str, callback: str, variables: str = "") -> Any:
    """Put an object whose callback travels in headers or in the signed query."""
    if way == "header":
        headers = {"x-oss-callback": callback}
        if variables:
            headers["x-oss-callback-var"] = variables
        return client.send("PUT", "a.txt", body=b"hello", headers=headers)
    query = {"callback": callback}
    if variables:
        query["callback-var"] = variables
    return client.request("PUT", client.presign("PUT", "a.txt", query=query), body=b"hello")


@pytest.fixture(params=["header", "query"])
def way(request: pytest.FixtureRequest) -> str:
    """Where the callback stands."""
    return str(request.param)


def test_put(client: Any, receiver: Any, callback: Callable[..., str], way: str) -> None:
    """The receiver hears of the object with the uploader's variables; its answer is the uploader's."""
    answer = put(client, way, callback(receiver.url, TEMPLATE), encode({"x:var": "价 值"}))

    assert (200, b'{"Status":"OK"}') == (answer.status, answer.body)
    assert "application/json" == answer.headers["Content-Type"]
    assert '"5D41402ABC4B2A76B9719D911017C592"' == answer.headers["ETag"]
    assert ("XUFAKrxLKna5cZ2REBfFkg==", "11177612005948864433") == (
        answer.headers["Content-MD5"],
        answer.headers["x-oss-hash-crc64ecma"],
    )
    assert [
        b"op=PutObject&object=a.txt&size=5&etag=5D41402ABC4B2A76B9719D911017C592"
        b"&md5=XUFAKrxLKna5cZ2REBfFkg%3D%3D&v=%E4%BB%B7%20%E5%80%BC"
    ] == [received.body for received in receiver.received]


def test_put_failure(
    client: Any, receiver: Any, callback: Callable[..., str], make_reply: Any, way: str
) -> None:
    """A receiver that fails makes it 203; the object is there."""
    receiver.answer = lambda _: make_reply(500)
    answer = put(client, way, callback(receiver.url))

    assert (203, "CallbackFailed", "Error status : 500.", "0007-00000203") == answer.error
    assert '"5D41402ABC4B2A76B9719D911017C592"' == answer.headers["ETag"]
    assert b"hello" == client.get("a.txt").body


def test_object_is_there_when_the_callback_comes(
    client: Any, receiver: Any, callback: Callable[..., str], make_reply: Any
) -> None:
    """The receiver may ask for the object before it answers."""
    found: list[int] = []

    def answer(_: Any) -> bytes:
        found.append(client.head("a.txt").status)
        return bytes(make_reply(200, b"{}"))

    receiver.answer = answer
    put(client, "header", callback(receiver.url))

    assert [200] == found


@pytest.mark.parametrize("where", ["header", "query"])
def test_complete(client: Any, receiver: Any, callback: Callable[..., str], where: str) -> None:
    """Complete calls back with the whole object's size and ETag; its XML gives way to the receiver's answer."""
    upload_id = client.initiate("a.txt")
    client.upload_part("a.txt", upload_id, 1, FIRST)
    client.upload_part("a.txt", upload_id, 2, b"x")
    encoded, variables = callback(receiver.url, TEMPLATE), encode({"x:var": "1"})
    query, headers = {"uploadId": upload_id}, {"x-oss-complete-all": "yes"}
    if where == "header":
        headers |= {"x-oss-callback": encoded, "x-oss-callback-var": variables}
    else:
        query |= {"callback": encoded, "callback-var": variables}
    answer = client.send("POST", "a.txt", query=query, headers=headers)
    etag = answer.headers["ETag"].strip('"')

    assert (200, b'{"Status":"OK"}', "application/json") == (
        answer.status,
        answer.body,
        answer.headers["Content-Type"],
    )
    expected = f"op=CompleteMultipartUpload&object=a.txt&size=102401&etag={etag}&md5=&v=1"
    assert [expected.encode()] == [received.body for received in receiver.received]
    assert etag.endswith("-2")


def test_complete_failure(client: Any, receiver: Any, callback: Callable[..., str], make_reply: Any) -> None:
    """A failed callback of Complete is 203 as well, and the upload has ended."""
    receiver.answer = lambda _: make_reply(200, b"no json")
    upload_id = client.initiate("a.txt")
    client.upload_part("a.txt", upload_id, 1, b"hello")
    answer = client.complete("a.txt", upload_id, headers={"x-oss-callback": callback(receiver.url)})

    assert (203, "CallbackFailed", "0007-00000205") == (answer.error[0], answer.error[1], answer.error[3])
    assert b"hello" == client.get("a.txt").body
    assert 404 == client.list_parts("a.txt", upload_id).status


def test_parts_call_nobody(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """Initiate, parts, copies and appends have no callback."""
    headers = {"x-oss-callback": callback(receiver.url)}
    upload_id = client.initiate("a.txt", headers=headers)
    client.upload_part("a.txt", upload_id, 1, b"x", headers=headers)
    client.put("b.txt")
    client.send("PUT", "c.txt", headers={**headers, "x-oss-copy-source": "/test-bucket/b.txt"})
    client.send("POST", "d.txt", query={"append": "", "position": "0"}, body=b"x", headers=headers)

    assert [] == receiver.received


def test_given_twice(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """A callback stands in the header or in the query, and so do its variables."""
    encoded = callback(receiver.url)
    for name in ("callback", "callback-var"):
        given = encoded if name == "callback" else encode({"x:a": "1"})
        answer = client.send("PUT", "a.txt", query={name: given}, headers={f"x-oss-{name}": given}, body=b"x")
        message = f"Either the {name} query string parameter or the x-oss-{name} header should be specified, not both."
        assert (400, "InvalidArgument", message, "0007-00000027") == answer.error
    assert 404 == client.head("a.txt").status


VARIABLES = [
    ("x" * 5121, "The length of callback var exceed max value.", "0007-00000101"),
    ("not base64", "The callback var is not base64 encoded.", "0007-00000102"),
    (encode("not json"), "The callback var is not json format.", "0007-00000103"),
    (encode("[1]"), "The callback var is not expecten json.", "0007-00000104"),
    (encode({"x:a": 1}), "The callback var is not expecten json.", "0007-00000104"),
    (encode({"a": "1"}), "The callback var is not expecten json.", "0007-00000104"),
]


@pytest.mark.parametrize(("variables", "message", "ec"), VARIABLES)
def test_bad_variables(
    client: Any, receiver: Any, callback: Callable[..., str], way: str, variables: str, message: str, ec: str
) -> None:
    """Variables that are no map of texts are refused, and nothing is stored."""
    answer = put(client, way, callback(receiver.url), variables)

    assert (400, "InvalidArgument", message, ec) == answer.error
    assert 404 == client.head("a.txt").status


def test_vectors_of_bad_definitions(
    start_emulator: Callable[..., Any], vectors: Callable[[str], Any], way: str
) -> None:
    """Every definition that is known to be refused is refused with its text, and nothing is stored."""
    client = start_emulator(allow_private_callbacks=False)
    for case in vectors("callback-parameter.json")["rejected"]:
        value = case.get("value") or encode({"callbackUrl": "http://8.8.8.8", "callbackBody": "x" * 5000})
        answer = put(client, way, value)

        assert (400, case["code"], case["message"]) == answer.error[:3], case["name"]
        assert case.get("ec", answer.error[3]) == answer.error[3]
    assert 404 == client.head("a.txt").status


def test_empty_variables(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """An empty header of variables is none."""
    headers = {"x-oss-callback": callback(receiver.url), "x-oss-callback-var": ""}

    assert 200 == client.send("PUT", "a.txt", body=b"x", headers=headers).status


def test_private_addresses(
    start_emulator: Callable[..., Any], receiver: Any, callback: Callable[..., str], way: str
) -> None:
    """Told to, the emulator refuses what OSS refuses."""
    client = start_emulator(allow_private_callbacks=False)
    answer = put(client, way, callback(receiver.url))
    message = "Private address is forbidden to callback."

    assert (400, "InvalidArgument", message, "0007-00000008") == answer.error
    assert ("callbackUrl", receiver.url) == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])
    assert 404 == client.head("a.txt").status


def test_odd_letters_in_variables(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """Halves of characters, which JSON can write, end in a question mark and not in a failure."""
    encoded = encode('{"x:var":"\\ud800"}')
    for body_type in ("application/x-www-form-urlencoded", "application/json"):
        template = "v=${x:var}" if body_type.endswith("urlencoded") else '{"v":${x:var}}'
        definition = callback(receiver.url, template, callbackBodyType=body_type)
        assert 200 == put(client, "header", definition, encoded).status

    assert [b"v=%3F", b'{"v":"?"}'] == [received.body for received in receiver.received]
