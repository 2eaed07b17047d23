"""Temporary credentials: what they can do and what not, with the official SDKs and the emulator's STS."""

import json
import re
from base64 import b64encode
from datetime import datetime, timedelta

import alibabacloud_oss_v2 as oss
import oss2
import pytest

from ossgate.access import hash_api_key
from signer.seal import METADATA_NAME

KEY = "k" * 20
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def issue(world):
    """Ask for credentials."""

    def ask(**wanted):
        answer = world.call("POST", "/v1/credentials", {"profile": "file"} | wanted)
        assert answer.status == 201, answer.body
        return answer.json

    return ask


def make_client(grant):
    """The official SDK of Python, set up with what the grant says and nothing else."""
    given = grant["credentials"]
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        given["access_key_id"], given["access_key_secret"], given["security_token"]
    )
    config.region, config.endpoint = grant["region"], grant["endpoint"]
    return oss.Client(config)


def put(grant, key=None, data=b"hello", *, callback=True, **changes):
    """Put an object as a well-meaning client does: the headers of the grant, and its callback."""
    headers = {name: value for name, value in (grant["headers"] | changes).items() if value is not None}
    fields = {
        "content_type": headers.pop("Content-Type", None),
        "content_disposition": headers.pop("Content-Disposition", None),
        "forbid_overwrite": "true" if headers.pop("x-oss-forbid-overwrite", None) else None,
        "storage_class": headers.pop("x-oss-storage-class", None),
        "metadata": {name.removeprefix("x-oss-meta-"): value for name, value in headers.items()} or None,
        "callback": grant["callback_param"] if callback else None,
    }
    request = oss.PutObjectRequest(
        bucket=grant["bucket"], key=key or grant["object_key"], body=data,
        **{name: value for name, value in fields.items() if value is not None},
    )  # fmt: skip
    return make_client(grant).put_object(request)


def test_grant_of_one_file_has_the_documented_shape(issue):
    """All that an SDK must be told."""
    grant = issue(filename="照片.txt", size=5)

    assert [
        "upload_id", "credentials", "bucket", "region", "endpoint", "host", "cname", "object_key", "headers",
        "callback", "callback_vars", "callback_param", "min_size", "max_size", "expires_at", "profile",
    ] == list(grant)  # fmt: skip
    assert ["access_key_id", "access_key_secret", "security_token", "expiration"] == list(
        grant["credentials"]
    )
    assert {"callbackUrl", "callbackBody", "callbackBodyType"} <= grant["callback"].keys()
    assert (
        grant["callback_param"]
        == b64encode(
            json.dumps(grant["callback"], separators=(",", ":"), ensure_ascii=False).encode()
        ).decode()
    )
    left = datetime.fromisoformat(grant["credentials"]["expiration"]) - datetime.now().astimezone()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_one_file_arrives_by_an_sdk(world, issue):
    """The callback is believed, the seal fits, the ledger says how it came."""
    grant = issue(filename="hello.txt", size=5)
    result = put(grant)
    upload = world.call("GET", f"/v1/uploads/{grant['upload_id']}").json

    assert ("uploaded", grant["object_key"]) == (
        (reply := json.loads(result.callback_result))["state"], reply["object_key"],
    )  # fmt: skip
    assert ("uploaded", "sts", 5, "text/plain") == (
        upload["state"], upload["via"], upload["size"], upload["content_type"],
    )  # fmt: skip


def test_one_file_arrives_by_the_older_sdk_in_parts(world, issue):
    """oss2, which cuts the file by itself, with the callback at completion."""
    grant = issue(filename="hello.bin", size=300_000, content_type="application/octet-stream")
    given = grant["credentials"]
    bucket = oss2.Bucket(
        oss2.StsAuth(given["access_key_id"], given["access_key_secret"], given["security_token"]),
        grant["endpoint"],
        grant["bucket"],
    )
    begun = bucket.init_multipart_upload(grant["object_key"], headers=grant["headers"]).upload_id
    data = b"x" * 299_995 + b"y" * 5
    parts = []
    for number, piece in enumerate((data[:150_000], data[150_000:]), start=1):
        etag = bucket.upload_part(grant["object_key"], begun, number, piece).etag
        parts.append(oss2.models.PartInfo(number, etag))
    result = bucket.complete_multipart_upload(
        grant["object_key"], begun, parts, headers={"x-oss-callback": grant["callback_param"]}
    )

    assert 200 == result.status
    assert "uploaded" == world.call("GET", f"/v1/uploads/{grant['upload_id']}").json["state"]


