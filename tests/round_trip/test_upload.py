"""Grant, form post, callback, ledger: the way of an upload with every part real but Alibaba's."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from ossgate.access.keys import hash_api_key, new_api_key

NAMES = [
    "a.jpg",
    "夏の写真.JPG",
    "👨‍👩‍👧 family.jpeg",
    "עברית.jpg",
    "a\"b'c$;{}.jpg",
    "x" * 200 + ".jpg",
    "../../etc/passwd.jpg",
]


def test_upload_is_believed_and_recorded(world):
    """The whole way: granted, stored, called back, confirmed by the bucket, recorded, linked."""
    grant = world.ask(size=3)
    answer = world.post(grant)

    upload = world.ledger.fetch_upload(grant["upload_id"])
    assert (200, "uploaded", 3) == (answer.status, answer.json["state"], answer.json["size"])
    assert ("uploaded", 3, "callback", grant["object_key"]) == (
        upload.state, upload.size, upload.arrived_via, upload.object_key,
    )  # fmt: skip
    assert b"abc" == world.fetch(answer.json["url"]).body


@pytest.mark.parametrize("name", NAMES)
def test_upload_keeps_names_in_any_script(world, name):
    """A name travels to the ledger and to the download, whatever its script."""
    grant = world.ask(filename=name)
    answer = world.post(grant)
    shown = world.call("GET", f"/v1/uploads/{grant['upload_id']}").json
    disposition = world.fetch(shown["url"]).headers["Content-Disposition"]

    expected = name.rpartition("/")[2]
    assert (200, expected) == (answer.status, shown["file_name"])
    given = unquote(disposition.rpartition("UTF-8''")[2]) if "UTF-8''" in disposition else disposition
    assert expected in given


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_upload_works_with_both_signatures(make_world, version):
    """V1 and V4 forms of the same settings are both believed."""
    change = lambda text: text.replace("[oss]\n", f'[oss]\nsignature = "{version}"\n')  # noqa: E731
    with make_world(change=change) as world:
        grant = world.ask()

        assert ("Signature" in grant["fields"]) == (version == "v1")
        assert (200, "uploaded") == ((answer := world.post(grant)).status, answer.json["state"])


def test_upload_with_a_form_callback_body(make_world):
    """The callback body may be a form; then the same three layers read it."""
    change = lambda text: text.replace("[callback]\n", '[callback]\nbody_type = "form"\n')  # noqa: E731
    with make_world(change=change) as world:
        grant = world.ask(filename="图 a+b.jpg")

        assert (200, "uploaded") == ((answer := world.post(grant)).status, answer.json["state"])


def test_upload_through_a_callback_path_with_a_query(make_world):
    """Any path and query below /callback may be used; both are inside what OSS signs."""
    change = lambda text: text.replace('/callback"]', '/callback/eu%20west/x?node=1&b=%2F"]')  # noqa: E731
    with make_world(change=change) as world:
        assert 200 == world.post(world.ask()).status


def test_list_of_grants_is_issued_together(world):
    """Several files in one request: each gets its grant, in order, with its own key."""
    answer = world.call(
        "POST", "/v1/uploads", {"profile": "photo", "files": [{"filename": f"{n}.png"} for n in range(5)]}
    )
    grants = answer.json["grants"]

    assert 201 == answer.status
    assert 5 == len({grant["object_key"] for grant in grants})
    assert [200] * 5 == [world.post(grant).status for grant in grants]


def test_list_of_grants_is_all_or_none(world):
    """One file that may not be granted refuses the request whole."""
    before = len(world.ledger.list_uploads(limit=500))
    answer = world.call(
        "POST", "/v1/uploads", {"profile": "photo", "files": [{"filename": "a.png"}, {"filename": "a.exe"}]}
    )

    assert (415, before) == (answer.status, len(world.ledger.list_uploads(limit=500)))


def test_failed_callback_is_settled_by_confirm(world):
    """203: the object is stored and nobody was told; asking the bucket settles it."""
    world.call_fault = world.http.request(
        "POST",
        world.emulator.url + "/_emulator/faults",
        json={"on": "callback", "action": "drop", "times": 1},
    )
    grant = world.ask()
    answer = world.post(grant)
    state = world.ledger.fetch_upload(grant["upload_id"]).state
    confirmed = world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")

    assert (203, "issued") == (answer.status, state)
    assert b"CallbackFailed" in answer.body
    assert (200, "uploaded") == (confirmed.status, confirmed.json["state"])
    assert confirmed.body == world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm").body


def test_confirm_before_anything_arrived(world):
    """Nothing is there: 409 with the way out, and the upload stays issued."""
    grant = world.ask()
    answer = world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")

    assert (409, "object_missing") == (answer.status, answer.error)
    assert "issued" == world.ledger.fetch_upload(grant["upload_id"]).state


def test_second_post_of_a_form_is_refused_by_the_bucket(world):
    """A form works once: its key is exact and overwriting is forbidden."""
    grant = world.ask()

    assert [200, 409] == [world.post(grant).status, world.post(grant, b"other bytes").status]
    assert b"abc" == world.fetch(world.call("GET", f"/v1/uploads/{grant['upload_id']}").json["url"]).body


@pytest.mark.parametrize(("size", "data"), [(3, b"abcd"), (3, b"ab"), (3, b"")])
def test_told_size_is_the_size(world, size, data):
    """When the client told a size, the bucket takes no other."""
    grant = world.ask(size=size)

    assert 400 == world.post(grant, data).status


def test_hundred_uploads_at_once(world):
    """A hundred uploads that each wait for their callback, which asks the bucket, all end uploaded."""
    with ThreadPoolExecutor(100) as pool:
        grants = list(pool.map(lambda n: world.ask(filename=f"{n}.jpg"), range(100)))
        answers = list(pool.map(world.post, grants))

    assert {200} == {answer.status for answer in answers}
    states = [world.ledger.fetch_upload(grant["upload_id"]).state for grant in grants]
    # On a slow machine a HEAD may take more than its second; were threads used up by waiting, nearly all would.
    assert states.count("uploaded") > 50
    for grant, state in zip(grants, states, strict=True):
        if state != "uploaded":
            assert "unconfirmed" == state
            assert 200 == world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm").status
    assert {"uploaded"} == {world.ledger.fetch_upload(grant["upload_id"]).state for grant in grants}


def test_image_size_reaches_the_reply(world):
    """OSS measures an image, and the callback's numbers stand in the reply."""
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000030000000208020000001216f14d"
        "0000001049444154789c63f8cfc0f01f8c8100001bf501fe6fd4a9900000000049454e44ae426082"
    )
    answer = world.post(world.ask(filename="a.png"), png, part_type="image/png")

    assert (3, 2) == (answer.json["width"], answer.json["height"])


