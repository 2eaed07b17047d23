"""The way of an upload in parts: signed on demand, listed, completed by us or by the client, given up."""

import json
from hashlib import md5

import pytest

from ossgate.access import hash_api_key

MIN = 100 * 1024
PARTS = [b"a" * MIN, b"b" * MIN, b"c" * 5]
SIZE = sum(map(len, PARTS))


class Upload:
    """One upload in parts, from the client's side."""

    def __init__(self, world, **wanted):
        self.world = world
        self.grant = world.ask(
            **(
                {
                    "profile": "file",
                    "filename": "长 film.mp4",
                    "via": "multipart",
                    "size": SIZE,
                    "part_size": MIN,
                }
                | wanted
            )
        )
        self.path = f"/v1/uploads/{self.grant['upload_id']}"

    def sign(self, *numbers):
        answer = self.world.call("POST", self.grant["parts_url"], {"part_numbers": list(numbers)})
        assert 200 == answer.status, answer.body
        return answer.json["parts"]

    def send(self, *numbers, **headers):
        """Sign and send parts."""
        for part in self.sign(*numbers):
            response = self.world.http.request(
                "PUT", part["url"], body=PARTS[part["part_number"] - 1], headers=part["headers"] | headers
            )
            assert 200 == response.status, response.data

    def list(self):
        return self.world.call("GET", self.grant["parts_url"])

    def complete(self, data=None):
        return self.world.call("POST", self.grant["complete_url"], data)

    def show(self):
        return self.world.call("GET", self.path).json


@pytest.fixture
def make_upload(world):
    return lambda **wanted: Upload(world, **wanted)


@pytest.fixture
def upload(make_upload):
    return make_upload()


def test_upload_in_parts_arrives(world, upload):
    """Signed, sent, completed: our reply, the ledger's row, and an object made of the parts as it was granted."""
    upload.send(1, 2, 3)
    answer = upload.complete()
    shown = upload.show()

    digest = md5("".join(md5(part).hexdigest().upper() for part in PARTS).encode()).hexdigest().upper()
    assert (200, "uploaded", SIZE, f"{digest}-3") == (
        answer.status, answer.json["state"], answer.json["size"], answer.json["etag"],
    )  # fmt: skip
    assert ("uploaded", "multipart", "video/mp4", SIZE) == (
        shown["state"], shown["via"], shown["content_type"], shown["size"],
    )  # fmt: skip
    stored = world.fetch(shown["url"])
    assert b"".join(PARTS) == stored.body
    assert "%E9%95%BF" in stored.headers["Content-Disposition"]
    assert ["issued", "uploaded"] == [one.claim for one in world.ledger.fetch_history(shown["upload_id"])]


def test_complete_again_answers_the_same_bytes(upload):
    """However often."""
    upload.send(1, 2, 3)
    first = upload.complete()

    assert [first.body] * 2 == [upload.complete().body, upload.complete({"parts": []}).body]
    assert first.body == upload.world.call("POST", upload.path + "/confirm").body


def test_upload_goes_on_after_a_pause(upload):
    """What the bucket holds is told; the rest is sent, and parts that are sent again replace themselves."""
    upload.send(2)
    listed = upload.list().json

    assert [(2, MIN)] == [(part["part_number"], part["size"]) for part in listed["parts"]]
    assert (MIN, 3, SIZE) == (listed["part_size"], listed["part_count"], listed["size"])
    upload.send(1, 2, 3)
    assert [1, 2, 3] == [part["part_number"] for part in upload.list().json["parts"]]
    assert 200 == upload.complete().status


def test_complete_with_the_etags_that_the_client_saw(upload):
    """The client's list, in any order."""
    upload.send(1, 2, 3)
    parts = [{"part_number": n, "etag": f'"{md5(PARTS[n - 1]).hexdigest()}"'} for n in (3, 1, 2)]

    assert 200 == upload.complete({"parts": parts}).status


def test_client_completes_by_a_presigned_request(world, upload):
    """OSS joins all parts and calls us back; its answer is ours."""
    upload.send(1, 2, 3)
    signed = upload.complete({"presign": True}).json
    response = world.http.request("POST", signed["url"], headers=signed["headers"])

    assert (200, "uploaded") == (response.status, json.loads(response.data)["state"])
    assert "uploaded" == upload.show()["state"]
    assert json.loads(response.data) == upload.complete().json


@pytest.mark.parametrize(
    "name", ["x-oss-callback", "x-oss-complete-all", "x-oss-forbid-overwrite", "x-oss-object-acl"]
)
def test_presigned_completion_binds_its_headers(world, upload, name):
    """None can be left out, the callback least of all; nothing is joined."""
    upload.send(1, 2, 3)
    signed = upload.complete({"presign": True}).json
    headers = {key: value for key, value in signed["headers"].items() if key != name}
    refused = world.http.request("POST", signed["url"], headers=headers)

    assert (403, True) == (refused.status, b"SignatureDoesNotMatch" in refused.data)
    assert 3 == len(upload.list().json["parts"])


