"""URLs for clients that send no header of ours."""

from urllib.parse import parse_qs, urlsplit

import pytest

from signer.dialects.prefix_requests import build_key_below, sign_bare_put, sign_one_request
from signer.dialects.wishes import BarePut, SignOneRequest
from signer.errors import FileNameInvalid
from signer.presign import UrlSigner

PREFIX = "photos/G.M/"


@pytest.fixture
def signer(make_profile, make_credentials, now):
    return UrlSigner(make_profile().place, "v4", make_credentials(), now)


def read_query(handed):
    return {
        name: values[0]
        for name, values in parse_qs(urlsplit(handed.url).query, keep_blank_values=True).items()
        if name not in ("x-oss-signature", "x-oss-date", "x-oss-credential", "x-oss-signature-version")
    }


@pytest.mark.parametrize(
    ("proposed", "content_type", "key"),
    [
        ("a.png", "image/png", "a.png"),
        ("", "image/png", "file.png"),
        ("x/y/图 片.PNG", "image/png", "图_片.png"),
        ("../../etc/passwd", "application/octet-stream", "passwd"),
        ("a.exe", "image/png", "a.png"),
        ("C:\\photos\\a.png", "image/png", "a.png"),
    ],
)
def test_key_stays_below_the_prefix(proposed, content_type, key):
    """Whatever a client proposes, its key is one segment below the prefix."""
    assert PREFIX + key == build_key_below(PREFIX, proposed, content_type)


@pytest.mark.parametrize("proposed", ["..", "/", "\u200b", "x" * 300])
def test_name_with_nothing_in_it_is_refused(proposed):
    """As everywhere."""
    with pytest.raises(FileNameInvalid):
        build_key_below(PREFIX, proposed, "image/png")


def test_bare_put_carries_the_callback_in_its_query(signer):
    """The client sends a Content-Type and nothing else."""
    handed = sign_bare_put(
        BarePut("a.png", "image/png"), object_key=PREFIX + "a.png", content_type="image/png",
        callback_param="Y2I=", signer=signer, expires=300,
    )  # fmt: skip

    assert {"callback": "Y2I=", "x-oss-expires": "300"} == read_query(handed)
    assert "/photos/G.M/a.png" == urlsplit(handed.url).path


def test_bare_put_pins_the_length_when_it_is_told(signer):
    """Every client sends its length by itself."""
    handed = sign_bare_put(
        BarePut("a.png", "image/png", 7), object_key=PREFIX + "a.png", content_type="image/png",
        callback_param="Y2I=", signer=signer, expires=300,
    )  # fmt: skip

    assert "content-length" == read_query(handed)["x-oss-additional-headers"]


@pytest.mark.parametrize(
    ("wish", "query"),
    [
        (SignOneRequest("PutObject", "a", "image/png"), {"callback": "Y2I="}),
        (SignOneRequest("InitiateMultipartUpload", "a", "image/png"), {"uploads": ""}),
        (SignOneRequest("UploadPart", "a", "", "U", 3), {"partNumber": "3", "uploadId": "U"}),
        (SignOneRequest("CompleteMultipartUpload", "a", "application/xml", "U"), {"uploadId": "U"}),
        (SignOneRequest("ListParts", "a", "", "U"), {"uploadId": "U"}),
        (SignOneRequest("AbortMultipartUpload", "a", "", "U"), {"uploadId": "U"}),
    ],
)
def test_one_request_is_signed_for_what_it_is(signer, wish, query):
    """Each operation has its own parameters, all inside the signature."""
    handed = sign_one_request(
        wish,
        object_key=PREFIX + "a",
        content_type=wish.content_type,
        callback_param="Y2I=",
        signer=signer,
        expires=300,
    )

    assert query | {"x-oss-expires": "300"} == read_query(handed)
