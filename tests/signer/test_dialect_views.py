"""Contracts over HTTP: how each refuses, who may ask from which page, and what is never handed out."""

import json
import re

import pytest

TABLES = """
[dialects.presign]
profile = "photo"
[dialects.form]
profile = "photo"
[dialects.companion]
profile = "file"
[dialects.wrapped]
contract = "presign"
paths = ["/wrapped"]
profile = "photo"
[dialects.wrapped.envelope]
ok = 0
message = "msg"
"""


@pytest.fixture
def make_client(make_app):
    """Make a client of an application with contracts switched on, its settings changed."""

    def make(*changes, added=""):
        def change(text):
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            return re.sub(r"\[dialects\]\n(\w+ = .*\n)+", "", text) + TABLES + added

        return make_app(change).test_client()

    return make


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/presign", 422, {"error": "filename_invalid"}),
        ("/presign?filename=a.exe", 415, {"error": "content_type_not_allowed"}),
        ("/presign?filename=a.png&size=99999999999", 413, {"error": "size_over_limit"}),
        ("/presign?filename=a.png&size=x", 422, {"error": "size_invalid"}),
        ("/presign?filename=a.png&via=put", 422, {"error": "size_missing"}),
        ("/form?filename=a.exe", 415, {"error": "content_type_not_allowed"}),
        ("/s3/params", 400, {"code": "filename_invalid"}),
        ("/s3/params?filename=a", 200, {"method": "POST"}),
        ("/s3/multipart/x/1?key=k", 404, {"code": "upload_unknown"}),
        ("/s3/multipart/01KDYBB5M8000000000000TEST/1?key=k", 404, {"code": "upload_unknown"}),
        ("/wrapped?filename=a.exe", 200, {"code": 415, "data": None}),
        ("/wrapped?filename=a.png", 200, {"code": 0, "msg": "ok"}),
    ],
)
def test_refusal_is_dressed_as_its_client_reads_it(make_client, path, status, told):
    """The same errors as everywhere, in the form of each contract."""
    answer = make_client().get(path)

    assert status == answer.status_code
    assert told.items() <= answer.json.items()
    assert "no-store" == answer.headers["Cache-Control"]


def test_closed_profile_stays_closed(make_client):
    """A contract opens nothing: who may ask is the profile's word."""
    client = make_client(('allow = ["anonymous"]', 'allow = ["api_key"]'))
    refused = client.get("/presign?filename=a.png")
    granted = client.get("/presign?filename=a.png", headers={"Authorization": "Bearer ossgate_backend"})

    assert (401, "credentials_missing") == (refused.status_code, refused.json["error"])
    assert "WWW-Authenticate" in refused.headers
    assert 200 == granted.status_code


def test_quota_counts_here_too(make_client):
    """An upload that was promised in any contract is on its caller's account."""
    client = make_client(("pending_uploads = 200", "pending_uploads = 1"))
    assert 200 == client.get("/presign?filename=a.png").status_code
    refused = client.get("/form?filename=a.png")

    assert (429, "quota_exceeded") == (refused.status_code, refused.json["error"])
    assert refused.headers["Retry-After"]


PREFIXED = """
[dialects.appserver_v1]
profile = "file"
[dialects.put_text]
profile = "file"
[dialects.uppy_sign]
profile = "file"
"""


def test_quota_that_is_full_gives_no_prefix(make_client):
    """Below a prefix nothing is reserved; but there is none for whom no file more is due, in whatever way it is asked for."""
    client = make_client(("pending_uploads = 200", "pending_uploads = 1"), added=PREFIXED)
    parts = {"uploadId": "A" * 32, "partNumber": 1, "method": "PUT"}

    def ask():
        return [
            client.get("/php/get.php").status_code,
            client.get("/get_presigned_url_for_oss_upload?filename=a.png").status_code,
            client.post("/uppy/sign", json={"method": "PUT", "key": "a.png"}).status_code,
            client.post("/uppy/sign", json={"method": "POST", "key": "a.png"}).status_code,
        ]

    key = client.post("/uppy/sign", json={"method": "POST", "key": "a.png"}).json["key"]
    assert [200] * 4 == ask()
    assert 201 == client.post("/v1/uploads", json={"profile": "file", "filename": "a", "size": 1}).status_code
    assert [429] * 4 == ask()
    assert "quota_exceeded" == client.get("/php/get.php").json["error"]
    # What has begun goes on.
    assert 200 == client.post("/uppy/sign", json={"key": key} | parts).status_code


