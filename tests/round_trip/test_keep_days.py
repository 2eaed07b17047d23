"""Objects that are to stay for some days: tagged where the protocol can, and known to the ledger by every way."""

from datetime import datetime, timedelta
from hashlib import md5

import oss2
import pytest


@pytest.fixture(scope="module", params=["v4", "v1"])
def keeping(request, tmp_path_factory, world_runner):
    """A set-up whose photographs stay for thirty days."""

    def change(text):
        for name in ("photo", "file"):
            text = text.replace(f"[profiles.{name}]\n", f"[profiles.{name}]\nkeep_days = 30\n")
        return text.replace("[oss]\n", f'[oss]\nsignature = "{request.param}"\n')

    with world_runner(tmp_path_factory.mktemp(request.param), change=change) as running:
        yield running


def read_tags(world, grant):
    auth = oss2.AuthV4("test-key-id", "test-key-secret")
    bucket = oss2.Bucket(auth, world.emulator.url, "demo-bucket", region="cn-hangzhou", is_path_style=True)
    return bucket.get_object_tagging(grant["object_key"]).tag_set.tagging_rule


def put(world, grant, **changes):
    headers = {name: value for name, value in (grant["headers"] | changes).items() if value is not None}
    return world.http.request("PUT", grant["url"], body=b"abc", headers=headers)


def check_end(world, grant):
    """The upload's JSON tells its end; nothing but an arrival makes one."""
    shown = world.call("GET", f"/v1/uploads/{grant['upload_id']}").json
    arrived, end = (datetime.fromisoformat(shown[name]) for name in ("uploaded_at", "keep_until"))
    assert timedelta(days=30) == end - arrived


def test_put_pins_the_tag(keeping):
    """Without it, or with another, the signature is broken; with it the object carries it."""
    grant = keeping.ask(via="put", size=3, content_type="image/jpeg")
    for value in (None, "ossgate-keep-days=31", "a=b"):
        assert 403 == put(keeping, grant, **{"x-oss-tagging": value}).status
    assert keeping.call("GET", f"/v1/uploads/{grant['upload_id']}").json["keep_until"] is None

    assert 200 == put(keeping, grant).status
    assert {"ossgate-keep-days": "30"} == read_tags(keeping, grant)
    check_end(keeping, grant)


def test_parts_are_begun_with_the_tag(keeping):
    """No client has a part in it; completed by us or by the client, the seal and the row agree."""
    for completion in (None, {"presign": True}):
        grant = keeping.ask(via="multipart", size=3, content_type="image/jpeg")
        (part,) = keeping.call("POST", grant["parts_url"], {"part_numbers": [1]}).json["parts"]
        assert 200 == keeping.http.request("PUT", part["url"], body=b"abc").status
        answer = keeping.call("POST", grant["complete_url"], completion)
        if completion:
            signed = answer.json
            answer = keeping.http.request("POST", signed["url"], headers=signed["headers"])
        assert 200 == answer.status
        assert {"ossgate-keep-days": "30"} == read_tags(keeping, grant)
        check_end(keeping, grant)


def test_form_carries_no_tag_and_ends_all_the_same(keeping):
    """PostObject has no tags; a field that a client adds does nothing."""
    grant = keeping.ask(content_type="image/jpeg")
    assert "x-oss-tagging" not in grant["fields"]

    assert 200 == keeping.post(grant, fields=grant["fields"] | {"x-oss-tagging": "a=b"}).status
    assert not read_tags(keeping, grant)
    check_end(keeping, grant)


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("use", ["once", "prefix"])
def test_credentials_end_all_the_same(keeping, use, sealed):
    """No tag is asked for, since nothing would make the client send it; seal, row and key tell the days."""
    file = {"filename": "a.txt", "size": 3} if use == "once" else {}
    grant = keeping.call("POST", "/v1/credentials", {"profile": "file", "use": use} | file).json
    given = grant["credentials"]
    auth = oss2.StsAuth(given["access_key_id"], given["access_key_secret"], given["security_token"], "v4")
    bucket = oss2.Bucket(auth, grant["endpoint"], "demo-bucket", region="cn-hangzhou", is_path_style=True)
    key = grant.get("object_key") or grant["key_prefix"] + "a.txt"
    assert "x-oss-tagging" not in grant["headers"]
    headers = {"Content-Type": "text/plain"} | (grant["headers"] if sealed else {})
    bucket.put_object(key, b"abc", headers=headers)
    path = f"/v1/uploads/{grant['upload_id']}/confirm" if use == "once" else "/v1/confirm"
    answer = keeping.call("POST", path, {"object_key": key} if use == "prefix" else None)

    assert 200 == answer.status, answer.body
    check_end(keeping, answer.json)


def test_reply_may_tell_the_end(make_world):
    """As a placeholder; nothing where objects stay for ever."""

    def change(text):
        reply = '[profiles.photo.reply]\nuntil = "{keep_until}"\n'
        return (
            text.replace("[profiles.photo.reply]\n", reply)
            .replace("[profiles.file.reply]\n", reply.replace("photo", "file"))
            .replace("[profiles.photo]\n", "[profiles.photo]\nkeep_days = 1\n")
        )

    with make_world(change=change) as world:
        photo, file = world.ask(content_type="image/jpeg"), world.ask(profile="file", filename="a.txt")
        told = world.post(photo).json["until"]

        assert told == world.call("GET", f"/v1/uploads/{photo['upload_id']}").json["keep_until"]
        assert world.post(file, part_type="text/plain").json["until"] is None


def test_stored_object_keeps_its_digest(keeping):
    """The tag changes nothing of what is stored."""
    grant = keeping.ask(via="put", size=3, content_type="image/jpeg")
    put(keeping, grant)
    shown = keeping.call("GET", f"/v1/uploads/{grant['upload_id']}").json

    assert md5(b"abc").hexdigest().upper() == shown["etag"]
