"""The examples of OSS's pages on upload callbacks for Python, as tests in our own words; Node's stand in `node/`.

Pages: "Upload callback (Python SDK V1)", https://help.aliyun.com/zh/oss/developer-reference/upload-callbacks-2 ; "Upload callback",
https://help.aliyun.com/document_detail/31853.html ; the samples of alibabacloud-oss-v2 for callbacks and post policies.
"""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator import Emulator

with warnings.catch_warnings():
    # The SDKs' own business.
    warnings.simplefilter("ignore")
    import alibabacloud_oss_v2 as oss
    import oss2
    from oss2.credentials import EnvironmentVariableCredentialsProvider

FORM = "application/x-www-form-urlencoded"


def encode_callback(document: dict[str, Any]) -> str:
    """Encode as the examples do: JSON, then base64."""
    text = json.dumps(document).strip()
    return str(oss2.compat.to_string(base64.b64encode(oss2.compat.to_bytes(text))))


@pytest.fixture
def bucket(emulator: Emulator, long_term: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket of oss2 whose keys come from the environment, signed by version 4, as the pages have it."""
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", long_term.access_key_id)
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", long_term.access_key_secret)
    auth = oss2.ProviderAuthV4(EnvironmentVariableCredentialsProvider())
    session = oss2.Session()
    yield oss2.Bucket(auth, emulator.url, "demo-bucket", region="cn-hangzhou", session=session)
    session.session.close()


@pytest.fixture
def client(emulator: Emulator, long_term: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of alibabacloud-oss-v2 whose keys come from the environment."""
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", long_term.access_key_id)
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", long_term.access_key_secret)
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.EnvironmentVariableCredentialsProvider()
    config.region = "cn-hangzhou"
    config.endpoint = emulator.url
    return oss.Client(config)


def make_example(url: str) -> dict[str, str]:
    """Make the headers of the pages' example: bucket, object and two variables, as a form."""
    callback = {
        "callbackUrl": url,
        "callbackBody": "bucket=${bucket}&object=${object}&var1=${x:my_var1}&var2=${x:my_var2}",
        "callbackBodyType": FORM,
    }
    variables = {"x:my_var1": "my_val1", "x:my_var2": "my_val2"}
    return {"x-oss-callback": encode_callback(callback), "x-oss-callback-var": encode_callback(variables)}


def expect(key: str) -> dict[str, str]:
    return {"bucket": "demo-bucket", "object": key, "var1": "my_val1", "var2": "my_val2"}


def test_simple_upload(bucket: Any, folder: str, receiver: Any, callback_answer: Any) -> None:
    """A megabyte of text is put, and the callback carries bucket, object and two variables."""
    key, url = folder + "exampledir/exampleobject.txt", receiver.make_url()
    result = bucket.put_object(key, "a" * 1024 * 1024, make_example(url))

    assert (200, callback_answer) == (result.status, json.loads(result.resp.read()))
    assert expect(key) == receiver.take(url).form
    assert FORM == receiver.take(url).headers["Content-Type"]


def test_file_upload(bucket: Any, folder: str, receiver: Any, tmp_path: Path) -> None:
    """The same from a local file."""
    key, url = folder + "exampleobject.txt", receiver.make_url()
    (tmp_path / "examplefile.txt").write_text("hello")
    result = bucket.put_object_from_file(key, str(tmp_path / "examplefile.txt"), make_example(url))

    assert 200 == result.status
    assert expect(key) == receiver.take(url).form


def test_multipart_upload(
    bucket: Any, folder: str, receiver: Any, tmp_path: Path, callback_answer: Any
) -> None:
    """A file in parts of the size that the SDK determines; the callback comes from the completion."""
    key, url, source = folder + "large.bin", receiver.make_url(), tmp_path / "large.bin"
    source.write_bytes(b"x" * 250_000)
    total = source.stat().st_size
    part_size = oss2.determine_part_size(total, preferred_size=100 * 1024)
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = []
    with source.open("rb") as file:
        for number, offset in enumerate(range(0, total, part_size), 1):
            size = min(part_size, total - offset)
            sent = bucket.upload_part(key, upload_id, number, oss2.SizedFileAdapter(file, size))
            parts.append(oss2.models.PartInfo(number, sent.etag))
    result = bucket.complete_multipart_upload(key, upload_id, parts, make_example(url))

    assert callback_answer == json.loads(result.resp.read())
    assert expect(key) == receiver.take(url).form


def test_host_and_facts(bucket: Any, folder: str, receiver: Any) -> None:
    """The older example: a Host of its own, and name, size and type of what was uploaded."""
    key, url = folder + "a.txt", receiver.make_url()
    callback = {
        "callbackUrl": url,
        "callbackHost": "oss-cn-hangzhou.aliyuncs.com",
        "callbackBody": "filename=${object}&size=${size}&mimeType=${mimeType}",
        "callbackBodyType": FORM,
    }
    bucket.put_object(key, "a" * 1024, {"x-oss-callback": encode_callback(callback)})
    received = receiver.take(url)

    assert {"filename": key, "size": "1024", "mimeType": "text/plain"} == received.form
    assert "oss-cn-hangzhou.aliyuncs.com" == received.headers["Host"]


def make_form(conditions: list[Any], long_term: Any) -> dict[str, str]:
    """Sign a policy by version 1, as the page's form example does without any SDK."""
    until = f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S.000Z}"
    policy = base64.b64encode(json.dumps({"expiration": until, "conditions": conditions}).encode())
    digest = hmac.new(long_term.access_key_secret.encode(), policy, hashlib.sha1).digest()
    return {
        "OSSAccessKeyId": long_term.access_key_id,
        "policy": policy.decode(),
        "Signature": base64.b64encode(digest).decode(),
    }


