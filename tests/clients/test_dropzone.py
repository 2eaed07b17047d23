"""Dropzone, by its recipe: a grant for each file from `accept`, the form from `params`."""


def test_file_arrives_and_the_reply_is_seen(shop, demo, make_file):
    """Dropzone hands the callback's reply, read as JSON, to its event `success`."""
    file = make_file("sea.png")
    shop.open("dropzone.html").choose(file)
    ((status, reply, upload_id),) = shop.hear()

    facts = {"profile": "file", "dialect": "presign", "via": "post", "state": "uploaded"}
    upload = demo.check(demo.find(reply["object_key"]), file.read_bytes(), **facts)
    assert (200, "OK", upload.upload_id) == (status, reply["Status"], reply["upload_id"])
    assert ("callback", upload_id) == (upload.arrived_via, upload.upload_id)
    # The size was told, so no other would have been taken.
    assert (upload.size, upload.size) == (upload.size_min, upload.size_max)


def test_several_files_have_a_grant_each(shop, demo, make_file):
    """Three files dropped at once are three uploads."""
    files = [make_file(f"{number}.png") for number in range(3)]
    shop.open("dropzone.html").choose(*files)
    keys = {reply["object_key"] for _, reply, _ in shop.hear(3)}

    assert {file.read_bytes() for file in files} == {demo.read_stored(key) for key in keys}


def test_failed_callback_is_a_success_with_xml(shop, demo, make_file):
    """Dropzone calls `success` with OSS's XML; the status alone tells, and confirm settles it."""
    demo.play({"on": "callback", "action": "drop"})
    file = make_file("sea.png")
    shop.open("dropzone.html").choose(file)
    ((status, reply, upload_id),) = shop.hear()

    assert 203 == status
    assert "<Code>CallbackFailed</Code>" in reply
    demo.check(demo.find_newest(), file.read_bytes(), state="issued", upload_id=upload_id)
    assert "uploaded" == demo.confirm(upload_id)["state"]
    demo.check(demo.find_newest(), file.read_bytes(), state="uploaded", arrived_via="confirm")


def test_refusal_is_shown(shop, tmp_path):
    """What the profile does not take is refused in our words, before anything is sent to the bucket."""
    empty = tmp_path / "empty.bin"
    empty.touch()
    shop.open("dropzone.html").choose(empty)
    ((word, message),) = shop.hear()

    assert "failed" == word
    assert "empty" in message
