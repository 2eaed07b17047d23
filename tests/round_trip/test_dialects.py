"""Clients of other contracts, end to end: asked as they ask, posted as they post, called back, in the ledger."""

import json
from urllib.parse import quote

import pytest

DIALECTS = """
[dialects.presign]
profile = "photo"
[dialects.form]
profile = "photo"
[dialects.companion]
profile = "file"
"""


@pytest.fixture(scope="module")
def speaking(world_runner, tmp_path_factory):
    """A set-up with contracts switched on."""
    with world_runner(tmp_path_factory.mktemp("dialects"), change=lambda text: text + DIALECTS) as running:
        yield running


def test_presign_form_is_posted_as_it_is(speaking):
    """The fields of ``/presign`` go to the bucket as they are, and the ledger knows whose contract it was."""
    grant = speaking.call("GET", "/presign?filename=a.png&type=image/png").json
    answer = speaking.post(grant)
    upload = speaking.ledger.fetch_upload(grant["upload_id"])

    assert (200, "uploaded", "presign") == (answer.status, upload.state, upload.dialect)


def test_presign_put_is_sent_with_its_headers(speaking):
    """``via=put`` makes it a PUT with exactly these headers."""
    grant = speaking.call("POST", "/presign", {"filename": "a.png", "size": 3, "via": "put"}).json
    answer = speaking.http.request("PUT", grant["url"], body=b"abc", headers=grant["headers"])

    assert ("PUT", 200) == (grant["method"], answer.status)
    assert "uploaded" == speaking.ledger.fetch_upload(grant["upload_id"]).state


def test_form_components_post_data_to_action(speaking):
    """Element and Ant Design post ``data`` in its order to ``action``, the file last under ``file``."""
    form = speaking.call("GET", "/form?filename=a.png").json
    answer = speaking.post({"url": form["action"], "fields": form["data"]})

    assert (200, "uploaded") == (answer.status, answer.json["state"])


def companion_send(world, begun, number, data):
    """Send one part as Uppy does: ask for its URL, PUT it, read the ETag."""
    path = f"/s3/multipart/{quote(begun['uploadId'])}/{number}?key={quote(begun['key'], safe='')}"
    signed = world.call("GET", path)
    assert signed.status == 200, signed.body
    answer = world.http.request("PUT", signed.json["url"], body=data)
    assert answer.status == 200, answer.data
    return {"PartNumber": number, "ETag": answer.headers["ETag"]}


def test_companion_form_upload(speaking):
    """``/s3/params``: a form posted to a ``url`` with a slash at its end."""
    params = speaking.call(
        "GET", "/s3/params?filename=a.bin&type=application/octet-stream&metadata[x]=1"
    ).json
    answer = speaking.post(params, filename="a.bin", part_type="application/octet-stream")

    assert params["url"].endswith("/")
    assert (200, "uploaded") == (answer.status, answer.json["state"])


def test_companion_upload_in_parts(speaking):
    """Begin, two parts of the client's own size, list, complete; and the ledger has one upload of the whole."""
    begun = speaking.call(
        "POST", "/s3/multipart", {"filename": "a.bin", "type": "application/octet-stream"}
    ).json
    data = [b"a" * 200_000, b"b" * 5]
    parts = [companion_send(speaking, begun, number, part) for number, part in enumerate(data, 1)]
    one = f"/s3/multipart/{begun['uploadId']}"
    key = quote(begun["key"], safe="")
    listed = speaking.call("GET", f"{one}?key={key}").json
    completed = speaking.call("POST", f"{one}/complete?key={key}", {"parts": parts})
    upload = speaking.ledger.fetch_upload(begun["uploadId"])

    assert [(1, 200_000), (2, 5)] == [(part["PartNumber"], part["Size"]) for part in listed]
    assert (200, begun["key"]) == (completed.status, completed.json["key"])
    assert completed.json["location"].endswith(begun["key"])
    assert ("uploaded", 200_005, "companion") == (upload.state, upload.size, upload.dialect)


def test_companion_batch_and_abort(speaking):
    """Several URLs at once; then the upload is given up and its quota is free."""
    begun = speaking.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
    one, key = f"/s3/multipart/{begun['uploadId']}", quote(begun["key"], safe="")
    batch = speaking.call("GET", f"{one}/batch?key={key}&partNumbers=1,2,10000").json
    aborted = speaking.call("DELETE", f"{one}?key={key}")

    assert ["1", "2", "10000"] == list(batch["presignedUrls"])
    assert (200, {}) == (aborted.status, aborted.json)
    assert "aborted" == speaking.ledger.fetch_upload(begun["uploadId"]).state


def test_companion_judges_the_size_before_it_completes(make_world):
    """Parts of the client's own size may not add up to more than the profile takes."""
    change = lambda text: text.replace('max_size = "1GB"', 'max_size = "150KB"') + DIALECTS  # noqa: E731
    with make_world(change=change) as world:
        begun = world.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
        parts = [companion_send(world, begun, 1, b"a" * 200_000)]
        path = f"/s3/multipart/{begun['uploadId']}/complete?key={quote(begun['key'], safe='')}"
        refused = world.call("POST", path, {"parts": parts})

        assert (422, "parts_size_mismatch") == (refused.status, refused.json["code"])
        assert "issued" == world.ledger.fetch_upload(begun["uploadId"]).state


@pytest.mark.parametrize("key", ["other", ""])
def test_companion_key_and_id_belong_together(speaking, key):
    """The id of one upload with the key of another is no upload, and without a key it is a mistake."""
    begun = speaking.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
    answer = speaking.call("GET", f"/s3/multipart/{begun['uploadId']}/1?key={key}")

    assert (404 if key else 400) == answer.status
    assert answer.json["message"] == answer.json["error"]


def test_companion_explains_why_there_are_no_credentials(speaking):
    """Uppy would sign for Amazon's hosts."""
    answer = speaking.call("GET", "/s3/sts")

    assert (400, "sts_not_supported") == (answer.status, answer.json["code"])


def test_nothing_is_kept_on_the_way(speaking):
    """Whatever is signed is ``no-store``, with its length, and of the type it says."""
    for path in ("/presign?filename=a.png", "/form?filename=a.png", "/s3/params?filename=a.png", "/presign"):
        headers = speaking.call("GET", path).headers

        assert ("no-store", "nosniff") == (headers["Cache-Control"], headers["X-Content-Type-Options"])
        assert int(headers["Content-Length"]) > 0


def test_dialects_are_off_unless_named(world):
    """Without a table there is nothing at a contract's path."""
    for path in ("/presign", "/s3/params", "/sts", "/php/get.php", "/getToken"):
        answer = world.call("GET", path)

        assert (404, "not_found") == (answer.status, json.loads(answer.body)["error"]["code"])