def test_file_without_callback_and_seal_is_settled_by_confirm(world, issue):
    """A client can leave out both; the key stands for the seal, and `confirm` for the callback."""
    grant = issue(filename="hello.txt", size=5)
    put(grant, callback=False, **{METADATA_NAME: None})
    assert "issued" == world.call("GET", f"/v1/uploads/{grant['upload_id']}").json["state"]

    confirmed = world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")

    assert (200, "uploaded") == (confirmed.status, confirmed.json["state"])


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (b"hello!", {}),
        (b"hello", {"Content-Type": "text/html"}),
        (b"hello", {METADATA_NAME: "AAAA"}),
    ],
    ids=["size", "type", "seal"],
)
def test_what_was_not_granted_is_stored_and_not_believed(world, issue, data, changes):
    """Another size, type or seal: no policy can forbid it, and neither callback nor confirm believes it."""
    grant = issue(filename="hello.txt", size=5)
    result = put(grant, data=data, **changes)
    confirmed = world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")

    assert 203 == result.status_code
    assert (409, "bucket_disagrees") == (confirmed.status, confirmed.error)


def test_credentials_do_one_thing(issue):
    """Another key, reading, listing and deleting are refused by the session policy."""
    grant = issue(filename="hello.txt", size=5)
    put(grant)
    client, bucket = make_client(grant), grant["bucket"]

    for act in (
        lambda: put(grant, key=grant["object_key"] + "x"),
        lambda: put(grant, key="photos/a.jpg"),
        lambda: client.get_object(oss.GetObjectRequest(bucket=bucket, key=grant["object_key"])),
        lambda: client.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=grant["object_key"])),
        lambda: client.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)),
    ):
        with pytest.raises(oss.exceptions.OperationError) as refusal:
            act()
        assert "AccessDenied" in str(refusal.value)


def test_prefix_takes_many_files_each_an_upload(world, issue):
    """Names of the client's own, odd ones too; each object becomes one row with an id of its own."""
    grant = issue()
    names = ["a.txt", "图/b c.txt", "q\"&=%+'.txt"]
    replies = [
        json.loads(put(grant, grant["key_prefix"] + name, **{"Content-Type": "text/plain"}).callback_result)
        for name in names
    ]

    assert grant["key_prefix"].endswith("/")
    assert f"/{grant['grant_id']}." in grant["key_prefix"]
    assert [grant["key_prefix"] + name for name in names] == [reply["object_key"] for reply in replies]
    uploads = [world.call("GET", f"/v1/uploads/{reply['upload_id']}").json for reply in replies]
    assert [("uploaded", "sts", "text/plain", 5)] * 3 == [
        (upload["state"], upload["via"], upload["content_type"], upload["size"]) for upload in uploads
    ]
    assert ["a.txt", "b c.txt", "q\"&=%+'.txt"] == [upload["file_name"] for upload in uploads]
    assert 3 == len({reply["upload_id"] for reply in replies})


def test_prefix_grant_makes_no_row_before_something_arrives(world, issue):
    """The ledger holds uploads, and a prefix is none."""
    before = len(world.ledger.list_uploads(limit=1000))
    issue()

    assert before == len(world.ledger.list_uploads(limit=1000))


def test_second_object_under_the_same_key_is_history(world, issue):
    """A client that overwrites its own file has one upload, whose history tells the other bytes."""
    grant = issue()
    key = grant["key_prefix"] + "a.txt"
    first = json.loads(put(grant, key, **{"Content-Type": "text/plain"}).callback_result)
    again = put(grant, key, b"other", **{"Content-Type": "text/plain", "x-oss-forbid-overwrite": None})
    claims = [change.claim for change in world.ledger.fetch_history(first["upload_id"])]

    assert 203 == again.status_code
    assert ["issued", "uploaded"] == claims[:2]
    assert claims[2].startswith("replaced:")


def test_file_below_a_prefix_without_a_seal_is_believed(issue):
    """The key itself proves the grant."""
    grant = issue()
    result = put(grant, grant["key_prefix"] + "a.txt", **{"Content-Type": "text/plain", METADATA_NAME: None})

    assert "uploaded" == json.loads(result.callback_result)["state"]


