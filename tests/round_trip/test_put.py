"""The way of one presigned PUT: what it takes, and what it refuses field by field."""

import json

import pytest

from signer.seal import METADATA_NAME

OTHERS = {
    "Content-Type": "text/html",
    "Content-Disposition": "inline",
    "x-oss-forbid-overwrite": "false",
    "x-oss-object-acl": "public-read",
    "x-oss-storage-class": "IA",
    METADATA_NAME: "AAAA",
    "x-oss-callback": "e30=",
}


@pytest.fixture
def put(world):
    """Send a file as a grant says; `headers` change what is sent, None leaves one out."""

    def send(grant, data=b"abc", *, url=None, headers=None):
        sent = {
            name: value for name, value in (grant["headers"] | (headers or {})).items() if value is not None
        }
        return world.http.request("PUT", url or grant["url"], body=data, headers=sent)

    return send


def ask(world, **wanted):
    return world.ask(via="put", size=3, content_type="image/jpeg", **wanted)


def test_put_arrives_as_a_form_does(world, put):
    """The answer is our reply, the ledger says uploaded and how, and the object is what was granted."""
    grant = ask(world, filename="照片 1.jpg")
    response = put(grant)
    reply = json.loads(response.data)
    upload = world.call("GET", f"/v1/uploads/{grant['upload_id']}").json

    assert (200, "OK", "uploaded") == (response.status, reply["Status"], reply["state"])
    assert ("uploaded", "put", 3) == (upload["state"], upload["via"], upload["size"])
    stored = world.fetch(upload["url"])
    assert (b"abc", "image/jpeg") == (stored.body, stored.headers["Content-Type"])
    assert "%E7%85%A7%E7%89%87" in stored.headers["Content-Disposition"]


def test_put_again_is_refused_by_the_bucket(world, put):
    """The same request a second time meets its own object."""
    grant = ask(world)
    assert 200 == put(grant).status

    again = put(grant)

    assert (409, True) == (again.status, b"FileAlreadyExists" in again.data)


@pytest.mark.parametrize("name", OTHERS)
def test_header_that_is_changed_or_left_out_breaks_the_signature(world, put, name):
    """Each header of the grant is bound, the callback among them; nothing is stored."""
    grant = ask(world)

    for value in (OTHERS[name], None):
        refused = put(grant, headers={name: value})
        assert (403, True) == (refused.status, b"SignatureDoesNotMatch" in refused.data)
    assert "object_missing" == world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm").error


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-oss-tagging", "a=b"), ("x-oss-meta-mine", "a"), ("Content-MD5", "kAFQmDzST7DWlj99KOF/cg==")],
)
def test_header_that_is_added_breaks_the_signature(world, put, name, value):
    """What OSS would sign cannot be added either."""
    refused = put(ask(world), headers={name: value})

    assert (403, True) == (refused.status, b"SignatureDoesNotMatch" in refused.data)


@pytest.mark.parametrize("data", [b"", b"ab", b"abcd"])
def test_other_length_breaks_the_signature(world, put, data):
    """V4 signs the length, so a PUT that promised three bytes takes three."""
    assert 403 == put(ask(world), data).status


def test_other_key_or_method_breaks_the_signature(world, put):
    """A URL is good for its object and its method."""
    grant = ask(world)

    assert 403 == put(grant, url=grant["url"].replace(".jpg?", ".png?")).status
    assert 403 == world.fetch(grant["url"]).status


def test_callback_in_the_url_arrives_as_well(make_world):
    """By the profile's choice; it cannot be taken out of the URL."""

    def choose(text):
        return text.replace("[profiles.photo]\n", '[profiles.photo]\nput_callback = "query"\n')

    with make_world(change=choose) as world:
        grant = ask(world)
        bare = grant["url"].replace("callback=", "x=", 1)
        assert 403 == world.http.request("PUT", bare, body=b"abc", headers=grant["headers"]).status
        response = world.http.request("PUT", grant["url"], body=b"abc", headers=grant["headers"])

        assert (200, "OK") == (response.status, json.loads(response.data)["Status"])


def test_v1_put_with_another_length_is_found_by_the_callback(make_world):
    """V1 cannot sign the length: the object is stored, the callback refuses it, and the upload stays issued."""

    def choose(text):
        return text.replace("[oss]\n", '[oss]\nsignature = "v1"\n')

    with make_world(change=choose) as world:
        grant = ask(world)
        response = world.http.request("PUT", grant["url"], body=b"abcd", headers=grant["headers"])
        assert 203 == response.status
        assert "issued" == world.call("GET", f"/v1/uploads/{grant['upload_id']}").json["state"]
        right = ask(world)
        response = world.http.request("PUT", right["url"], body=b"abc", headers=right["headers"])

        assert 200 == response.status
        assert "uploaded" == world.call("GET", f"/v1/uploads/{right['upload_id']}").json["state"]


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"size": None}, 422, "size_missing"),
        ({"size": -1}, 422, "size_invalid"),
        ({"size": 0}, 422, "size_under_limit"),
        ({"size": 10**12}, 413, "size_over_limit"),
        ({"content_type": "text/html"}, 415, "content_type_not_allowed"),
        ({"via": "ftp"}, 422, "field_invalid"),
        ({"part_size": 102400}, 422, "field_invalid"),
    ],
)
def test_refused_request_for_a_put(world, wanted, status, code):
    """Each by name, before anything is signed or recorded."""
    before = len(world.ledger.list_uploads(limit=1000))
    body = {"profile": "photo", "filename": "a.jpg", "via": "put", "size": 3} | wanted
    answer = world.call("POST", "/v1/uploads", body)

    assert (status, code, before) == (answer.status, answer.error, len(world.ledger.list_uploads(limit=1000)))


def test_signed_put_is_not_given_up(world, put):
    """What was signed stays good, so it keeps its place in the quota, and arrives as ever."""
    grant = ask(world)
    refused = world.call("DELETE", f"/v1/uploads/{grant['upload_id']}")

    assert (409, "grant_still_good") == (refused.status, refused.error)
    assert 200 == put(grant).status
    assert "uploaded" == world.call("GET", f"/v1/uploads/{grant['upload_id']}").json["state"]