def test_lost_callback_of_a_presigned_completion_is_settled(world, upload):
    """The object is there and nobody told us: to complete again settles it, and so does confirm."""
    upload.send(1, 2, 3)
    signed = upload.complete({"presign": True}).json
    world.http.request(
        "POST",
        world.emulator.url + "/_emulator/faults",
        json={"on": "callback", "action": "drop", "times": 1},
    )
    response = world.http.request("POST", signed["url"], headers=signed["headers"])

    assert 203 == response.status
    assert "issued" == upload.show()["state"]
    assert (200, "uploaded") == (upload.complete().status, upload.show()["state"])


def test_part_of_another_length_is_refused(world, upload):
    """V4 signs the length of each part."""
    part = upload.sign(3)[0]

    assert 5 == part["content_length"]
    for body in (b"c" * 4, b"c" * 6, b""):
        assert 403 == world.http.request("PUT", part["url"], body=body).status
    assert [] == upload.list().json["parts"]


@pytest.mark.parametrize(
    ("old", "new"), [("partNumber=1", "partNumber=2"), ("uploadId=", "uploadId=A"), (".mp4?", ".mp3?")]
)
def test_part_url_is_good_for_its_part_alone(world, upload, old, new):
    """Number, upload and key are signed."""
    part = upload.sign(1)[0]
    assert old in part["url"]

    assert 403 == world.http.request("PUT", part["url"].replace(old, new), body=PARTS[0]).status


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([0], "part_number_invalid"),
        ([4], "part_number_invalid"),
        ([10_001], "part_number_invalid"),
        ([-1], "part_number_invalid"),
        (["1"], "part_number_invalid"),
        ([], "too_many_parts"),
        ([1] * 101, "too_many_parts"),
        ("1", "field_invalid"),
        (None, "field_invalid"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refused_part_numbers(world, upload, numbers, code):
    """Each by name, with 422."""
    answer = world.call("POST", upload.grant["parts_url"], {"part_numbers": numbers})

    assert (422, code) == (answer.status, answer.error)


@pytest.mark.parametrize("body", [b"", b"[", b"[1]", b"null", b"[" * 50_000])
def test_body_that_is_no_object(world, upload, body):
    """400 where an object is needed; an empty completion is one, and asks for all."""
    assert (400, "bad_request") == (
        (answer := world.call("POST", upload.grant["parts_url"], body)).status, answer.error,
    )  # fmt: skip
    answer = world.call("POST", upload.grant["complete_url"], body)
    assert ((400, "bad_request") if body else (422, "parts_missing")) == (answer.status, answer.error)


def test_refused_completions(upload):
    """Without parts, with parts that are not there, and with too few bytes: 422 each, and the upload stays open."""
    assert (422, "parts_missing") == ((answer := upload.complete()).status, answer.error)
    upload.send(1)
    for data, code in (
        (None, "parts_size_mismatch"),
        ({"presign": True}, "parts_size_mismatch"),
        ({"parts": []}, "parts_missing"),
        ({"parts": [{"part_number": 2, "etag": "AB"}]}, "parts_mismatch"),
        ({"parts": [{"part_number": 1, "etag": "AB"}]}, "parts_mismatch"),
        ({"parts": [{"part_number": 10_001, "etag": "AB"}]}, "part_number_invalid"),
        ({"parts": 1}, "field_invalid"),
        ({"all": True}, "field_invalid"),
    ):
        answer = upload.complete(data)
        assert (422, code) == (answer.status, answer.error)
    upload.send(2, 3)
    assert 200 == upload.complete().status


def test_finished_upload_has_no_parts(world, upload):
    """Signing and listing are over, and it cannot be given up."""
    upload.send(1, 2, 3)
    assert 200 == upload.complete().status

    for answer in (
        world.call("POST", upload.grant["parts_url"], {"part_numbers": [1]}),
        upload.list(),
        world.call("DELETE", upload.path),
        upload.complete({"presign": True}),
    ):
        assert (409, "upload_arrived") == (answer.status, answer.error)
    assert "uploaded" == upload.show()["state"]


def test_aborted_upload_has_no_parts(world, upload):
    """Its parts are gone from the bucket, and to abort it again changes nothing."""
    upload.send(1)
    part = upload.sign(2)[0]
    assert ["aborted"] * 2 == [world.call("DELETE", upload.path).json["state"] for _ in range(2)]

    for answer in (
        world.call("POST", upload.grant["parts_url"], {"part_numbers": [1]}),
        upload.list(),
        upload.complete(),
    ):
        assert (409, "upload_closed") == (answer.status, answer.error)
    assert 404 == world.http.request("PUT", part["url"], body=PARTS[1]).status
    assert ["issued", "aborted"] == [
        one.claim for one in world.ledger.fetch_history(upload.grant["upload_id"])
    ]


def test_form_has_no_parts(world):
    """Parts of an upload that was granted as a form."""
    path = f"/v1/uploads/{world.ask()['upload_id']}"

    for answer in (
        world.call("POST", path + "/parts", {"part_numbers": [1]}),
        world.call("GET", path + "/parts"),
        world.call("POST", path + "/complete"),
    ):
        assert (409, "not_multipart") == (answer.status, answer.error)


@pytest.mark.parametrize("upload_id", ["01KDYBB5M8000000000000TEST", "x", "0" * 26])
def test_unknown_upload(world, upload_id):
    """404 for every route, whether the id could exist or not."""
    path = f"/v1/uploads/{upload_id}"

    for method, address in (("POST", "/parts"), ("GET", "/parts"), ("POST", "/complete"), ("DELETE", "")):
        answer = world.call(method, path + address, {"part_numbers": [1]} if address == "/parts" else None)
        assert (404, "upload_unknown") == (answer.status, answer.error)


def test_upload_of_somebody_else_is_unknown(make_world):
    """Another caller's upload looks as one that does not exist, and stays untouched."""

    def add_keys(text):
        keys = "".join(
            f'[access.api_keys.{name}]\nhash = "{hash_api_key(name * 10)}"\n' for name in ("one", "two")
        )
        before, table, after = text.partition("[profiles.file]\n")
        return before + keys + table + after.replace('["anonymous"]', '["api_key"]', 1)

    with make_world(change=add_keys) as world:
        mine, theirs = ({"Authorization": f"Bearer {name * 10}"} for name in ("one", "two"))
        asked = {"profile": "file", "filename": "a.mp4", "via": "multipart", "size": SIZE}
        grant = world.call("POST", "/v1/uploads", asked, **mine).json
        path = f"/v1/uploads/{grant['upload_id']}"
        for method, address in (("POST", "/parts"), ("GET", "/parts"), ("POST", "/complete"), ("DELETE", "")):
            answer = world.call(method, path + address, None, **theirs)
            assert (404, "upload_unknown") == (answer.status, answer.error)

        assert 200 == world.call("GET", path + "/parts", **mine).status


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"size": None}, 422, "size_missing"),
        ({"size": 10**15}, 413, "size_over_limit"),
        ({"part_size": MIN - 1}, 422, "part_size_invalid"),
        ({"part_size": "8MB"}, 422, "field_invalid"),
        ({"part_size": True}, 422, "field_invalid"),
    ],
)
def test_refused_request_begins_nothing(world, wanted, status, code):
    """The bucket is not asked, the ledger unchanged."""
    before = len(world.ledger.list_uploads(limit=1000))
    body = {"profile": "file", "filename": "a.mp4", "via": "multipart", "size": SIZE} | wanted
    answer = world.call("POST", "/v1/uploads", body)

    assert (status, code, before) == (answer.status, answer.error, len(world.ledger.list_uploads(limit=1000)))