def test_ticket_of_one_prefix_is_not_good_below_another(issue):
    """Two grants of one profile: each proves its own."""
    mine, theirs = issue(), issue()
    result = put(mine | {"callback_param": theirs["callback_param"]}, mine["key_prefix"] + "a.txt")

    assert mine["key_prefix"] != theirs["key_prefix"]
    assert 203 == result.status_code


def test_prefix_credentials_end_at_their_prefix(issue):
    """Neither another prefix nor the prefix's own beginning."""
    grant = issue()

    for key in ("a.txt", grant["key_prefix"][:-2] + "x/a.txt", issue()["key_prefix"] + "a.txt"):
        with pytest.raises(oss.exceptions.OperationError, match="AccessDenied"):
            put(grant, key)


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"profile": "nothing"}, 404, "profile_unknown"),
        ({"profile": "photo", "filename": "a.jpg"}, 422, "via_not_allowed"),
        ({"profile": "photo"}, 422, "via_not_allowed"),
        ({"filename": ""}, 422, "filename_invalid"),
        ({"filename": "a", "size": 10**15}, 413, "size_over_limit"),
        ({"use": "all"}, 422, "field_invalid"),
        ({"subject": "u"}, 422, "field_invalid"),
        ({"vars": {"a": 1}}, 422, "vars_invalid"),
    ],
)
def test_refused_requests(world, wanted, status, code):
    """Each by name, before STS is asked."""
    answer = world.call("POST", "/v1/credentials", {"profile": "file"} | wanted)

    assert (status, code) == (answer.status, answer.error)


@pytest.mark.parametrize("body", [b"", b"[", b"[]"])
def test_body_that_is_no_object(world, body):
    """400."""
    answer = world.call("POST", "/v1/credentials", body)

    assert (400, "bad_request") == (answer.status, answer.error)


def change_to_keys(text):
    before, table, after = text.partition("[profiles.file]\n")
    key = f'[access.api_keys.app]\nhash = "{hash_api_key(KEY)}"\n\n'
    return before + key + table + after.replace('["anonymous"]', '["api_key"]', 1)


def test_same_person_gets_the_same_prefix_while_it_is_fresh(make_world):
    """A phone that asks before each file costs one call of STS in half an hour; another person gets another prefix."""
    with make_world(change=change_to_keys) as world:
        grants = [
            world.call("POST", "/v1/credentials", {"profile": "file", "subject": who}, **AUTHORIZED).json
            for who in ("ann", "ann", "bob")
        ]

        assert grants[0] == grants[1]
        assert grants[0]["key_prefix"] != grants[2]["key_prefix"]


def test_bytes_below_a_prefix_count_for_who_has_a_name(make_world):
    """Nothing is reserved for a prefix; what arrives is put on the account, and when that is full there is no other."""

    def change(text):
        head, table, rest = change_to_keys(text).partition("[profiles.file.quota]")
        return head + table + re.sub(r'bytes = ".*"', 'bytes = "5B"', rest, count=1)

    with make_world(change=change) as world:
        asked = {"profile": "file", "subject": "ann"}
        grant = world.call("POST", "/v1/credentials", asked, **AUTHORIZED).json
        reply = json.loads(put(grant, grant["key_prefix"] + "a.txt").callback_result)
        upload = world.ledger.fetch_upload(reply["upload_id"])

        assert ("api_key:app:ann", "ann", "uploaded") == (upload.quota_key, upload.subject, upload.state)
        refused = world.call("POST", "/v1/credentials", asked, **AUTHORIZED)
        assert (429, "quota_exceeded") == (refused.status, refused.error)
        assert refused.headers["Retry-After"]
        assert 201 == world.call("POST", "/v1/credentials", asked | {"subject": "bob"}, **AUTHORIZED).status


def test_sts_that_gives_none_is_told(make_world):
    """503, the reason in the log alone, and nothing recorded."""

    def choose(text):
        return text.replace("role/uploader", "role/uploader").replace("1234567890123456", "99")

    with make_world(change=choose) as world:
        for wanted in ({"filename": "a.txt"}, {}):
            answer = world.call("POST", "/v1/credentials", {"profile": "file"} | wanted)
            assert (503, "sts_unavailable") == (answer.status, answer.error)
            assert answer.headers["Retry-After"]
            assert b"acs:ram" not in answer.body
        assert [] == world.ledger.list_uploads()
