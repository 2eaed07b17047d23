"""alibabacloud-oss-v2, unmodified: every operation by both signatures, with long-term keys and temporary ones."""

import base64
import json
import random
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator import Emulator

with warnings.catch_warnings():
    # The SDK's own business.
    warnings.simplefilter("ignore")
    import alibabacloud_oss_v2 as oss

PART = 100 * 1024
CONTENT = random.Random(7).randbytes(256_000)
FORM = "bucket=${bucket}&object=${object}&size=${size}&uid=${x:uid}"


class Caller:
    """A client and the bucket that its requests are about."""

    def __init__(self, url: str, signing: Any, bucket: str = "demo-bucket") -> None:
        keys = signing.keys
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            keys.access_key_id, keys.access_key_secret, keys.token or None
        )
        config.region = "cn-hangzhou"
        config.endpoint = url
        config.signature_version = signing.version
        self.client = oss.Client(config)
        self.bucket = bucket

    def __call__(self, operation: str, key: str | None = None, **members: Any) -> Any:
        """Send the request of an operation, given by its name."""
        request = self.make(operation, key, **members)
        name = "".join("_" + letter.lower() if letter.isupper() else letter for letter in operation)[1:]
        return getattr(self.client, name)(request)

    def make(self, operation: str, key: str | None = None, **members: Any) -> Any:
        """Make the request of an operation."""
        if key is not None:
            members["key"] = key
        return getattr(oss, f"{operation}Request")(bucket=self.bucket, **members)

    def presign(self, operation: str, key: str, **members: Any) -> Any:
        """Make a URL of an operation."""
        return self.client.presign(self.make(operation, key, **members), expires=timedelta(minutes=1))

    def read(self, key: str, **members: Any) -> bytes:
        """Read an object whole."""
        got = self("GetObject", key, **members)
        content: bytes = got.body.content
        got.body.close()
        return content

    def upload_parts(self, key: str) -> tuple[str, Any]:
        """Begin an upload and send its parts."""
        upload_id = self("InitiateMultipartUpload", key).upload_id
        parts = [
            oss.UploadPart(
                part_number=number,
                etag=self(
                    "UploadPart",
                    key,
                    upload_id=upload_id,
                    part_number=number,
                    body=CONTENT[start : start + PART],
                ).etag,
            )
            for number, start in enumerate(range(0, len(CONTENT), PART), 1)
        ]
        return upload_id, oss.CompleteMultipartUpload(parts=parts)


@pytest.fixture
def call(emulator: Emulator, signing: Any) -> Caller:
    """The bucket, as each of the four ways of signing sees it."""
    return Caller(emulator.url, signing)


