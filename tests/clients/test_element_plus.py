"""Element Plus, by its recipe: a form for each file from `before-upload`, posted by the component itself."""


def test_file_arrives_and_the_reply_is_seen(shop, demo, make_file):
    """The component posts `data` in its order and the file last, and hands the reply to `on-success`."""
    file = make_file("sea.png")
    shop.open("element-plus.html").choose(file)
    ((reply,),) = shop.hear()

    facts = {"profile": "file", "dialect": "form", "via": "post", "state": "uploaded"}
    upload = demo.check(demo.find(reply["object_key"]), file.read_bytes(), **facts)
    assert ("callback", reply["upload_id"]) == (upload.arrived_via, upload.upload_id)
    # The size was told, so no other would have been taken.
    assert (upload.size, upload.size) == (upload.size_min, upload.size_max)


def test_several_files_have_a_form_each(shop, demo, make_file):
    """Files that are chosen together are posted with what was granted for each."""
    files = [make_file(f"{number}.png") for number in range(3)]
    shop.open("element-plus.html").choose(*files)
    keys = {reply["object_key"] for (reply,) in shop.hear(3)}

    assert {file.read_bytes() for file in files} == {demo.read_stored(key) for key in keys}


def test_refusal_is_shown(shop, demo, make_file):
    """What the bucket refuses is an error with OSS's words."""
    demo.play({"on": "request", "action": "status", "operation": "PostObject", "code": "AccessDenied"})
    shop.open("element-plus.html").choose(make_file("sea.png"))
    ((word, message),) = shop.hear()

    assert "failed" == word
    assert "<Code>AccessDenied</Code>" in message
    assert "issued" == demo.find_newest().state