def test_form_upload(
    emulator: Emulator, long_term: Any, folder: str, receiver: Any, post_form: Any, callback_answer: Any
) -> None:
    """A form with its callback locked by the policy, and a variable in a field of its own."""
    key, url = folder + "form.txt", receiver.make_url()
    callback = encode_callback(
        {
            "callbackUrl": url,
            "callbackBody": "bucket=${bucket}&object=${object}&var1=${x:my_var1}&var2=${x:my_var2}",
            "callbackBodyType": FORM,
        }
    )
    conditions = [{"bucket": "demo-bucket"}, ["content-length-range", 0, 1024], {"callback": callback}]
    fields = {
        "key": key,
        **make_form(conditions, long_term),
        "callback": callback,
        "x:my_var1": "my_val1",
        "x:my_var2": "my_val2",
    }
    answer = post_form(emulator.bucket_url, fields)

    assert (200, callback_answer) == (answer.status, json.loads(answer.body))
    assert expect(key) == receiver.take(url).form


def test_form_upload_v4(
    emulator: Emulator, long_term: Any, folder: str, receiver: Any, post_form: Any, callback_answer: Any
) -> None:
    """The samples' post policy of version 4, with a JSON callback."""
    key, url, now = folder + "form 4.txt", receiver.make_url(), datetime.now(UTC)
    stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    signed = {
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{long_term.access_key_id}/{day}/cn-hangzhou/oss/aliyun_v4_request",
        "x-oss-date": stamp,
    }
    body = '{"bucket":${bucket},"object":${object},"size":${size},"type":${mimeType},"user":${x:user}}'
    callback = encode_callback(
        {"callbackUrl": url, "callbackBody": body, "callbackBodyType": "application/json"}
    )
    conditions = [{"bucket": "demo-bucket"}, *({name: value} for name, value in signed.items())]
    conditions.append(["content-length-range", 1, 1024])
    until = f"{now + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S.000Z}"
    policy = base64.b64encode(json.dumps({"expiration": until, "conditions": conditions}).encode())
    secret = b"aliyun_v4" + long_term.access_key_secret.encode()
    for step in (day, "cn-hangzhou", "oss", "aliyun_v4_request"):
        secret = hmac.new(secret, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, policy, hashlib.sha256).hexdigest()
    fields = {"key": key, "policy": policy.decode(), **signed, "x-oss-signature": signature}
    answer = post_form(emulator.bucket_url, {**fields, "callback": callback, "x:user": "王"})

    assert (200, callback_answer) == (answer.status, json.loads(answer.body))
    assert {
        "bucket": "demo-bucket",
        "object": key,
        "size": 5,
        "type": "text/plain",
        "user": "王",
    } == receiver.take(url).json


def test_presigned_put(
    bucket: Any, folder: str, receiver: Any, fetch: Callable[..., Any], callback_answer: Any
) -> None:
    """A URL for somebody else's upload, its callback in signed headers."""
    key, url = folder + "by url.txt", receiver.make_url()
    headers = make_example(url)
    target = bucket.sign_url("PUT", key, 60, headers=dict(headers), slash_safe=True)

    assert callback_answer == json.loads(fetch(target, "PUT", b"hello", headers).body)
    assert expect(key) == receiver.take(url).form
    assert 403 == fetch(target, "PUT", b"hello").status


def make_members(url: str) -> dict[str, str]:
    headers = make_example(url)
    return {"callback": headers["x-oss-callback"], "callback_var": headers["x-oss-callback-var"]}


def test_v2_put(client: Any, folder: str, receiver: Any, callback_answer: Any) -> None:
    """The sample of the new SDK: put with callback and variables."""
    key, url = folder + "v2.txt", receiver.make_url()
    request = oss.PutObjectRequest(bucket="demo-bucket", key=key, body="hello", **make_members(url))
    result = client.put_object(request)

    assert (200, callback_answer) == (result.status_code, json.loads(result.callback_result))
    assert expect(key) == receiver.take(url).form


def test_v2_complete(client: Any, folder: str, receiver: Any, callback_answer: Any) -> None:
    """Its sample of an upload in parts."""
    key, url = folder + "v2 parts.txt", receiver.make_url()
    names = {"bucket": "demo-bucket", "key": key}
    upload_id = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(**names)).upload_id
    sent = client.upload_part(
        oss.UploadPartRequest(**names, upload_id=upload_id, part_number=1, body="hello")
    )
    parts = oss.CompleteMultipartUpload(parts=[oss.UploadPart(part_number=1, etag=sent.etag)])
    result = client.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            **names, upload_id=upload_id, complete_multipart_upload=parts, **make_members(url)
        )
    )

    assert callback_answer == json.loads(result.callback_result)
    assert expect(key) == receiver.take(url).form


def test_v2_presigned(
    client: Any, folder: str, receiver: Any, fetch: Callable[..., Any], callback_answer: Any
) -> None:
    """Its sample of a URL that calls back; the callback may stand in the query as well."""
    key, url = folder + "v2 by url.txt", receiver.make_url()
    signed = client.presign(oss.PutObjectRequest(bucket="demo-bucket", key=key, **make_members(url)))
    answer = fetch(signed.url, "PUT", b"hello", dict(signed.signed_headers))
    second, members = receiver.make_url(), {}
    for name, value in make_members(second).items():
        members[name.replace("_", "-")] = value
    in_query = client.presign(oss.PutObjectRequest(bucket="demo-bucket", key=key, parameters=members))
    other = fetch(in_query.url, "PUT", b"hello", dict(in_query.signed_headers))

    assert [callback_answer] * 2 == [json.loads(answer.body), json.loads(other.body)]
    assert [expect(key)] * 2 == [receiver.take(url).form, receiver.take(second).form]
