"""Clients that know no id: an upload below a `dir` is confirmed by its key, for whom the `dir` was granted to."""

import json

import oss2
import pytest

from ossgate.access import hash_api_key

SHOP, OTHER, OPERATOR = ("s" * 20, "o" * 20, "p" * 20)


def authorize(key):
    return {"Authorization": f"Bearer {key}"} if key else {}


@pytest.fixture(scope="module")
def shop(tmp_path_factory, world_runner):
    """A set-up whose files are for API keys, and its photographs for everybody; both grant a `dir`."""

    def change(text):
        keys = "".join(
            f'[access.api_keys.{name}]\nhash = "{hash_api_key(key)}"\noperator = {str(name == "boss").lower()}\n\n'
            for name, key in (("shop", SHOP), ("other", OTHER), ("boss", OPERATOR))
        )
        head, mark, tail = text.partition("[profiles.file]")
        tail = tail.replace('allow = ["anonymous"]', 'allow = ["api_key", "bearer"]', 1)
        head = head.replace("[profiles.photo]\n", '[profiles.photo]\nkey_prefix = "photos/"\n')
        head = head.replace('allow = ["anonymous"]', 'allow = ["anonymous", "api_key", "bearer"]')
        tail = tail.replace(
            "[dialects]\n",
            '[dialects]\nopen = { contract = "gulimall", paths = "/open", profile = "photo" }\n',
        )
        return head + keys + mark + tail

    with world_runner(tmp_path_factory.mktemp("shop"), change=change) as running:
        yield running


@pytest.fixture
def send(shop):
    """Have a form granted below a `dir`, without a callback, and post a file by it; its key is returned."""

    def post(path="/thirdparty/oss/policy", key=SHOP, name="a.jpg", *, store=True):
        granted = shop.call("GET", path, **authorize(key)).json["data"]
        fields = {
            "key": granted["dir"] + name,
            "policy": granted["policy"],
            "OSSAccessKeyId": granted["accessid"],
            "Signature": granted["signature"],
        }
        if store:
            assert 204 == shop.post({"url": granted["host"]}, fields=fields).status
        return fields["key"]

    return post


@pytest.fixture
def confirm(shop):
    return lambda object_key, key=SHOP, **more: shop.call(
        "POST", "/v1/confirm", {"object_key": object_key} | more, **authorize(key)
    )


def test_owner_is_answered_the_profiles_reply(shop, send, confirm):
    """Recorded once, for whom it was granted, and the same bytes again; the id that it has now is known from then on."""
    key = send()
    first, second = confirm(key), confirm(key)
    upload = shop.ledger.fetch_upload(first.json["upload_id"])

    assert (200, "uploaded", key) == (first.status, first.json["state"], first.json["object_key"])
    assert first.body == second.body
    assert ("api_key:shop", "shop", "confirm", 3) == (
        upload.issuer, upload.subject, upload.arrived_via, upload.size,
    )  # fmt: skip
    assert 200 == shop.call("GET", f"/v1/uploads/{upload.upload_id}", **authorize(SHOP)).status


@pytest.mark.parametrize("key", [OTHER, None, OPERATOR])
def test_nobody_else_is_told_of_an_object(shop, send, confirm, key):
    """Neither another backend nor a stranger; an operator not before it is recorded, since nothing tells whose it is."""
    object_key = send()
    before = confirm(object_key, key)
    reply = confirm(object_key)
    after = confirm(object_key, key)

    assert (404, "upload_unknown") == (before.status, before.error)
    assert ((200, reply.body) if key == OPERATOR else (404, after.body)) == (after.status, after.body)


def test_missing_object_is_told_to_its_owner_alone(send, confirm):
    """To others there is no such key at all."""
    object_key = send(store=False)

    assert [(409, "object_missing"), (404, "upload_unknown")] == [
        (answer.status, answer.error) for answer in (confirm(object_key), confirm(object_key, OTHER))
    ]


def test_open_dir_is_for_whoever_knows_the_key(send, confirm):
    """As an upload that was granted to nobody in particular is shown to who holds its id."""
    object_key = send("/open", None)

    assert 200 == confirm(object_key, None).status
    assert 200 == confirm(object_key, OTHER).status


