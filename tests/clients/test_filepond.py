"""FilePond, by its recipe: a `process` of one's own, whose id is the upload's."""


def test_file_arrives_under_its_upload_id(shop, demo, make_file):
    """The id that FilePond keeps of the file is the upload's."""
    file = make_file("sea.png")
    shop.open("filepond.html").choose(file)
    ((error, server_id),) = shop.hear()

    assert "" == error
    facts = {"profile": "file", "dialect": "presign", "via": "post", "state": "uploaded"}
    upload = demo.check(demo.find_newest(), file.read_bytes(), **facts)
    assert ("callback", server_id) == (upload.arrived_via, upload.upload_id)


def test_failed_callback_is_settled_by_the_recipe(shop, demo, make_file):
    """The recipe knows 203 and confirms at once, so FilePond never learns of it."""
    demo.play({"on": "callback", "action": "drop"})
    file = make_file("sea.png")
    shop.open("filepond.html").choose(file)
    ((error, server_id),) = shop.hear()

    assert "" == error
    facts = {"state": "uploaded", "arrived_via": "confirm", "upload_id": server_id}
    demo.check(demo.find_newest(), file.read_bytes(), **facts)


def test_refusal_is_shown(shop, demo, make_file):
    """What the bucket refuses is an error with OSS's words, and has no id."""
    demo.play({"on": "request", "action": "status", "operation": "PostObject", "code": "AccessDenied"})
    shop.open("filepond.html").choose(make_file("sea.png"))
    ((error, server_id),) = shop.hear()

    assert "<Code>AccessDenied</Code>" in error
    assert server_id is None
    assert "issued" == demo.find_newest().state