def test_quota_of_an_address_holds_until_uploads_arrive(make_world):
    """Pending uploads are bounded per address; an arrival makes room."""
    change = lambda text: text.replace("pending_uploads = 200", "pending_uploads = 2")  # noqa: E731
    with make_world(change=change) as world:
        grants = [world.ask(), world.ask()]
        refused = world.call("POST", "/v1/uploads", {"profile": "photo", "filename": "a.jpg"})
        world.post(grants[0])

        assert (429, "quota_exceeded") == (refused.status, refused.error)
        assert "Retry-After" in refused.headers
        assert world.ask()["upload_id"]


def test_api_key_uploads_are_its_own(make_world):
    """A backend names its user; its uploads are hidden from everybody else."""
    key, other, operator = new_api_key(), new_api_key(), new_api_key()

    def change(text):
        keys = "".join(
            f'[access.api_keys.{name}]\nhash = "{hash_api_key(one)}"\noperator = {flag}\n'
            for name, one, flag in [("a", key, "false"), ("b", other, "false"), ("o", operator, "true")]
        )
        return text.replace('allow = ["anonymous"]', 'allow = ["api_key"]') + keys

    with make_world(change=change) as world:
        body = {"profile": "photo", "filename": "a.jpg", "subject": "user/42 ü"}
        refused = world.call("POST", "/v1/uploads", body)
        grant = world.call("POST", "/v1/uploads", body, Authorization=f"Bearer {key}").json
        path = f"/v1/uploads/{grant['upload_id']}"
        statuses = [
            world.call("GET", path, **headers).status
            for headers in (
                {},
                {"Authorization": f"Bearer {key}"},
                {"Authorization": f"Bearer {other}"},
                {"Authorization": f"Bearer {operator}"},
            )
        ]

        assert (401, "credentials_missing") == (refused.status, refused.error)
        assert [404, 200, 404, 200] == statuses
        assert 200 == world.post(grant).status
        assert "user/42 ü" == world.ledger.fetch_upload(grant["upload_id"]).subject
        assert 404 == world.call("POST", path + "/confirm").status


def test_variables_travel_inside_the_ticket(make_world):
    """Declared variables come back in the reply and the ledger with their types."""

    def change(text):
        return (
            text.replace(
                'state = "{state}"\n', 'state = "{state}"\nalbum = "{vars.album}"\nn = "{vars.n}"\n', 1
            )
            + '\n[profiles.photo.variables.album]\nrequired = true\n[profiles.photo.variables.n]\ntype = "integer"\n'
        )

    with make_world(change=change) as world:
        grant = world.ask(vars={"album": "夏天", "n": 7})
        answer = world.post(grant)
        refused = [
            world.call("POST", "/v1/uploads", {"profile": "photo", "filename": "a.jpg", "vars": wrong})
            for wrong in ({}, {"album": 1}, {"album": "x", "m": 1}, {"album": "x", "n": "7"})
        ]

        assert ("夏天", 7) == (answer.json["album"], answer.json["n"])
        assert {"album": "夏天", "n": 7} == world.ledger.fetch_upload(grant["upload_id"]).variables
        assert [(422, "vars_invalid")] * 4 == [(one.status, one.error) for one in refused]


def test_secrets_reach_no_answer_and_no_event(world):
    """Neither the emulator's transcript nor an answer holds a key of ours."""
    answer = world.post(world.ask())
    told = json.dumps(world.events) + answer.body.decode()

    for secret in ("t" * 43, "s" * 43, "test-key-secret"):
        assert secret not in told
