"""Names of files that would be something else: they are granted, and are labels."""

import re
from urllib.parse import quote, unquote, urlsplit

import pytest

# A name that is used for something else than a label, and what is left of it.
TRICKS = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "/absolute.png": "absolute.png",
    "C:\\temp\\a.png": "a.png",
    "a/../b.png": "b.png",
    "....//a.png": "a.png",
    "line\r\nbreak: x.png": "linebreak: x.png",
    "nul\0l.png": "null.png",
    "\x1b[31mred.png": "[31mred.png",
    "invoice\u202egpj.exe": "invoicegpj.exe",
    "${object}.png": "${object}.png",
    "{upload_id}.png": "{upload_id}.png",
    "%2e%2e%2fa.png": "%2e%2e%2fa.png",
    "a?x=1&y=2#z.png": "a?x=1&y=2#z.png",
    "'; DROP TABLE upload; --.png": "'; DROP TABLE upload; --.png",
    ".htaccess": "htaccess",
    "\u56fe\u7247.png": "\u56fe\u7247.png",
}
KEY = re.compile(
    r"files/\d{4}-\d\d-\d\d/(?:[0-9A-Z]{26}\.[\w-]{22}/)?[^\s/\\\x00-\x1f\x7f:*?\"'<>|$`{}\[\]#%&+;,=@^!~]+"
)
ASKED = {
    "/v1/uploads": lambda world, name: world.call(
        "POST", "/v1/uploads", {"profile": "file", "filename": name}
    ),
    "/presign": lambda world, name: world.call("GET", "/presign?filename=" + quote(name, safe="")),
    "/form": lambda world, name: world.call("GET", "/form?filename=" + quote(name, safe="")),
    "/s3/params": lambda world, name: world.call("GET", "/s3/params?filename=" + quote(name, safe="")),
    "/s3/multipart": lambda world, name: world.call("POST", "/s3/multipart", {"filename": name}),
    "/v1/credentials": lambda world, name: world.call(
        "POST", "/v1/credentials", {"profile": "file", "filename": name}
    ),
}


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("asked", ASKED)
def test_name_with_tricks_becomes_a_label(world, asked, name):
    """The last part of a path is the file's name, without what cannot be seen; the key has none of what means something."""
    answer = ASKED[asked](world, name)
    (upload,) = world.ledger.list_uploads(limit=1)

    assert answer.status_code in (200, 201)
    assert TRICKS[name] == upload.file_name
    assert KEY.fullmatch(upload.object_key)
    assert ".." not in upload.object_key.rpartition("/")[2].partition("-")[2]
    assert set() == world.find_told()


@pytest.mark.parametrize("name", TRICKS)
def test_key_with_tricks_stays_below_its_prefix(world, name):
    """A client that proposes a key is answered another, below a prefix that proves the grant."""
    answers = [
        world.call("POST", "/uppy/sign", {"method": "PUT", "key": name, "contentType": "image/png"}).json[
            "key"
        ],
        unquote(
            urlsplit(
                world.call("GET", "/get_presigned_url_for_oss_upload?filename=" + quote(name, safe="")).text
            ).path
        )[1:],
    ]

    assert all(KEY.fullmatch(key.removeprefix("demo-bucket/")) for key in answers), answers