def test_rate_counts_here_too(make_client):
    """Too often is too often in any contract."""
    client = make_client(('issue = "6000/minute"', 'issue = "1/minute"'))
    assert 200 == client.get("/presign?filename=a.png").status_code
    refused = client.get("/wrapped?filename=a.png")

    assert (200, 429) == (refused.status_code, refused.json["code"])
    assert "RateLimit" in refused.headers


def test_fault_of_ours_is_dressed_too(make_client, monkeypatch):
    """A 500 looks like any other refusal to the client."""
    client = make_client()
    client.application.testing = False
    services = client.application.extensions["signer"]
    monkeypatch.setattr(type(services), "issue_grants", lambda *_: 1 / 0)
    answer = client.get("/wrapped?filename=a.png")

    assert (200, 500) == (answer.status_code, answer.json["code"])


def test_other_methods_are_refused_as_everywhere(make_client):
    """A method that a contract does not know is our own 405."""
    answer = make_client().delete("/presign")

    assert (405, "method_not_allowed") == (answer.status_code, answer.json["error"]["code"])


ORIGINS = ("[profiles.photo]\n", '[profiles.photo]\norigins = ["https://a.example"]\n')
FILE_ORIGINS = ("[profiles.file]\n", '[profiles.file]\norigins = ["https://b.example"]\n')


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/presign?filename=a.png", "https://a.example", True),
        ("/presign?filename=a.png", "https://b.example", False),
        ("/s3/params?filename=a", "https://b.example", True),
        ("/s3/params?filename=a", "https://a.example", False),
        ("/presign?filename=a.png", "https://evil.example", False),
    ],
)
def test_pages_of_the_profile_alone_may_ask(make_client, path, origin, allowed):
    """The address says which profile it is, so preflights allow its pages alone, and the request is judged again."""
    client = make_client(ORIGINS, FILE_ORIGINS)
    preflight = client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
    answer = client.get(path, headers={"Origin": origin})

    expected = origin if allowed else None
    assert expected == preflight.headers.get("Access-Control-Allow-Origin")
    assert expected == answer.headers.get("Access-Control-Allow-Origin")
    assert (200 if allowed else 403) == answer.status_code
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_paths_beside_a_contract_have_no_cors(make_client):
    """The rule ends where the contract's address ends."""
    client = make_client(ORIGINS)
    answer = client.options("/presigned", headers={"Origin": "https://a.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
def test_session_counts_for_pages_of_this_origin_alone(make_client, headers, status):
    """Grants are handed out by GET here, which any page's script or image sends with the visitor's cookie or through their proxy."""
    added = '[access.proxy]\nheader = "X-User"\nfrom = "127.0.0.1"\n'
    client = make_client(('allow = ["anonymous"]', 'allow = ["proxy"]'), added=added)
    answer = client.get("/presign?filename=a.png", headers={"X-User": "alice", **headers})

    assert status == answer.status_code
    if status == 403:
        assert "csrf_refused" == answer.json["error"]


def test_bearer_in_the_query_counts_only_where_the_contract_says(make_client):
    """Clients of this contract can send headers, so ``?token=`` is nothing."""
    client = make_client(('allow = ["anonymous"]', 'allow = ["api_key", "bearer"]'))
    key = {"Authorization": "Bearer ossgate_backend"}
    made = client.post("/v1/bearers", json={"profile": "photo", "subject": "alice"}, headers=key).json

    assert 401 == client.get(f"/presign?filename=a.png&token={made['token']}").status_code


BACKEND = {"Authorization": "Bearer ossgate_backend"}


def test_api_key_names_for_whom_it_asks(make_client):
    """In a header, in any script; without it the key asks for itself."""
    client = make_client(('allow = ["anonymous"]', 'allow = ["api_key"]'))
    for name in ("alice", "猫 7".encode().decode("latin-1"), None):
        headers = BACKEND | ({} if name is None else {"X-Ossgate-Subject": name})
        assert 200 == client.get("/presign?filename=a.png", headers=headers).status_code
    uploads = client.application.extensions["signer"].ledger.list_uploads(limit=5)

    assert {"alice", "猫 7", "shop"} == {upload.subject for upload in uploads}
    assert {"api_key:shop"} == {upload.issuer for upload in uploads}


def test_subject_of_an_api_key_is_in_its_dir(make_client):
    """Where many files are granted, and in what each of them is known for."""
    client = make_client(
        ('allow = ["anonymous"]', 'allow = ["api_key"]'),
        ('key_prefix = "files/{date}/"', 'key_prefix = "files/{subject}/"'),
        added='[dialects.gulimall]\nprofile = "file"\n',
    )
    dirs = [
        client.get("/thirdparty/oss/policy", headers=BACKEND | {"X-Ossgate-Subject": name}).json["data"][
            "dir"
        ]
        for name in ("alice", "bob")
    ]

    assert ["files/alice", "files/bob"] == [each.rpartition("/")[0].rpartition("/")[0] for each in dirs]
    keys = client.application.extensions["key_confirmations"].prefix_keys
    grant_id = dirs[0].split("/")[2].partition(".")[0]
    assert keys.is_owner(grant_id, issuer="api_key:shop", subject="alice")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-Ossgate-Subject": "alice"}, "field_invalid"),
        (BACKEND | {"X-Ossgate-Subject": "\xff"}, "field_invalid"),
        (BACKEND | {"X-Ossgate-Subject": "a" * 129}, "subject_invalid"),
        (BACKEND | {"X-Ossgate-Subject": "a\x07b"}, "subject_invalid"),
    ],
)
def test_subject_that_may_not_be_named_is_refused(make_client, headers, code):
    """Nobody but an API key names one, and no other than everywhere."""
    client = make_client(('allow = ["anonymous"]', 'allow = ["anonymous", "api_key"]'))
    answer = client.get("/presign?filename=a.png", headers=headers)

    assert (422, code) == (answer.status_code, answer.json["error"])