def test_too_many_uploads_in_parts_at_once(world):
    """Each is begun in the bucket while the client waits."""
    files = [{"filename": "a.mp4", "size": SIZE}] * 21
    answer = world.call("POST", "/v1/uploads", {"profile": "file", "via": "multipart", "files": files})

    assert (422, "field_invalid") == (answer.status, answer.error)


def test_quota_is_reserved_and_freed(make_world):
    """An upload in parts counts as promised, and to give it up makes room."""

    def choose(text):
        return text.replace('pending_uploads = 200\nbytes = "200GB"', 'pending_uploads = 1\nbytes = "200GB"')

    with make_world(change=choose) as world:
        upload = Upload(world)
        asked = {"profile": "file", "filename": "a.mp4", "via": "multipart", "size": SIZE}
        assert "quota_exceeded" == world.call("POST", "/v1/uploads", asked).error
        assert 200 == world.call("DELETE", upload.path).status

        assert 201 == world.call("POST", "/v1/uploads", asked).status


def test_v1_parts_arrive_as_well(make_world):
    """Old buckets take parts signed with V1; a part too long is found when the upload is completed."""

    def choose(text):
        return text.replace("[oss]\n", '[oss]\nsignature = "v1"\n')

    with make_world(change=choose) as world:
        upload = Upload(world)
        upload.send(1, 2, 3)
        longer = upload.sign(3)[0]
        assert 200 == world.http.request("PUT", longer["url"], body=b"c" * 6).status
        assert "parts_size_mismatch" == upload.complete().error
        upload.send(3)

        assert 200 == upload.complete().status


def test_page_of_a_bucket_that_is_away(make_world):
    """Without the bucket nothing is begun, and the client is told to ask again."""
    with make_world() as world:
        upload = Upload(world)
        world.emulator.stop()
        asked = {"profile": "file", "filename": "a.mp4", "via": "multipart", "size": SIZE}
        for answer in (
            world.call("POST", "/v1/uploads", asked),
            upload.list(),
            upload.complete(),
            world.call("DELETE", upload.path),
        ):
            assert (503, "bucket_unavailable") == (answer.status, answer.error)
            assert answer.headers["Retry-After"]
        assert "issued" == upload.show()["state"]
