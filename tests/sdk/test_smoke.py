"""Both Python SDKs, unmodified, against the emulator: the ground that all else stands on."""

import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator import Emulator, EmulatorOptions

with warnings.catch_warnings():
    # The SDKs' own business.
    warnings.simplefilter("ignore")
    import alibabacloud_oss_v2 as oss_v2
    import oss2

KEYS = ["plain.txt", "dir a/键+1.txt", "a//b", "%41&?#", "😀'\"()*"]
FIRST, SECOND = b"a" * 102_400, b"b" * 10


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all SDKs."""
    options = EmulatorOptions(
        data_dir=tmp_path_factory.mktemp("sdk"),
        access_key_id="sdk-key-id",
        access_key_secret="sdk-key-secret",
    )
    with Emulator(options) as running:
        yield running


@pytest.fixture(params=[1, 4], ids=["v1", "v4"])
def bucket(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Any]:
    """A bucket of oss2, empty afterwards."""
    auth = (oss2.Auth if request.param == 1 else oss2.AuthV4)("sdk-key-id", "sdk-key-secret")
    session = oss2.Session()
    yield oss2.Bucket(auth, emulator.url, "demo-bucket", region="cn-hangzhou", session=session)
    session.session.close()


@pytest.fixture(params=["v1", "v4"])
def client(request: pytest.FixtureRequest, emulator: Emulator) -> Any:
    """A client of alibabacloud-oss-v2."""
    config = oss_v2.config.load_default()
    config.credentials_provider = oss_v2.credentials.StaticCredentialsProvider("sdk-key-id", "sdk-key-secret")
    config.region = "cn-hangzhou"
    config.endpoint = emulator.url
    config.signature_version = request.param
    return oss_v2.Client(config)


@pytest.mark.parametrize("key", KEYS)
def test_oss2_put_get_delete(bucket: Any, key: str) -> None:
    """What oss2 puts, it gets back; its CRC checks pass."""
    put = bucket.put_object(key, b"hello", headers={"x-oss-meta-a": "1"})
    got = bucket.get_object(key)

    assert (200, "5D41402ABC4B2A76B9719D911017C592") == (put.status, put.etag)
    assert b"hello" == got.read()
    assert "1" == bucket.head_object(key).headers["x-oss-meta-a"]
    assert 204 == bucket.delete_object(key).status
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.get_object(key)


def test_oss2_list(bucket: Any) -> None:
    """oss2 lists by both versions, page by page."""
    for key in KEYS:
        bucket.put_object(key, b"x")

    assert sorted(KEYS) == [entry.key for entry in oss2.ObjectIterator(bucket, max_keys=2)]
    assert sorted(KEYS) == [entry.key for entry in oss2.ObjectIteratorV2(bucket, max_keys=2)]
    rolled = bucket.list_objects_v2(delimiter="/")
    assert ["a/", "dir a/"] == rolled.prefix_list
    deleted = bucket.batch_delete_objects(KEYS).deleted_keys
    assert sorted(KEYS) == sorted(deleted)
    assert [] == list(oss2.ObjectIterator(bucket))


def test_oss2_multipart(bucket: Any) -> None:
    """oss2 uploads in parts and compares the CRC of the whole."""
    key = KEYS[1]
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = []
    for number, data in ((1, FIRST), (2, SECOND)):
        result = bucket.upload_part(key, upload_id, number, data)
        parts.append(oss2.models.PartInfo(number, result.etag, size=len(data), part_crc=result.crc))

    assert [1, 2] == [part.part_number for part in oss2.PartIterator(bucket, key, upload_id)]
    assert [upload_id] == [upload.upload_id for upload in oss2.MultipartUploadIterator(bucket)]
    assert bucket.complete_multipart_upload(key, upload_id, parts).etag.endswith("-2")
    assert FIRST + SECOND == bucket.get_object(key).read()
    bucket.delete_object(key)


def test_oss2_append_and_copy(bucket: Any) -> None:
    """oss2 appends with a running CRC, copies, and sees the copy."""
    first = bucket.append_object("log", 0, b"hello", init_crc=0)
    second = bucket.append_object("log", first.next_position, b" world", init_crc=first.crc)
    bucket.copy_object("demo-bucket", "log", "copy 键")

    assert 11 == second.next_position
    assert b"hello world" == bucket.get_object("copy 键").read()
    bucket.batch_delete_objects(["log", "copy 键"])


def test_oss2_bucket(bucket: Any) -> None:
    """oss2 reads what describes a bucket."""
    info = bucket.get_bucket_info()

    assert ("demo-bucket", "private", "oss-cn-hangzhou") == (info.name, info.acl.grant, info.location)
    assert "private" == bucket.get_bucket_acl().acl
    assert "oss-cn-hangzhou" == bucket.get_bucket_location().location
    rule = oss2.models.CorsRule(allowed_origins=["*"], allowed_methods=["PUT"], allowed_headers=["*"])
    bucket.put_bucket_cors(oss2.models.BucketCors([rule]))
    assert [["PUT"]] == [found.allowed_methods for found in bucket.get_bucket_cors().rules]
    bucket.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        bucket.get_bucket_cors()
    service = oss2.Service(bucket.auth, bucket.endpoint, session=bucket.session, region="cn-hangzhou")
    assert ["demo-bucket"] == [found.name for found in service.list_buckets().buckets]


@pytest.mark.parametrize("key", [key for key in KEYS if "//" not in key])
def test_v2_put_get_delete(client: Any, key: str) -> None:
    """What alibabacloud-oss-v2 puts, it gets back."""
    put = client.put_object(oss_v2.PutObjectRequest(bucket="demo-bucket", key=key, body=b"hello"))
    got = client.get_object(oss_v2.GetObjectRequest(bucket="demo-bucket", key=key))

    assert (200, '"5D41402ABC4B2A76B9719D911017C592"') == (put.status_code, put.etag)
    assert b"hello" == got.body.content
    got.body.close()
    assert 204 == client.delete_object(oss_v2.DeleteObjectRequest(bucket="demo-bucket", key=key)).status_code


def test_v2_list(client: Any) -> None:
    """alibabacloud-oss-v2 lists by both versions, and deletes several keys at once."""
    for key in KEYS:
        client.put_object(oss_v2.PutObjectRequest(bucket="demo-bucket", key=key, body=b"x"))
    request = oss_v2.ListObjectsV2Request(bucket="demo-bucket", max_keys=2)
    pages = list(client.list_objects_v2_paginator().iter_page(request))
    plain = client.list_objects(oss_v2.ListObjectsRequest(bucket="demo-bucket", delimiter="/"))

    assert sorted(KEYS) == [entry.key for page in pages for entry in page.contents or []]
    assert ["a/", "dir a/"] == [prefix.prefix for prefix in plain.common_prefixes]
    deleted = client.delete_multiple_objects(
        oss_v2.DeleteMultipleObjectsRequest(
            bucket="demo-bucket", objects=[oss_v2.DeleteObject(key=key) for key in KEYS]
        )
    )
    assert sorted(KEYS) == sorted(found.key for found in deleted.deleted_objects)


def test_v2_multipart(client: Any) -> None:
    """alibabacloud-oss-v2 uploads in parts, lists them and completes."""
    names = {"bucket": "demo-bucket", "key": KEYS[1]}
    upload_id = client.initiate_multipart_upload(oss_v2.InitiateMultipartUploadRequest(**names)).upload_id
    parts = []
    for number, data in ((1, FIRST), (2, SECOND)):
        result = client.upload_part(
            oss_v2.UploadPartRequest(**names, upload_id=upload_id, part_number=number, body=data)
        )
        parts.append(oss_v2.UploadPart(part_number=number, etag=result.etag))
    listed = client.list_parts(oss_v2.ListPartsRequest(**names, upload_id=upload_id))
    completed = client.complete_multipart_upload(
        oss_v2.CompleteMultipartUploadRequest(
            **names,
            upload_id=upload_id,
            complete_multipart_upload=oss_v2.CompleteMultipartUpload(parts=parts),
        )
    )
    got = client.get_object(oss_v2.GetObjectRequest(**names))

    assert [1, 2] == [part.part_number for part in listed.parts]
    assert (KEYS[1], True) == (completed.key, completed.etag.endswith('-2"'))
    assert FIRST + SECOND == got.body.content
    got.body.close()
    client.delete_object(oss_v2.DeleteObjectRequest(**names))


def test_v2_large_file_and_presigned(client: Any, tmp_path: Path) -> None:
    """Its uploader and downloader work in parts of their own, and its URLs open."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 4096)
    request = oss_v2.PutObjectRequest(bucket="demo-bucket", key="large")
    client.uploader(part_size=256 * 1024).upload_file(request, str(source))
    client.downloader(part_size=256 * 1024).download_file(
        oss_v2.GetObjectRequest(bucket="demo-bucket", key="large"), str(target)
    )

    presigned = client.presign(oss_v2.GetObjectRequest(bucket="demo-bucket", key="large"))

    assert source.read_bytes() == target.read_bytes()
    with urllib.request.urlopen(presigned.url) as answer:
        assert source.read_bytes() == answer.read()
    client.delete_object(oss_v2.DeleteObjectRequest(bucket="demo-bucket", key="large"))