def test_metadata_that_the_profile_declares_travels(make_client):
    """What the page says of a file is kept where a variable of that name is declared, and is nothing elsewhere."""
    client = make_client(added="[profiles.file.variables.album]\n")
    path = "/s3/params?filename=a&metadata[album]=cats&metadata[relativePath]=null"
    answer = client.get(path)
    ledger = client.application.extensions["signer"].ledger
    (upload,) = ledger.list_uploads(limit=5)

    assert 200 == answer.status_code
    assert ({"album": "cats"}, "companion") == (upload.variables, upload.dialect)


def test_body_that_is_no_request_is_refused(make_client):
    """Not JSON, a list, and more than a megabyte."""
    client = make_client()
    answers = [
        client.post("/presign", data=data, content_type="application/json")
        for data in (b"{", b"[]", b'"' + b"x" * 2**20 + b'"')
    ]

    assert [400, 400, 413] == [answer.status_code for answer in answers]
    assert all(json.loads(answer.data)["message"] for answer in answers)


def test_contracts_are_off_unless_named(make_client):
    """Without a table there is nothing at a contract's path."""
    client = make_client()
    for path in ("/sts", "/php/get.php", "/getToken", "/credentials", "/uppy/sign", "/aliyun/oss/policy"):
        answer = client.get(path)

        assert (404, "not_found") == (answer.status_code, answer.json["error"]["code"])


def test_head_grants_nothing(make_client):
    """Who looks whether there is something leaves no row and no promise."""
    client = make_client()
    answer = client.head("/presign?filename=a.png")

    assert 200 == answer.status_code
    assert [] == client.application.extensions["signer"].ledger.list_uploads(limit=5)
