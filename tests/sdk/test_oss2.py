"""oss2, unmodified: every operation by both signatures, with long-term keys and with temporary ones."""

import base64
import json
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ossgate.emulator import Emulator

with warnings.catch_warnings():
    # The SDK's own business.
    warnings.simplefilter("ignore")
    import oss2

PART = 100 * 1024
CONTENT = random.Random(7).randbytes(256_000)
FORM = "bucket=${bucket}&object=${object}&size=${size}&uid=${x:uid}"


def make_bucket(url: str, signing: Any, name: str, session: Any) -> Any:
    keys = signing.keys
    if keys.token:
        version = {"v1": "v1", "v4": "v4"}[signing.version]
        auth = oss2.StsAuth(keys.access_key_id, keys.access_key_secret, keys.token, auth_version=version)
    else:
        auth = (oss2.Auth if signing.version == "v1" else oss2.AuthV4)(
            keys.access_key_id, keys.access_key_secret
        )
    return oss2.Bucket(auth, url, name, region="cn-hangzhou", session=session)


@pytest.fixture
def session() -> Iterator[Any]:
    """The SDK's connections."""
    made = oss2.Session()
    yield made
    made.session.close()


@pytest.fixture
def bucket(emulator: Emulator, signing: Any, session: Any) -> Any:
    """The bucket, as each of the four ways of signing sees it."""
    return make_bucket(emulator.url, signing, "demo-bucket", session)


def encode(document: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def make_headers(url: str, **variables: str) -> dict[str, str]:
    """Make what asks for a callback, as the SDK's samples do."""
    headers = {"x-oss-callback": encode({"callbackUrl": url, "callbackBody": FORM})}
    if variables:
        headers["x-oss-callback-var"] = encode({f"x:{name}": value for name, value in variables.items()})
    return headers


def upload_parts(bucket: Any, key: str) -> tuple[str, list[Any]]:
    """Begin an upload and send its parts; Complete then compares the whole's CRC."""
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = []
    for number, start in enumerate(range(0, len(CONTENT), PART), 1):
        data = CONTENT[start : start + PART]
        result = bucket.upload_part(key, upload_id, number, data)
        parts.append(oss2.models.PartInfo(number, result.etag, size=len(data), part_crc=result.crc))
    return upload_id, parts


def test_put_get_head_delete(bucket: Any, folder: str, odd_keys: tuple[str, ...]) -> None:
    """What is put under any key is read back, described and deleted; CRC checks pass."""
    for name in odd_keys:
        key = folder + name
        put = bucket.put_object(
            key, CONTENT, headers={"x-oss-meta-author": "x", "Content-Type": "text/plain"}
        )
        head = bucket.head_object(key)
        got = bucket.get_object(key)

        assert CONTENT == got.read()
        assert got.client_crc == got.server_crc == put.crc
        assert (len(CONTENT), put.etag, "text/plain") == (head.content_length, head.etag, head.content_type)
        assert "x" == head.headers["x-oss-meta-author"]
        assert 204 == bucket.delete_object(key).status
        with pytest.raises(oss2.exceptions.NoSuchKey):
            bucket.get_object(key)
        assert not bucket.object_exists(key)


def test_ranges_and_conditions(bucket: Any, folder: str) -> None:
    """Ranges of every form, and conditions that hold or do not."""
    etag = bucket.put_object(folder + "a", CONTENT).etag
    for asked, expected in (((0, 9), CONTENT[:10]), ((100, None), CONTENT[100:]), ((None, 7), CONTENT[-7:])):
        got = bucket.get_object(folder + "a", byte_range=asked)
        assert (206, expected) == (got.status, got.read())
    with pytest.raises(oss2.exceptions.NotModified):
        bucket.get_object(folder + "a", headers={"If-None-Match": f'"{etag}"'})
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.get_object(folder + "a", headers={"If-Match": '"other"'})
    overridden = bucket.get_object(folder + "a", params={"response-content-type": "text/x-a"})
    assert "text/x-a" == overridden.headers["Content-Type"]
    overridden.read()


def test_chunked_body(bucket: Any, folder: str) -> None:
    """A generator goes out in chunks, without a length."""
    bucket.put_object(folder + "chunks", (b"x" * 1000 for _ in range(100)))

    assert b"x" * 100_000 == bucket.get_object(folder + "chunks").read()


def test_append(bucket: Any, folder: str) -> None:
    """Appending goes on at the position told, with a running CRC; another position is refused."""
    first = bucket.append_object(folder + "log", 0, b"hello", init_crc=0)
    second = bucket.append_object(folder + "log", first.next_position, b" world", init_crc=first.crc)

    assert b"hello world" == bucket.get_object(folder + "log").read()
    assert (11, "Appendable") == (second.next_position, bucket.head_object(folder + "log").object_type)
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength):
        bucket.append_object(folder + "log", 3, b"x")


