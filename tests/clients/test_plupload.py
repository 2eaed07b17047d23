"""plupload with the V1 reply, as the page of Alibaba's first sample drives it."""

import json


def test_file_arrives_and_the_reply_is_seen(shop, demo, make_file):
    """The key below `dir` proves the grant; the callback's reply comes as text."""
    file = make_file("sea.png")
    shop.open("plupload.html").choose(file)
    ((status, text),) = shop.hear()

    reply = json.loads(text)
    assert (200, "OK") == (status, reply["Status"])
    facts = {"profile": "file", "dialect": "appserver_v1", "via": "post", "state": "uploaded"}
    upload = demo.check(demo.find(reply["object_key"]), file.read_bytes(), **facts)
    assert ("callback", "sea.png") == (upload.arrived_via, upload.file_name)


def test_failed_callback_is_a_success_with_xml(shop, demo, make_file):
    """The page is told the status, 203, and OSS's XML; the object is found by reconciliation, since the page knows no id."""
    demo.play({"on": "callback", "action": "drop"})
    file = make_file("lost.png")
    shop.open("plupload.html").choose(file)
    ((status, text),) = shop.hear()

    assert 203 == status
    assert "<Code>CallbackFailed</Code>" in text
    assert demo.find_named("lost.png") is None
    demo.reconcile()
    facts = {"profile": "file", "state": "uploaded", "arrived_via": "reconcile"}
    demo.check(demo.find_named("lost.png"), file.read_bytes(), **facts)


def test_refusal_is_an_error(shop, demo, make_file):
    """What the bucket refuses is an HTTP error with OSS's words."""
    demo.play({"on": "request", "action": "status", "operation": "PostObject", "code": "AccessDenied"})
    shop.open("plupload.html").choose(make_file("sea.png"))
    ((word, message, text),) = shop.hear()

    assert ("failed", "HTTP Error.") == (word, message)
    assert "<Code>AccessDenied</Code>" in text
