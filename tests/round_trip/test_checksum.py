"""A promised MD5: signed in a PUT, and held against whatever arrives."""

from base64 import b64encode
from hashlib import md5

import pytest

GOOD = {"md5": b64encode(md5(b"abc").digest()).decode()}


@pytest.fixture(scope="module", params=["v4", "v1"])
def checking(request, tmp_path_factory, world_runner):
    """A set-up for each signature version."""
    change = lambda text: text.replace("[oss]\n", f'[oss]\nsignature = "{request.param}"\n')  # noqa: E731
    with world_runner(tmp_path_factory.mktemp(request.param), change=change) as running:
        yield running


def confirm(world, grant):
    return world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")


def show(world, grant):
    return world.call("GET", f"/v1/uploads/{grant['upload_id']}").json


def put(world, grant, data=b"abc", **changes):
    headers = {name: value for name, value in (grant["headers"] | changes).items() if value is not None}
    return world.http.request("PUT", grant["url"], body=data, headers=headers)


def test_put_binds_the_digest(checking):
    """Left out or changed, the signature is broken; other bytes are refused by OSS, and nothing is stored."""
    grant = checking.ask(via="put", size=3, content_type="image/jpeg", checksum=GOOD)
    assert GOOD["md5"] == grant["headers"]["Content-MD5"]
    for value in (None, b64encode(md5(b"abd").digest()).decode()):
        refused = put(checking, grant, b"abd", **{"Content-MD5": value})
        assert (403, True) == (refused.status, b"SignatureDoesNotMatch" in refused.data)
    refused = put(checking, grant, b"abd")
    assert (400, True) == (refused.status, b"InvalidDigest" in refused.data)
    assert "object_missing" == confirm(checking, grant).error

    assert 200 == put(checking, grant).status
    assert "uploaded" == show(checking, grant)["state"]


def test_form_with_the_promised_bytes_arrives(checking):
    """No field of the form tells of it; ticket and seal do."""
    grant = checking.ask(content_type="image/jpeg", checksum=GOOD)
    assert not {"content-md5", "checksum"} & {name.lower() for name in grant["fields"]}

    assert 200 == checking.post(grant).status
    assert (show(checking, grant)["etag"], 200) == (
        md5(b"abc").hexdigest().upper(),
        confirm(checking, grant).status,
    )


def test_form_with_other_bytes_is_not_believed(checking):
    """Stored it is, since OSS knows nothing of the promise; neither callback nor confirm believe it."""
    grant = checking.ask(content_type="image/jpeg", checksum=GOOD)
    answer = checking.post(grant, b"abd")
    refused = confirm(checking, grant)

    assert (203, 409, "checksum_mismatch") == (answer.status, refused.status, refused.error)
    assert ("issued", None) == ((shown := show(checking, grant))["state"], shown["etag"])


def test_list_of_files_has_a_checksum_each(checking):
    """As each has its name."""
    files = [{"filename": "a.jpg", "checksum": GOOD}, {"filename": "b.jpg"}]
    answer = checking.call("POST", "/v1/uploads", {"profile": "photo", "files": files})
    first, second = answer.json["grants"]

    assert [203, 200] == [checking.post(grant, b"abd").status for grant in (first, second)]


@pytest.mark.parametrize("bucket", ["unasked", "silent"])
def test_claims_are_held_to_it_as_well(make_world, bucket):
    """Where the bucket is not asked, or does not answer, the callback's ETag is what there is."""

    def change(text):
        text = text.replace("allow_insecure = [", 'allow_insecure = ["unverified_bucket", ')
        return text.replace("[profiles.photo]\n", "[profiles.photo]\nverify_bucket = false\n")

    with make_world(change=change if bucket == "unasked" else str) as world:
        good, bad = (world.ask(content_type="image/jpeg", checksum=GOOD) for _ in range(2))
        if bucket == "silent":
            fault = {"on": "HeadObject", "action": "error", "status": 503, "times": 2}
            world.http.request("POST", f"{world.emulator.url}/_emulator/faults", json=fault)

        assert [200, 203] == [world.post(good).status, world.post(bad, b"abd").status]
        assert "issued" == show(world, bad)["state"]
