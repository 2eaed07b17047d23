"""ali-oss's browser build, by its recipe: temporary credentials below a `dir`, and the callback in the client's hands."""

import pytest

PART_COUNT = 3
SIZE = PART_COUNT * 1024 * 1024
SENT_AS_ONE = 90_000


@pytest.fixture
def hurry(shop):
    """Have the page ask for fresh credentials at every step, where it would by itself three times in an hour."""

    def answer(route):
        given = route.fetch()
        route.fulfill(response=given, json=given.json() | {"refreshAfter": 0.001})

    shop.page.route("**/ali-oss/sts/client", answer)


@pytest.fixture
def requests_sent(shop, demo):
    """Write down what goes to the bucket: method, the query's first name, and the token."""
    sent = []

    def note(request):
        if request.url.startswith(demo.emulator_url) and request.method != "OPTIONS":
            query = request.url.partition("?")[2].partition("=")[0]
            sent.append((request.method, query, request.headers["x-oss-security-token"]))

    shop.page.on("request", note)
    return sent


def test_credentials_change_in_the_middle_of_an_upload(shop, demo, make_file, hurry, requests_sent):
    """Parts and completion are signed with other tokens than the beginning, and the callback's reply is seen."""
    file = make_file("film.bin", SIZE)
    shop.open("ali-oss.html").choose(file)
    ((name, reply),) = shop.hear()

    steps = [(method, query) for method, query, _ in requests_sent]
    assert (("POST", "uploads"), ("POST", "uploadId")) == (steps[0], steps[-1])
    assert PART_COUNT == steps.count(("PUT", "partNumber"))
    first, *parts, last = (token for *_, token in requests_sent)
    assert 3 <= len({first, *parts, last})
    assert first != last

    facts = {"profile": "file", "dialect": "ali_oss", "via": "sts", "state": "uploaded"}
    upload = demo.check(demo.find(name), file.read_bytes(), **facts)
    assert ("OK", upload.upload_id, SIZE) == (reply["Status"], reply["upload_id"], reply["size"])
    assert "callback" == upload.arrived_via


def test_small_file_is_one_put(shop, demo, make_file, requests_sent):
    """Below 100 KB the SDK sends one PUT, with the callback on it."""
    file = make_file("sea.png", SENT_AS_ONE)
    shop.open("ali-oss.html").choose(file)
    ((name, reply),) = shop.hear()

    assert ["PUT"] == [method for method, *_ in requests_sent]
    upload = demo.check(demo.find(name), file.read_bytes(), dialect="ali_oss", state="uploaded")
    assert ("callback", upload.upload_id) == (upload.arrived_via, reply["upload_id"])


def test_failed_part_is_an_error_and_nothing_arrives(shop, demo, make_file):
    """The SDK gives up when a part is refused; without a completion there is no object and no upload."""
    demo.play({"on": "request", "action": "status", "operation": "UploadPart", "code": "AccessDenied"})
    shop.open("ali-oss.html").choose(make_file("broken.bin", SIZE))
    ((word, *_),) = shop.hear()

    assert "failed" == word
    demo.reconcile()
    assert demo.find_named("broken.bin") is None


@pytest.mark.parametrize("size", [SENT_AS_ONE, SIZE])
def test_failed_callback_is_an_error(shop, demo, make_file, size):
    """The SDK throws a 203 although the object is there; reconciliation finds it."""
    demo.play({"on": "callback", "action": "drop"})
    file = make_file(f"lost-{size}.bin", size)
    shop.open("ali-oss.html").choose(file)
    ((word, status, code, _),) = shop.hear()

    assert ("failed", 203, "CallbackFailed") == (word, status, code)
    demo.reconcile()
    facts = {"profile": "file", "state": "uploaded", "arrived_via": "reconcile"}
    demo.check(demo.find_named(file.name), file.read_bytes(), **facts)
