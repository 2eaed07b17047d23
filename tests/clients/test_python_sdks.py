"""Python's oss2 and alibabacloud-oss-v2, with credentials from the endpoints of mobile apps and of the SDKs themselves."""

import base64
import io
import json
import os
import warnings

import pytest
import urllib3

with warnings.catch_warnings():
    # The SDKs' own business.
    warnings.simplefilter("ignore")
    import alibabacloud_oss_v2 as oss_v2
    import oss2
    from alibabacloud_credentials.client import Client as ChainClient
    from alibabacloud_credentials.models import Config as ChainConfig

DATA = os.urandom(10_000)
LARGE = os.urandom(3_000_000)
PART_SIZE = 1024 * 1024
FACTS = {"profile": "file", "via": "sts", "state": "uploaded", "arrived_via": "callback"}


@pytest.fixture(scope="module")
def http():
    """A client for the application's own endpoints."""
    with urllib3.PoolManager(maxsize=8) as pool:
        yield pool


@pytest.fixture
def ask(demo, http):
    """Ask for credentials as an app does; with a grant for fresh ones."""
    return lambda grant="": http.request("GET", f"{demo.url}/sts", fields={"grant": grant}).json()


@pytest.fixture
def first(ask):
    """What an app is told at its start."""
    given = ask()
    assert given["StatusCode"] == 200
    return given


@pytest.fixture
def callback(first):
    """The callback as the SDKs send it."""
    return base64.b64encode(json.dumps(first["callbackParam"]).encode()).decode()


@pytest.fixture(params=[oss2.ProviderAuth, oss2.ProviderAuthV4], ids=["v1", "v4"])
def bucket(request, first, ask):
    """A bucket of oss2 that asks for fresh credentials before each request."""

    class Provider(oss2.credentials.CredentialsProvider):
        def get_credentials(self):
            given = ask(first["grant"])
            return oss2.credentials.Credentials(
                given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
            )

    session = oss2.Session()
    yield oss2.Bucket(
        request.param(Provider()),
        first["endpoint"],
        first["bucket"],
        region=first["region"],
        session=session,
    )
    session.session.close()


def test_oss2_puts_and_sees_the_reply(demo, first, bucket, callback):
    """Both signature versions; the reply is the body of the answer."""
    key = first["dir"] + "sea.png"
    put = bucket.put_object(key, DATA, headers={"x-oss-callback": callback})

    upload = demo.check(demo.find(key), DATA, dialect="sts_mobile", content_type="image/png", **FACTS)
    assert (200, upload.upload_id) == (put.status, json.loads(put.resp.read())["upload_id"])


def test_oss2_uploads_in_parts(demo, first, bucket, callback):
    """The callback goes with the completion."""
    key = first["dir"] + "film.bin"
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = [
        oss2.models.PartInfo(
            number, bucket.upload_part(key, upload_id, number, LARGE[begin : begin + PART_SIZE]).etag
        )
        for number, begin in enumerate(range(0, len(LARGE), PART_SIZE), start=1)
    ]
    done = bucket.complete_multipart_upload(key, upload_id, parts, headers={"x-oss-callback": callback})

    upload = demo.check(demo.find(key), LARGE, dialect="sts_mobile", **FACTS)
    assert upload.upload_id == json.loads(done.resp.read())["upload_id"]


def test_oss2_takes_a_failed_callback_for_a_success(demo, first, bucket, callback):
    """oss2 raises nothing; its status tells, and reconciliation finds the object."""
    key = first["dir"] + "lost.png"
    demo.play({"on": "callback", "action": "drop"})
    put = bucket.put_object(key, DATA, headers={"x-oss-callback": callback})

    assert 203 == put.status
    assert b"CallbackFailed" in put.resp.read()
    assert demo.find(key) is None
    demo.reconcile()
    demo.check(demo.find(key), DATA, **FACTS | {"arrived_via": "reconcile"})


def test_oss2_may_not_leave_its_prefix(first, bucket):
    """Another key, reading and deleting are not among what was granted."""
    with pytest.raises(oss2.exceptions.AccessDenied):
        bucket.put_object("elsewhere.png", DATA)
    with pytest.raises(oss2.exceptions.AccessDenied):
        bucket.delete_object(first["dir"] + "sea.png")


@pytest.fixture(params=["mobile", "uri"])
def client(request, demo, first, ask):
    """A client of alibabacloud-oss-v2, with credentials by hand, or by the official package from the credentials URI."""
    if request.param == "mobile":

        def give():
            given = ask(first["grant"])
            return oss_v2.credentials.Credentials(
                given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
            )
    else:
        uri = f"{demo.url}/credentials?grant={first['grant']}"
        chain = ChainClient(ChainConfig(type="credentials_uri", credentials_uri=uri))

        def give():
            given = chain.get_credential()
            return oss_v2.credentials.Credentials(
                given.access_key_id, given.access_key_secret, given.security_token
            )

    config = oss_v2.config.load_default()
    config.credentials_provider = oss_v2.credentials.CredentialsProviderFunc(give)
    config.region, config.endpoint = first["region"], first["endpoint"]
    return oss_v2.Client(config)


def test_v2_puts_and_sees_the_reply(demo, first, client, callback):
    """The reply is `callback_result`."""
    key = first["dir"] + "sea.png"
    put = client.put_object(oss_v2.PutObjectRequest(first["bucket"], key, body=DATA, callback=callback))

    upload = demo.check(demo.find(key), DATA, content_type="image/png", **FACTS)
    assert (200, upload.upload_id) == (put.status_code, json.loads(put.callback_result)["upload_id"])


def test_v2_uploads_in_parts(demo, first, client, callback):
    """The SDK's own uploader, three parts at once, completes with the callback."""
    key = first["dir"] + "film.bin"
    request = oss_v2.PutObjectRequest(first["bucket"], key, callback=callback)
    uploader = oss_v2.Uploader(client, part_size=PART_SIZE, parallel_num=3)
    uploader.upload_from(request, io.BytesIO(LARGE))

    demo.check(demo.find(key), LARGE, **FACTS)


def test_v2_takes_a_failed_callback_for_a_success(demo, first, client, callback):
    """The SDK raises nothing; its status tells, and reconciliation finds the object."""
    key = first["dir"] + "lost.png"
    demo.play({"on": "callback", "action": "drop"})
    put = client.put_object(oss_v2.PutObjectRequest(first["bucket"], key, body=DATA, callback=callback))

    assert 203 == put.status_code
    assert "CallbackFailed" in put.callback_result
    demo.reconcile()
    demo.check(demo.find(key), DATA, **FACTS | {"arrived_via": "reconcile"})


def test_v2_may_not_leave_its_prefix(first, client):
    """Another key is not among what was granted."""
    with pytest.raises(oss_v2.exceptions.OperationError) as refused:
        client.put_object(oss_v2.PutObjectRequest(first["bucket"], "elsewhere.png", body=DATA))

    assert (403, "AccessDenied") == (refused.value.unwrap().status_code, refused.value.unwrap().code)
