"""Thumbnails: signed links that OSS answers with a smaller picture, and with nothing else."""

import io

import pytest
from PIL import Image

THUMBNAILS = '{ small = "image/resize,w_40", square = "image/resize,m_fill,w_20,h_20" }'
SIZES = {"small": (40, 20), "square": (20, 20)}


@pytest.fixture(scope="module", params=["v4", "v1"])
def picturing(request, tmp_path_factory, world_runner):
    """A set-up whose photographs have two thumbnails, told by the reply as well."""

    def change(text):
        text = text.replace(
            'thumbnails = { small = "image/resize,w_480,h_480" }', f"thumbnails = {THUMBNAILS}"
        )
        text = text.replace(
            "[profiles.photo.reply]\n", '[profiles.photo.reply]\nsquare = "{thumbnails.square}"\n'
        ).replace("[profiles.photo]\n", '[profiles.photo]\nreply_limit = "4KB"\n')
        text = text.replace('"image/gif"]', '"image/gif", "image/svg+xml"]')
        return text.replace("[oss]\n", f'[oss]\nsignature = "{request.param}"\n')

    with world_runner(tmp_path_factory.mktemp(request.param), change=change) as running:
        yield running


def draw():
    output = io.BytesIO()
    Image.new("RGB", (100, 50), 0).save(output, "PNG")
    return output.getvalue()


def measure(answer):
    assert 200 == answer.status, answer.body
    with Image.open(io.BytesIO(answer.body)) as picture:
        return picture.size


@pytest.fixture
def shown(picturing):
    """A photograph that has arrived, as its uploader sees it, with the callback's reply."""
    grant = picturing.ask(filename="a.png", content_type="image/png")
    reply = picturing.post(grant, draw(), part_type="image/png").json
    return picturing.call("GET", f"/v1/uploads/{grant['upload_id']}").json, reply


def test_links_lead_to_smaller_pictures(picturing, shown):
    """Each of its size; the plain link gives the photograph as it is."""
    upload, reply = shown

    assert SIZES == {name: measure(picturing.fetch(url)) for name, url in upload["thumbnails"].items()}
    assert SIZES["square"] == measure(picturing.fetch(reply["square"]))
    assert (100, 50) == measure(picturing.fetch(upload["url"]))


@pytest.mark.parametrize(
    "other", ["image%2Fresize%2Cw_41", "image%2Finfo", "image%2Fresize%2Cw_40%7Csys%2Fsaveas%2Co_YQ"]
)
def test_process_cannot_be_changed(picturing, shown, other):
    """It is inside the signature, in either version."""
    url = shown[0]["thumbnails"]["small"]
    assert "x-oss-process=image%2Fresize%2Cw_40&" in url
    changed = picturing.fetch(url.replace("image%2Fresize%2Cw_40", other))

    assert (403, True) == (changed.status, b"SignatureDoesNotMatch" in changed.body)


def test_process_can_neither_be_added_nor_taken_away(picturing, shown):
    """A link to the photograph is none to its thumbnail, and the other way round."""
    upload = shown[0]
    added = picturing.fetch(upload["url"] + "&x-oss-process=image%2Fresize%2Cw_40")
    taken = picturing.fetch(upload["thumbnails"]["small"].replace("x-oss-process=image%2Fresize%2Cw_40&", ""))

    assert [403, 403] == [added.status, taken.status]


def test_link_is_good_for_its_own_key(picturing, shown):
    """As every signed link."""
    url = shown[0]["thumbnails"]["small"]

    assert 403 == picturing.fetch(url.replace(".png?", ".jpg?")).status


def test_what_oss_cannot_make_smaller_has_none(picturing):
    """Neither a drawing nor a grant that is not used; the placeholder is null."""
    grant = picturing.ask(filename="a.svg", content_type="image/svg+xml")
    before = picturing.call("GET", f"/v1/uploads/{grant['upload_id']}").json
    reply = picturing.post(grant, b"<svg/>", part_type="image/svg+xml").json
    after = picturing.call("GET", f"/v1/uploads/{grant['upload_id']}").json

    assert (None, [False, False]) == (reply["square"], ["thumbnails" in one for one in (before, after)])