def encode(document: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def make_callback(url: str, **variables: str) -> dict[str, str]:
    """Make the members that ask for a callback."""
    members = {"callback": encode({"callbackUrl": url, "callbackBody": FORM})}
    if variables:
        members["callback_var"] = encode({f"x:{name}": value for name, value in variables.items()})
    return members


def explain(refused: Any) -> Any:
    """Tell the service's own refusal inside the SDK's."""
    return refused.value.unwrap()


def test_put_get_head_delete(call: Caller, folder: str, clean_keys: tuple[str, ...]) -> None:
    """What is put under any key is read back, described and deleted; the CRC of uploads is compared."""
    for name in clean_keys:
        key = folder + name
        put = call("PutObject", key, body=CONTENT, metadata={"Author": "x"}, content_type="text/plain")
        head = call("HeadObject", key)

        assert CONTENT == call.read(key)
        assert (put.etag, put.hash_crc64) == (head.etag, head.hash_crc64)
        assert (len(CONTENT), "text/plain") == (head.content_length, head.content_type)
        assert "x" == head.metadata["author"]
        assert head.hash_crc64 == call("GetObjectMeta", key).hash_crc64
        assert 204 == call("DeleteObject", key).status_code
        assert not call.client.is_object_exist("demo-bucket", key)
        with pytest.raises(oss.exceptions.OperationError) as refused:
            call("GetObject", key)
        assert (404, "NoSuchKey", "0026-00000001") == (
            explain(refused).status_code,
            explain(refused).code,
            explain(refused).ec,
        )


def test_dots_are_folded(call: Caller, folder: str) -> None:
    """A key with `..` between slashes cannot be used: the SDK's HTTP library folds what was signed unfolded."""
    with pytest.raises(oss.exceptions.OperationError) as refused:
        call("PutObject", folder + "a/../b", body=b"x")

    assert "SignatureDoesNotMatch" == explain(refused).code


def test_ranges_and_conditions(call: Caller, folder: str) -> None:
    """Ranges of every form, and conditions that hold or do not."""
    etag = call("PutObject", folder + "a", body=CONTENT).etag
    for asked, expected in (("0-9", CONTENT[:10]), ("100-", CONTENT[100:]), ("-7", CONTENT[-7:])):
        assert expected == call.read(folder + "a", range_header=f"bytes={asked}")
    for members, status in (
        ({"if_none_match": etag}, 304),
        ({"if_match": '"other"'}, 412),
        ({"range_header": "bytes=999999999-", "range_behavior": "standard"}, 416),
    ):
        with pytest.raises(oss.exceptions.OperationError) as refused:
            call("GetObject", folder + "a", **members)
        assert status == explain(refused).status_code
    got = call("GetObject", folder + "a", response_content_type="text/x-a")
    assert "text/x-a" == got.content_type
    got.body.close()


def test_read_as_a_file(call: Caller, folder: str) -> None:
    """The SDK's file reads an object by ranges, wherever it is asked to."""
    call("PutObject", folder + "a", body=CONTENT)
    with call.client.open_file("demo-bucket", folder + "a") as file:
        file.seek(1000)
        assert CONTENT[1000:1100] == file.read(100)
        file.seek(-5, 2)
        assert CONTENT[-5:] == file.read()


def test_append(call: Caller, folder: str) -> None:
    """Appending goes on at the position told; the SDK's append-only file does the same."""
    first = call("AppendObject", folder + "log", position=0, body=b"hello")
    call("AppendObject", folder + "log", position=first.next_position, body=b" world")
    with call.client.append_file("demo-bucket", folder + "log") as file:
        file.write(b"!")

    assert b"hello world!" == call.read(folder + "log")
    with pytest.raises(oss.exceptions.OperationError) as refused:
        call("AppendObject", folder + "log", position=3, body=b"x")
    assert (409, "PositionNotEqualToLength") == (explain(refused).status_code, explain(refused).code)


def test_copy(call: Caller, folder: str, clean_keys: tuple[str, ...]) -> None:
    """Copies of and to any key; by parts as well."""
    for name in clean_keys:
        call("PutObject", folder + name, body=name.encode())
        call("CopyObject", f"{folder}copy of/{name}", source_key=folder + name)
        assert name.encode() == call.read(f"{folder}copy of/{name}")
    call("PutObject", folder + "large 大", body=CONTENT)
    copier = call.client.copier(part_size=PART, multipart_copy_threshold=PART)
    copier.copy(call.make("CopyObject", folder + "parts", source_key=folder + "large 大"))
    assert CONTENT == call.read(folder + "parts")


def test_lists(call: Caller, folder: str, clean_keys: tuple[str, ...]) -> None:
    """Both listings give all keys in order, page by page, roll up folders, and several are deleted at once."""
    keys = sorted((folder + name for name in clean_keys), key=str.encode)
    for key in keys:
        call("PutObject", key, body=b"x")
    first = call.client.list_objects_paginator().iter_page(
        call.make("ListObjects", prefix=folder, max_keys=3)
    )
    second = call.client.list_objects_v2_paginator().iter_page(
        call.make("ListObjectsV2", prefix=folder, max_keys=3, fetch_owner=True)
    )

    for pages in (first, second):
        assert keys == [found.key for page in pages for found in page.contents or []]
    expected = sorted({key[: key.index("/", len(folder)) + 1] for key in keys if "/" in key[len(folder) :]})
    rolled = call("ListObjectsV2", prefix=folder, delimiter="/")
    assert expected == sorted(found.prefix for found in rolled.common_prefixes)
    deleted = call("DeleteMultipleObjects", objects=[oss.DeleteObject(key=key) for key in keys])
    assert sorted(keys) == sorted(found.key for found in deleted.deleted_objects)
    assert 0 == call("ListObjectsV2", prefix=folder).key_count


def test_multipart(call: Caller, folder: str) -> None:
    """Parts are sent, listed and completed, by list or all there are; an aborted upload is gone."""
    key = folder + "键 +%.bin"
    upload_id, parts = call.upload_parts(key)

    listed = call("ListParts", key, upload_id=upload_id).parts
    assert ([1, 2, 3], 3) == (
        [part.part_number for part in listed],
        len({part.hash_crc64 for part in listed}),
    )
    uploads = call("ListMultipartUploads", prefix=folder).uploads
    assert [(key, upload_id)] == [(found.key, found.upload_id) for found in uploads]
    completed = call("CompleteMultipartUpload", key, upload_id=upload_id, complete_multipart_upload=parts)
    assert (key, True) == (completed.key, completed.etag.endswith('-3"'))
    assert CONTENT == call.read(key)
    upload_id, _ = call.upload_parts(key)
    call("CompleteMultipartUpload", key, upload_id=upload_id, complete_all="yes")
    upload_id = call("InitiateMultipartUpload", key).upload_id
    call("AbortMultipartUpload", key, upload_id=upload_id)
    with pytest.raises(oss.exceptions.OperationError) as refused:
        call("AbortMultipartUpload", key, upload_id=upload_id)
    assert "NoSuchUpload" == explain(refused).code


def test_resumable(call: Caller, emulator: Emulator, folder: str, tmp_path: Path) -> None:
    """An upload and a download that fail midway go on where they were, and the CRC of the whole holds."""
    source, target = tmp_path / "源 source", tmp_path / "target"
    source.write_bytes(CONTENT)
    key = folder + "大 file"
    sizes = {"part_size": PART, "parallel_num": 1, "enable_checkpoint": True, "checkpoint_dir": str(tmp_path)}
    seen = emulator.list_events()[-1]["seq"]
    fault = {"on": "request", "action": "status", "status": 400, "code": "Broken", "prefix": folder}
    emulator.add_fault({**fault, "operation": "UploadPart", "nth": 2})
    uploader = call.client.uploader(leave_parts_on_error=True, **sizes)
    with pytest.raises(oss.uploader.UploadError):
        uploader.upload_file(call.make("PutObject", key), str(source))
    uploader.upload_file(call.make("PutObject", key), str(source))

    parts = [
        event for event in emulator.list_events() if event["seq"] > seen and event["event"] == "upload_part"
    ]
    assert ["1", "2", "3"] == [event["query"].partition("&")[0].partition("=")[2] for event in parts]
    emulator.add_fault({**fault, "operation": "GetObject", "nth": 2})
    downloader = call.client.downloader(verify_data=True, **sizes)
    with pytest.raises(oss.downloader.DownloadError):
        downloader.download_file(call.make("GetObject", key), str(target))
    downloader.download_file(call.make("GetObject", key), str(target))
    assert CONTENT == target.read_bytes()


def test_tried_again(call: Caller, emulator: Emulator, folder: str) -> None:
    """What fails by the service's fault is tried three times in all; after that the error is raised."""
    fault = {"on": "request", "action": "status", "code": "ServiceUnavailable", "status": 503}
    emulator.add_fault({**fault, "prefix": folder + "twice", "times": 2})
    emulator.add_fault({**fault, "prefix": folder + "thrice", "times": 3})

    assert 200 == call("PutObject", folder + "twice", body=b"x").status_code
    with pytest.raises(oss.exceptions.OperationError) as refused:
        call("PutObject", folder + "thrice", body=b"x")
    assert 503 == explain(refused).status_code


def test_presigned(call: Caller, folder: str, clean_keys: tuple[str, ...], fetch: Callable[..., Any]) -> None:
    """URLs to put, to get and to describe any key open for whoever has them."""
    for name in clean_keys:
        signed = call.presign("PutObject", folder + name, content_type="text/plain", metadata={"a": "1"})
        headers = dict(signed.signed_headers)
        assert 200 == fetch(signed.url, "PUT", b"hello", headers).status
        assert 403 == fetch(signed.url, "PUT", b"hello", {**headers, "Content-Type": "a/b"}).status
        got = fetch(call.presign("GetObject", folder + name).url)
        assert (200, b"hello", "1") == (got.status, got.body, got.headers["x-oss-meta-a"])
        assert 200 == fetch(call.presign("HeadObject", folder + name).url, "HEAD").status


def test_presigned_multipart(call: Caller, folder: str, fetch: Callable[..., Any]) -> None:
    """A whole upload in parts by URLs: begun, sent, completed; another aborted."""
    key = folder + "部 分"
    ids = []
    for _ in range(2):
        begun = fetch(call.presign("InitiateMultipartUpload", key).url, "POST", b"")
        ids.append(begun.body.decode().partition("<UploadId>")[2].partition("<")[0])
    parts = ""
    for number, data in ((1, b"a" * PART), (2, b"b")):
        target = call.presign("UploadPart", key, upload_id=ids[0], part_number=number).url
        etag = fetch(target, "PUT", data).headers["ETag"]
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    signed = call.presign("CompleteMultipartUpload", key, upload_id=ids[0])
    answer = fetch(signed.url, "POST", body, dict(signed.signed_headers))

    assert 200 == answer.status, answer.body
    assert b"a" * PART + b"b" == call.read(key)
    assert 204 == fetch(call.presign("AbortMultipartUpload", key, upload_id=ids[1]).url, "DELETE").status


def upload_by_each(call: Caller, folder: str, make_members: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Upload by Put and by Complete, both with a callback."""
    yield folder + "中 put", call("PutObject", folder + "中 put", body=CONTENT, **make_members())
    key = folder + "中 complete"
    upload_id, parts = call.upload_parts(key)
    yield (
        key,
        call(
            "CompleteMultipartUpload",
            key,
            upload_id=upload_id,
            complete_multipart_upload=parts,
            **make_members(),
        ),
    )


def test_callback(call: Caller, folder: str, receiver: Any, callback_answer: Any) -> None:
    """Put and Complete call back with variables; the receiver's answer is told as text."""
    urls = [receiver.make_url(), receiver.make_url()]
    left = iter(urls)
    results = list(upload_by_each(call, folder, lambda: make_callback(next(left), uid="张 三+1")))

    for url, (key, result) in zip(urls, results, strict=True):
        assert callback_answer == json.loads(result.callback_result)
        assert {
            "bucket": "demo-bucket",
            "object": key,
            "size": str(len(CONTENT)),
            "uid": "张 三+1",
        } == receiver.take(url).form
    assert results[1][1].location is None


@pytest.mark.parametrize("answer", ["refuse", "text"])
def test_callback_failure(call: Caller, folder: str, receiver: Any, answer: str) -> None:
    """A failed callback raises nothing: status 203 tells it, the result is the error's XML, the object is there."""
    for key, result in upload_by_each(call, folder, lambda: make_callback(receiver.make_url(answer))):
        assert 203 == result.status_code
        assert "<Code>CallbackFailed</Code>" in result.callback_result
        assert CONTENT == call.read(key)


def test_presigned_callback(
    call: Caller, folder: str, receiver: Any, fetch: Callable[..., Any], callback_answer: Any
) -> None:
    """A URL's callback stands in its signed headers: whoever sends others is refused."""
    url = receiver.make_url()
    signed = call.presign("PutObject", folder + "a", **make_callback(url, uid="7"))
    headers = dict(signed.signed_headers)
    # The Content-Type is the SDK's own, and signed.
    answer = fetch(signed.url, "PUT", b"hello", headers)
    other = {**headers, "x-oss-callback": make_callback(receiver.make_url())["callback"]}

    assert callback_answer == json.loads(answer.body), answer.body
    assert "7" == receiver.take(url).form["uid"]
    assert 403 == fetch(signed.url, "PUT", b"hello", other).status


def test_bucket_cors(emulator: Emulator, signing: Any, folder: str, fetch: Callable[..., Any]) -> None:
    """CORS rules are put, read, obeyed and deleted, on a bucket of the test's own."""
    call = Caller(emulator.url, signing, f"cors-{folder[:-1]}")
    call("PutBucket")
    rule = oss.CORSRule(
        allowed_origins=["https://a.example"],
        allowed_methods=["PUT", "GET"],
        allowed_headers=["x-oss-*"],
        expose_headers=["ETag"],
        max_age_seconds=60,
    )
    call("PutBucketCors", cors_configuration=oss.CORSConfiguration(cors_rules=[rule], response_vary=True))

    def preflight(origin: str) -> int:
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        return int(fetch(f"{emulator.url}/{call.bucket}/a", "OPTIONS", headers=asked).status)

    (found,) = call("GetBucketCors").cors_configuration.cors_rules
    assert (["https://a.example"], ["PUT", "GET"], ["x-oss-*"], ["ETag"], 60) == (
        found.allowed_origins,
        found.allowed_methods,
        found.allowed_headers,
        found.expose_headers,
        found.max_age_seconds,
    )
    assert (200, 403) == (preflight("https://a.example"), preflight("https://b.example"))
    assert 204 == call("DeleteBucketCors").status_code
    with pytest.raises(oss.exceptions.OperationError) as refused:
        call("GetBucketCors")
    assert "NoSuchCORSConfiguration" == explain(refused).code
    assert 204 == call("DeleteBucket").status_code


def test_bucket(call: Caller, folder: str) -> None:
    """What describes buckets and objects is read and changed."""
    info = call("GetBucketInfo").bucket_info
    assert ("demo-bucket", "private", "oss-cn-hangzhou") == (info.name, info.acl, info.location)
    assert "demo-bucket" in [
        found.name for found in call.client.list_buckets(oss.ListBucketsRequest()).buckets
    ]
    assert call.client.is_bucket_exist("demo-bucket")
    assert not call.client.is_bucket_exist("no-bucket-of-that-name")
    call("PutObject", folder + "a", body=b"x")
    call("PutObjectAcl", folder + "a", acl="public-read")
    assert "public-read" == call("GetObjectAcl", folder + "a").acl
    tags = oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="k 键", value="v+1")]))
    call("PutObjectTagging", folder + "a", tagging=tags)
    assert [("k 键", "v+1")] == [
        (tag.key, tag.value) for tag in call("GetObjectTagging", folder + "a").tag_set.tags
    ]


def test_session_policy(emulator: Emulator, assume: Callable[..., Any], signing: Any, folder: str) -> None:
    """Temporary keys do what their session policy allows; the refusal of the rest tells why."""
    resource = f"acs:oss:*:*:demo-bucket/{folder}mine/*"
    keys = assume({"Effect": "Allow", "Action": "oss:PutObject", "Resource": resource}, shape="rpc")
    call = Caller(emulator.url, signing.__class__(signing.version, keys))

    assert 200 == call("PutObject", folder + "mine/a", body=b"x").status_code
    for operation, key in (("PutObject", "yours/a"), ("GetObject", "mine/a"), ("HeadObject", "mine/a")):
        with pytest.raises(oss.exceptions.OperationError) as refused:
            call(operation, folder + key)
        assert (403, "AccessDenied", "0003-00000301") == (
            explain(refused).status_code,
            explain(refused).code,
            explain(refused).ec,
        )