def test_copy(bucket: Any, folder: str, odd_keys: tuple[str, ...]) -> None:
    """Copies of and to any key; by parts as well."""
    for name in odd_keys:
        bucket.put_object(folder + name, name.encode())
        bucket.copy_object("demo-bucket", folder + name, f"{folder}copy of/{name}")
        assert name.encode() == bucket.get_object(f"{folder}copy of/{name}").read()
    source, target = folder + "large 大", folder + "parts"
    bucket.put_object(source, CONTENT)
    upload_id = bucket.init_multipart_upload(target).upload_id
    parts = [
        oss2.models.PartInfo(
            number,
            bucket.upload_part_copy("demo-bucket", source, (start, end), target, upload_id, number).etag,
        )
        for number, (start, end) in enumerate([(0, PART - 1), (PART, len(CONTENT) - 1)], 1)
    ]
    bucket.complete_multipart_upload(target, upload_id, parts)
    assert CONTENT == bucket.get_object(target).read()


def test_lists(bucket: Any, folder: str, odd_keys: tuple[str, ...]) -> None:
    """Both listings give all keys in order, page by page, roll up folders, and several are deleted at once."""
    keys = sorted((folder + name for name in odd_keys), key=str.encode)
    for key in keys:
        bucket.put_object(key, b"x")

    assert keys == [found.key for found in oss2.ObjectIterator(bucket, prefix=folder, max_keys=3)]
    assert keys == [found.key for found in oss2.ObjectIteratorV2(bucket, prefix=folder, max_keys=3)]
    expected = sorted({key[: key.index("/", len(folder)) + 1] for key in keys if "/" in key[len(folder) :]})
    for rolled in (
        bucket.list_objects(prefix=folder, delimiter="/"),
        bucket.list_objects_v2(prefix=folder, delimiter="/", fetch_owner=True),
    ):
        assert expected == sorted(rolled.prefix_list)
    assert sorted(keys) == sorted(bucket.batch_delete_objects(keys).deleted_keys)
    assert [] == list(oss2.ObjectIterator(bucket, prefix=folder))


def test_multipart(bucket: Any, folder: str) -> None:
    """Parts are sent, listed, completed with the CRC of the whole; an aborted upload is gone."""
    key = folder + "键 +%.bin"
    upload_id, parts = upload_parts(bucket, key)

    assert [1, 2, 3] == [part.part_number for part in oss2.PartIterator(bucket, key, upload_id)]
    assert [upload_id] == [found.upload_id for found in oss2.MultipartUploadIterator(bucket, prefix=folder)]
    completed = bucket.complete_multipart_upload(key, upload_id, parts)
    assert completed.etag.endswith("-3")
    assert CONTENT == bucket.get_object(key).read()
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.complete_multipart_upload(key, upload_id, parts)

    upload_id, _ = upload_parts(bucket, key)
    bucket.complete_multipart_upload(key, upload_id, None, headers={"x-oss-complete-all": "yes"})
    assert CONTENT == bucket.get_object(key).read()
    upload_id = bucket.init_multipart_upload(key).upload_id
    bucket.abort_multipart_upload(key, upload_id)
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.abort_multipart_upload(key, upload_id)


