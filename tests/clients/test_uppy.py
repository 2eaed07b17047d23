"""Uppy 5 and Uppy 6 with their AwsS3 plugins, which take ossgate for their Companion."""

import json

import pytest

PAGES = ("uppy.html", "uppy-6.html")
MANY_PARTS = 60 * 1024 * 1024
PART_COUNT = 12
ONE_PART_FAILS = {
    "on": "request", "action": "status", "operation": "UploadPart", "status": 503, "nth": 3,
}  # fmt: skip


@pytest.fixture
def put_statuses(shop):
    """Write down how each part was answered."""
    found = []
    shop.page.on(
        "response", lambda answer: found.append(answer.status) if answer.request.method == "PUT" else None
    )
    return found


@pytest.mark.parametrize("page", PAGES)
def test_small_file_goes_as_a_form(shop, demo, make_file, page):
    """Stored, called back, and told by its key; the callback's reply is nothing that Uppy looks at."""
    file = make_file("sea.png")
    shop.open(page).choose(file)
    ((body,),) = shop.hear()

    facts = {"profile": "file", "dialect": "companion", "via": "post", "state": "uploaded"}
    upload = demo.check(demo.find(body["key"]), file.read_bytes(), **facts)
    assert ("callback", "image/png") == (upload.arrived_via, upload.content_type)


@pytest.mark.parametrize("page", PAGES)
def test_failed_callback_is_a_success(shop, demo, make_file, page):
    """Uppy takes 203 for any other success; the upload stays as issued until somebody asks."""
    demo.play({"on": "callback", "action": "drop", "operation": "PostObject"})
    file = make_file("sea.png")
    with shop.page.expect_response(lambda answer: answer.url.startswith(demo.emulator_url)) as answer:
        shop.open(page).choose(file)
    ((body,),) = shop.hear()

    assert 203 == answer.value.status
    upload = demo.check(demo.find(body["key"]), file.read_bytes(), state="issued")
    assert "uploaded" == demo.confirm(upload.upload_id)["state"]
    demo.check(demo.find(body["key"]), file.read_bytes(), state="uploaded", arrived_via="confirm")


@pytest.mark.parametrize("page", PAGES)
def test_refused_file_is_an_error(shop, demo, make_file, page):
    """What the bucket refuses is told as an error, and nothing is stored."""
    demo.play({"on": "request", "action": "status", "operation": "PostObject", "status": 403, "times": 9})
    shop.open(page).choose(make_file("sea.png"))
    ((word, message),) = shop.hear()

    assert "failed" == word
    assert message
    assert "issued" == demo.find_newest().state


@pytest.mark.parametrize("page", PAGES)
def test_large_file_goes_in_parts_of_which_one_fails(shop, demo, make_file, put_statuses, page):
    """One part of 60 MiB is refused once and sent again; the whole is joined, in the ledger and byte for byte on the disk."""
    demo.play(ONE_PART_FAILS)
    file = make_file("film.bin", MANY_PARTS)
    shop.open(page).choose(file)
    ((body,),) = shop.hear()

    assert (PART_COUNT, 1) == (put_statuses.count(200), put_statuses.count(503))
    facts = {"profile": "file", "dialect": "companion", "via": "multipart", "state": "uploaded"}
    upload = demo.check(demo.find_newest(), file.read_bytes(), **facts)
    assert body["location"].endswith(upload.object_key)
    # No callback is needed: we join the parts. Its reply is there for whoever asks.
    assert "complete" == upload.arrived_via
    assert json.loads(upload.reply) == demo.confirm(upload.upload_id)


def test_one_put_is_signed(shop, demo, make_file):
    """Uppy 6 with `signRequest`: one PUT under the key that the answer names, with the callback in its URL."""
    file = make_file("sea.png")
    shop.open("uppy-6-sign.html").choose(file)
    ((body,),) = shop.hear()

    facts = {"profile": "file", "dialect": "uppy_sign", "via": "put", "state": "uploaded"}
    upload = demo.check(demo.find(body["key"]), file.read_bytes(), **facts)
    assert ("callback", "image/png") == (upload.arrived_via, upload.content_type)


def test_each_request_of_an_upload_in_parts_is_signed(shop, demo, make_file, put_statuses):
    """Beginning, parts and completion; Uppy reads OSS's XML, so no callback's reply can take its place, and reconciliation finds the object."""
    demo.play(ONE_PART_FAILS)
    file = make_file("film.bin", MANY_PARTS)
    shop.open("uppy-6-sign.html").choose(file)
    ((body,),) = shop.hear()

    assert (PART_COUNT, 1) == (put_statuses.count(200), put_statuses.count(503))
    assert demo.find(body["key"]) is None
    demo.reconcile()
    facts = {"profile": "file", "state": "uploaded", "arrived_via": "reconcile"}
    demo.check(demo.find(body["key"]), file.read_bytes(), **facts)