def test_key_is_bound_to_its_dir(send, confirm):
    """Another grant's segment, another folder, a part of a key: no key of ours."""
    object_key = send()
    segment = object_key.split("/")[-2]
    forged = [
        object_key.replace(segment, segment[:-1] + ("A" if segment[-1] != "A" else "B")),
        object_key.replace("files/", "photos/"),
        object_key.rpartition("/")[0] + "/",
        object_key.rpartition("/")[0] + "/../a.jpg",
        "x/" + object_key,
        "a.jpg",
        "\x00",
    ]

    assert {(404, "upload_unknown")} == {(answer.status, answer.error) for answer in map(confirm, forged)}


def test_what_was_not_granted_is_not_believed(shop, send, confirm):
    """Size and type are judged as by the callback."""
    object_key = send("/open", None, "a.txt", store=False)
    auth = oss2.AuthV4("test-key-id", "test-key-secret")
    bucket = oss2.Bucket(auth, shop.emulator.url, "demo-bucket", region="cn-hangzhou", is_path_style=True)
    bucket.put_object(object_key, b"abc", headers={"Content-Type": "text/plain"})
    refused = confirm(object_key, None)

    assert (409, "bucket_disagrees") == (refused.status, refused.error)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_request"),
        (b"[]", 400, "bad_request"),
        ({}, 422, "field_invalid"),
        ({"object_key": None}, 422, "field_invalid"),
        ({"object_key": 1}, 422, "field_invalid"),
        ({"object_key": "k" * 1024}, 422, "field_invalid"),
        ({"object_key": "a", "upload_id": "b"}, 422, "field_invalid"),
    ],
)
def test_bad_input_is_refused(shop, body, status, code):
    """With a code that is documented."""
    answer = shop.call("POST", "/v1/confirm", body)

    assert (status, code) == (answer.status, answer.error)


def test_only_api_keys_name_a_subject(send, confirm):
    """As when they ask for a grant."""
    refused = confirm(send("/open", None), None, subject="alice")

    assert (422, "field_invalid") == (refused.status, refused.error)


def test_bearer_asks_for_its_own_person(shop, confirm):
    """A mobile client that was handed a bearer has no other words; another person's bearer, and one for another profile, are none here."""

    def make(subject, profile="file"):
        wanted = {"profile": profile, "subject": subject}
        return shop.call("POST", "/v1/bearers", wanted, **authorize(SHOP)).json["token"]

    alice, bob, elsewhere = make("alice"), make("bob"), make("alice", "photo")
    granted = shop.call("GET", f"/sts?token={alice}").json
    key = granted["dir"] + "a.txt"
    auth = oss2.StsAuth(granted["AccessKeyId"], granted["AccessKeySecret"], granted["SecurityToken"], "v4")
    bucket = oss2.Bucket(auth, shop.emulator.url, "demo-bucket", region="cn-hangzhou", is_path_style=True)
    bucket.put_object(key, b"abc", headers={"Content-Type": "text/plain"})
    asked = [
        shop.call("POST", f"/v1/confirm?token={token}", {"object_key": key}).status
        for token in (bob, elsewhere, alice)
    ]

    assert [404, 404, 200] == asked
    assert 200 == confirm(key, subject="alice").status


def test_seal_tells_what_the_key_does_not(shop):
    """Where the client sent one, variables and subject are the grant's own, whatever the asker names."""
    granted = shop.call(
        "POST", "/v1/credentials", {"profile": "file", "use": "prefix", "subject": "alice"}, **authorize(SHOP)
    ).json
    key = granted["key_prefix"] + "a.txt"
    given = granted["credentials"]
    auth = oss2.StsAuth(given["access_key_id"], given["access_key_secret"], given["security_token"], "v4")
    bucket = oss2.Bucket(
        auth, granted["endpoint"], granted["bucket"], region="cn-hangzhou", is_path_style=True
    )
    bucket.put_object(key, b"abc", headers=granted["headers"] | {"Content-Type": "text/plain"})
    assert 404 == shop.call("POST", "/v1/confirm", {"object_key": key}, **authorize(OTHER)).status
    answer = shop.call("POST", "/v1/confirm", {"object_key": key}, **authorize(SHOP))
    upload = shop.ledger.fetch_upload(json.loads(answer.body)["upload_id"])

    assert (200, "alice", "uploaded") == (answer.status, upload.subject, upload.state)