def test_resumable(bucket: Any, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload and a download that were broken off go on where they were, and the CRC of the whole holds."""
    source, target = tmp_path / "源 source", tmp_path / "target"
    source.write_bytes(CONTENT)
    key = folder + "大 file"
    sizes = {"multipart_threshold": 1, "part_size": PART, "num_threads": 1}
    sent: list[int] = []
    upload_part = oss2.Bucket.upload_part

    def break_off(self: Any, object_key: str, upload_id: str, number: int, *rest: Any, **more: Any) -> Any:
        sent.append(number)
        if len(sent) == 3:
            raise ConnectionError("broken off")
        return upload_part(self, object_key, upload_id, number, *rest, **more)

    monkeypatch.setattr(oss2.Bucket, "upload_part", break_off)
    store = oss2.ResumableStore(root=str(tmp_path / "up"))
    with pytest.raises(ConnectionError):
        oss2.resumable_upload(bucket, key, str(source), store=store, **sizes)
    oss2.resumable_upload(bucket, key, str(source), store=store, **sizes)

    assert [1, 2, 3, 3] == sent
    head = bucket.head_object(key)
    assert "Multipart" == head.object_type
    crc = oss2.utils.Crc64()
    crc.update(CONTENT)
    assert str(crc.crc) == head.headers["x-oss-hash-crc64ecma"]
    oss2.resumable_download(
        bucket,
        key,
        str(target),
        multiget_threshold=1,
        part_size=PART,
        num_threads=2,
        store=oss2.ResumableDownloadStore(root=str(tmp_path / "down")),
    )
    assert CONTENT == target.read_bytes()


@pytest.mark.parametrize("slash_safe", [True, False])
def test_presigned(
    bucket: Any, folder: str, odd_keys: tuple[str, ...], fetch: Callable[..., Any], slash_safe: bool
) -> None:
    """URLs to put and to get any key open for whoever has them."""
    for name in odd_keys:
        headers = {"Content-Type": "text/plain", "x-oss-meta-a": "1"}
        target = bucket.sign_url("PUT", folder + name, 60, headers=dict(headers), slash_safe=slash_safe)
        assert 200 == fetch(target, "PUT", b"hello", headers).status
        assert 403 == fetch(target, "PUT", b"hello", {**headers, "x-oss-meta-a": "2"}).status
        got = fetch(bucket.sign_url("GET", folder + name, 60, slash_safe=slash_safe))
        assert (200, b"hello", "1") == (got.status, got.body, got.headers["x-oss-meta-a"])
    resized = bucket.sign_url("GET", folder + odd_keys[0], 60, params={"response-content-type": "a/b"})
    assert "a/b" == fetch(resized).headers["Content-Type"]


def test_presigned_multipart(bucket: Any, folder: str, fetch: Callable[..., Any]) -> None:
    """Parts and their completion by URLs."""
    key = folder + "部 分"
    upload_id = bucket.init_multipart_upload(key).upload_id
    etags = []
    for number, data in ((1, b"a" * PART), (2, b"b")):
        query = {"partNumber": str(number), "uploadId": upload_id}
        answer = fetch(bucket.sign_url("PUT", key, 60, params=query), "PUT", data)
        assert 200 == answer.status, answer.body
        etags.append(answer.headers["ETag"])
    parts = "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in enumerate(etags, 1)
    )
    target = bucket.sign_url("POST", key, 60, params={"uploadId": upload_id})
    answer = fetch(target, "POST", f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())

    assert 200 == answer.status, answer.body
    assert b"a" * PART + b"b" == bucket.get_object(key).read()


def test_callback(bucket: Any, folder: str, receiver: Any, callback_answer: Any) -> None:
    """Put and Complete call back with variables, and hand on the receiver's answer."""
    for name, upload in (
        ("中 put", lambda key, headers: bucket.put_object(key, CONTENT, headers=headers)),
        (
            "中 complete",
            lambda key, headers: bucket.complete_multipart_upload(
                key, *upload_parts(bucket, key), headers=headers
            ),
        ),
    ):
        url = receiver.make_url()
        result = upload(folder + name, make_headers(url, uid="张 三+1"))

        assert callback_answer == json.loads(result.resp.read())
        assert {
            "bucket": "demo-bucket",
            "object": folder + name,
            "size": str(len(CONTENT)),
            "uid": "张 三+1",
        } == receiver.take(url).form


@pytest.mark.parametrize("answer", ["refuse", "text"])
def test_callback_failure(bucket: Any, folder: str, receiver: Any, answer: str) -> None:
    """oss2 raises nothing for a failed callback: status 203 tells it, the object is there."""
    url = receiver.make_url(answer)
    put = bucket.put_object(folder + "put", b"hello", headers=make_headers(url))
    upload_id, parts = upload_parts(bucket, folder + "complete")
    completed = bucket.complete_multipart_upload(
        folder + "complete", upload_id, parts, headers=make_headers(receiver.make_url(answer))
    )

    assert 203 == put.status == completed.status
    assert b"<Code>CallbackFailed</Code>" in put.resp.read()
    assert b"<Code>CallbackFailed</Code>" in completed.resp.read()
    assert b"hello" == bucket.get_object(folder + "put").read()
    assert CONTENT == bucket.get_object(folder + "complete").read()


def test_presigned_callback(
    bucket: Any, folder: str, receiver: Any, fetch: Callable[..., Any], callback_answer: Any
) -> None:
    """A URL carries its callback in signed headers, or in the query."""
    url = receiver.make_url()
    headers = make_headers(url, uid="7")
    target = bucket.sign_url("PUT", folder + "a", 60, headers=dict(headers))
    by_headers = fetch(target, "PUT", b"hello", headers)
    second = receiver.make_url()
    query = {
        "callback": make_headers(second)["x-oss-callback"],
        "callback-var": encode({"x:uid": "8"}),
    }
    by_query = fetch(bucket.sign_url("PUT", folder + "b", 60, params=query), "PUT", b"hello")

    assert [callback_answer] * 2 == [json.loads(answer.body) for answer in (by_headers, by_query)]
    assert ["7", "8"] == [receiver.take(asked).form["uid"] for asked in (url, second)]
    assert 403 == fetch(target, "PUT", b"hello", make_headers(second)).status


def test_bucket_cors(emulator: Emulator, signing: Any, session: Any, folder: str, fetch: Any) -> None:
    """CORS rules are put, read, obeyed and deleted, on a bucket of the test's own."""
    own = make_bucket(emulator.url, signing, f"cors-{folder[:-1]}", session)
    own.create_bucket()
    rule = oss2.models.CorsRule(
        allowed_origins=["https://a.example"],
        allowed_methods=["PUT", "GET"],
        allowed_headers=["x-oss-*"],
        expose_headers=["ETag"],
        max_age_seconds=60,
    )
    own.put_bucket_cors(oss2.models.BucketCors([rule]))
    (found,) = own.get_bucket_cors().rules

    def preflight(origin: str) -> int:
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        return int(fetch(f"{emulator.url}/{own.bucket_name}/a", "OPTIONS", headers=asked).status)

    assert (["https://a.example"], ["PUT", "GET"], ["x-oss-*"], ["ETag"], 60) == (
        found.allowed_origins,
        found.allowed_methods,
        found.allowed_headers,
        found.expose_headers,
        found.max_age_seconds,
    )
    assert (200, 403) == (preflight("https://a.example"), preflight("https://b.example"))
    own.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        own.get_bucket_cors()
    assert 403 == preflight("https://a.example")
    own.delete_bucket()


def test_bucket(bucket: Any, folder: str) -> None:
    """What describes buckets and objects is read, changed where it can be, and parsed by the SDK."""
    info = bucket.get_bucket_info()
    assert ("demo-bucket", "private", "oss-cn-hangzhou") == (info.name, info.acl.grant, info.location)
    assert "private" == bucket.get_bucket_acl().acl
    assert "oss-cn-hangzhou" == bucket.get_bucket_location().location
    service = oss2.Service(bucket.auth, bucket.endpoint, session=bucket.session, region="cn-hangzhou")
    assert "demo-bucket" in [found.name for found in service.list_buckets().buckets]
    bucket.put_object(folder + "a", b"x")
    bucket.put_object_acl(folder + "a", oss2.OBJECT_ACL_PUBLIC_READ)
    assert "public-read" == bucket.get_object_acl(folder + "a").acl
    tags = oss2.models.TaggingRule()
    tags.add("k 键", "v+1")
    bucket.put_object_tagging(folder + "a", oss2.models.Tagging(tags))
    assert {"k 键": "v+1"} == bucket.get_object_tagging(folder + "a").tag_set.tagging_rule
    bucket.delete_object_tagging(folder + "a")
    assert bucket.get_bucket_stat().object_count > 0


def test_session_policy(emulator: Emulator, assume: Callable[..., Any], session: Any, folder: str) -> None:
    """Temporary keys do what their session policy allows; the refusal of the rest is raised as AccessDenied."""
    resource = f"acs:oss:*:*:demo-bucket/{folder}mine/*"
    keys = assume({"Effect": "Allow", "Action": "oss:PutObject", "Resource": resource})
    auth = oss2.StsAuth(keys.access_key_id, keys.access_key_secret, keys.token, auth_version="v4")
    bucket = oss2.Bucket(auth, emulator.url, "demo-bucket", region="cn-hangzhou", session=session)

    assert 200 == bucket.put_object(folder + "mine/a", b"x").status
    for act in (
        lambda: bucket.put_object(folder + "yours/a", b"x"),
        lambda: bucket.get_object(folder + "mine/a"),
        lambda: bucket.list_objects(folder),
    ):
        with pytest.raises(oss2.exceptions.AccessDenied) as denied:
            act()
        assert "0003-00000301" == denied.value.ec
    with pytest.raises(oss2.exceptions.ServerError) as unknown:
        bucket.head_object(folder + "mine/a")
    assert (403, "AccessDenied") == (unknown.value.status, unknown.value.code)


def test_wrong_secret_is_explained(emulator: Emulator, signing: Any, session: Any) -> None:
    """A wrong secret is told with the string that should have been signed."""
    keys = signing.keys.__class__(signing.keys.access_key_id, "wrong", signing.keys.token)
    bucket = make_bucket(emulator.url, signing.__class__(signing.version, keys), "demo-bucket", session)
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch) as refused:
        bucket.put_object("a", b"x")

    assert "/demo-bucket/a" in (
        refused.value.details["StringToSign"]
        if signing.version == "v1"
        else refused.value.details["CanonicalRequest"]
    )


@pytest.mark.usefixtures("local_names")
def test_host_of_its_own(emulator: Emulator, signing: Any, session: Any, folder: str) -> None:
    """A bucket is reached by its own domain as well, and by its name before the endpoint: the SDK signs as ever."""
    by_path = make_bucket(emulator.url, signing, "demo-bucket", session)
    port = urlsplit(emulator.url).port
    by_domain = oss2.Bucket(
        by_path.auth,
        f"http://cname.localhost:{port}",
        "demo-bucket",
        is_cname=True,
        region="cn-hangzhou",
        session=session,
    )
    by_domain.put_object(folder + "a b", b"hello")
    by_name = oss2.Bucket(
        by_path.auth, f"http://oss.localhost:{port}", "demo-bucket", region="cn-hangzhou", session=session
    )

    assert b"hello" == by_path.get_object(folder + "a b").read() == by_name.get_object(folder + "a b").read()
