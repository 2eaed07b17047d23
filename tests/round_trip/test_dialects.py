"""Clients of other contracts, end to end: asked as they ask, posted as they post, called back, in the ledger."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from ossgate.access.keys import hash_api_key, new_api_key


def test_presign_form_is_posted_as_it_is(world):
    """The fields of ``/presign`` go to the bucket as they are, and the ledger knows whose contract it was."""
    grant = world.call("GET", "/presign?filename=a.png&type=image/png").json
    answer = world.post(grant)
    upload = world.ledger.fetch_upload(grant["upload_id"])

    assert (200, "uploaded", "presign") == (answer.status, upload.state, upload.dialect)


def test_presign_put_is_sent_with_its_headers(world):
    """``via=put`` makes it a PUT with exactly these headers."""
    grant = world.call("POST", "/presign", {"filename": "a.png", "size": 3, "via": "put"}).json
    answer = world.http.request("PUT", grant["url"], body=b"abc", headers=grant["headers"])

    assert ("PUT", 200) == (grant["method"], answer.status)
    assert "uploaded" == world.ledger.fetch_upload(grant["upload_id"]).state


def test_form_components_post_data_to_action(world):
    """Element and Ant Design post ``data`` in its order to ``action``, the file last under ``file``."""
    form = world.call("GET", "/form?filename=a.png").json
    answer = world.post({"url": form["action"], "fields": form["data"]})

    assert (200, "uploaded") == (answer.status, answer.json["state"])


def companion_send(world, begun, number, data):
    """Send one part as Uppy does: ask for its URL, PUT it, read the ETag."""
    path = f"/s3/multipart/{quote(begun['uploadId'])}/{number}?key={quote(begun['key'], safe='')}"
    signed = world.call("GET", path)
    assert signed.status == 200, signed.body
    answer = world.http.request("PUT", signed.json["url"], body=data)
    assert answer.status == 200, answer.data
    return {"PartNumber": number, "ETag": answer.headers["ETag"]}


def test_companion_form_upload(world):
    """``/s3/params``: a form posted to a ``url`` with a slash at its end."""
    params = world.call("GET", "/s3/params?filename=a.bin&type=application/octet-stream&metadata[x]=1").json
    answer = world.post(params, filename="a.bin", part_type="application/octet-stream")

    assert params["url"].endswith("/")
    assert (200, "uploaded") == (answer.status, answer.json["state"])


def test_companion_upload_in_parts(world):
    """Begin, two parts of the client's own size, list, complete; and the ledger has one upload of the whole."""
    begun = world.call(
        "POST", "/s3/multipart", {"filename": "a.bin", "type": "application/octet-stream"}
    ).json
    data = [b"a" * 200_000, b"b" * 5]
    parts = [companion_send(world, begun, number, part) for number, part in enumerate(data, 1)]
    one = f"/s3/multipart/{begun['uploadId']}"
    key = quote(begun["key"], safe="")
    listed = world.call("GET", f"{one}?key={key}").json
    completed = world.call("POST", f"{one}/complete?key={key}", {"parts": parts})
    upload = world.ledger.fetch_upload(begun["uploadId"])

    assert [(1, 200_000), (2, 5)] == [(part["PartNumber"], part["Size"]) for part in listed]
    assert (200, begun["key"]) == (completed.status, completed.json["key"])
    assert completed.json["location"].endswith(begun["key"])
    assert ("uploaded", 200_005, "companion") == (upload.state, upload.size, upload.dialect)


def test_companion_batch_and_abort(world):
    """Several URLs at once; then the upload is given up and its quota is free."""
    begun = world.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
    one, key = f"/s3/multipart/{begun['uploadId']}", quote(begun["key"], safe="")
    batch = world.call("GET", f"{one}/batch?key={key}&partNumbers=1,2,10000").json
    aborted = world.call("DELETE", f"{one}?key={key}")

    assert ["1", "2", "10000"] == list(batch["presignedUrls"])
    assert (200, {}) == (aborted.status, aborted.json)
    assert "aborted" == world.ledger.fetch_upload(begun["uploadId"]).state


def test_companion_judges_the_size_before_it_completes(make_world):
    """Parts of the client's own size may not add up to more than the profile takes."""
    change = lambda text: text.replace('max_size = "1GB"', 'max_size = "150KB"')  # noqa: E731
    with make_world(change=change) as world:
        begun = world.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
        parts = [companion_send(world, begun, 1, b"a" * 200_000)]
        path = f"/s3/multipart/{begun['uploadId']}/complete?key={quote(begun['key'], safe='')}"
        refused = world.call("POST", path, {"parts": parts})

        assert (422, "parts_size_mismatch") == (refused.status, refused.json["code"])
        assert "issued" == world.ledger.fetch_upload(begun["uploadId"]).state


@pytest.mark.parametrize("key", ["other", ""])
def test_companion_key_and_id_belong_together(world, key):
    """The id of one upload with the key of another is no upload, and without a key it is a mistake."""
    begun = world.call("POST", "/s3/multipart", {"filename": "a.bin", "type": "text/plain"}).json
    answer = world.call("GET", f"/s3/multipart/{begun['uploadId']}/1?key={key}")

    assert (404 if key else 400) == answer.status
    assert answer.json["message"] == answer.json["error"]


def test_companion_explains_why_there_are_no_credentials(world):
    """Uppy would sign for Amazon's hosts."""
    answer = world.call("GET", "/s3/sts")

    assert (400, "sts_not_supported") == (answer.status, answer.json["code"])


def test_nothing_is_kept_on_the_way(world):
    """Whatever is signed is ``no-store``, with its length, and of the type it says."""
    for path in ("/presign?filename=a.png", "/form?filename=a.png", "/s3/params?filename=a.png", "/presign"):
        headers = world.call("GET", path).headers

        assert ("no-store", "nosniff") == (headers["Cache-Control"], headers["X-Content-Type-Options"])
        assert int(headers["Content-Length"]) > 0


LEGACY = """
[profiles.legacy]
allow = ["anonymous"]
via = ["post", "put", "multipart", "sts"]
key_prefix = "legacy/{date}/"
content_types = ["image/png", "image/jpeg"]
max_size = "100KB"
[profiles.legacy.quota]
pending_uploads = 200
bytes = "20GB"
"""
TABLES = [
    "appserver_v1", "appserver_v1_named", "appserver_v4", "mall", "gulimall", "mini_program", "form_data",
    "put_text", "uppy_sign", "sts_mobile", "ali_oss",
]  # fmt: skip


@pytest.fixture(scope="module")
def legacy(world_runner, tmp_path_factory):
    """A set-up whose contracts are on under a profile without a reply of its own, for pictures."""

    def change(text):
        for name in TABLES:
            text, count = re.subn(
                rf'^({name} = {{ profile) = "file"', r'\1 = "legacy"', text, flags=re.MULTILINE
            )
            assert count == 1
        return text + LEGACY

    with world_runner(tmp_path_factory.mktemp("legacy"), change=change) as running:
        yield running


def find_uploads(world, key_prefix):
    return [one for one in world.ledger.list_uploads(limit=500) if one.object_key.startswith(key_prefix)]


def post_form(world, host, fields, *, name="a.png", data=b"abc", part_type="image/png"):
    """Post a form as a page does: its own fields, the file last."""
    return world.post({"url": host}, data, fields=fields, filename=name, part_type=part_type)


def list_v1_page(data, name):
    """The form of ``upload.js``."""
    return [
        ("name", name),
        ("key", data["dir"] + "${filename}"),
        ("policy", data["policy"]),
        ("OSSAccessKeyId", data["accessid"]),
        ("success_action_status", "200"),
        ("callback", data["callback"]),
        ("signature", data["signature"]),
    ]


def list_mall_page(data, name):
    """The form of mall's ``singleUpload.vue``: mixed case, a slash of its own, fields that OSS does not know."""
    return [
        ("policy", data["policy"]),
        ("signature", data["signature"]),
        ("key", data["dir"] + "/${filename}"),
        ("ossaccessKeyId", data["accessKeyId"]),
        ("dir", data["dir"]),
        ("host", data["host"]),
        ("callback", data["callback"]),
    ]


def list_gulimall_page(data, name):
    """The form of gulimall's ``singleUpload.vue``: a random name in front, no callback, no status."""
    return [
        ("policy", data["policy"]),
        ("signature", data["signature"]),
        ("key", data["dir"] + "0f3c-uuid_${filename}"),
        ("ossaccessKeyId", data["accessid"]),
        ("dir", data["dir"]),
        ("host", data["host"]),
    ]


def list_v4_page(data, name):
    """The form of the page of late 2024."""
    return [
        ("success_action_status", "200"),
        ("policy", data["policy"]),
        ("x-oss-signature", data["signature"]),
        ("x-oss-signature-version", data["version"]),
        ("x-oss-credential", data["x_oss_credential"]),
        ("x-oss-date", data["x_oss_date"]),
        ("key", data["dir"] + name),
        ("x-oss-security-token", data["security_token"]),
        ("callback", data["callback"]),
    ]


def list_mini_program(data, name):
    """``formData`` of the sample, ``dir`` in front."""
    return [("key", data["dir"] + name), *[(n, data[n]) for n in ("OSSAccessKeyId", "policy", "signature")]]


def list_form_data(data, name):
    """ali-oss's example: all of ``formData``, then the key."""
    return [*data["formData"].items(), ("key", data["dir"] + name)]


PAGES = {
    "/php/get.php": (list_v1_page, lambda data: data, b'{"Status":"OK"}', 200),
    "/aliyun/oss/policy": (list_mall_page, lambda data: data["data"], None, 200),
    "/thirdparty/oss/policy": (list_gulimall_page, lambda data: data["data"], b"", 204),
    "/get_post_signature_for_oss_upload": (list_v4_page, lambda data: data, b'{"Status":"OK"}', 200),
    "/getPostObjectParams": (list_mini_program, lambda data: data, b"", 204),
    "/postObject": (list_form_data, lambda data: data, None, 200),
}


@pytest.mark.parametrize("path", PAGES)
def test_page_posts_its_form(legacy, path):
    """Each page posts what it always posted, one policy for two files; each is an upload of its own where the page posts a callback."""
    make_form, unwrap, body, status = PAGES[path]
    data = unwrap(legacy.call("GET", path).json)
    host = data.get("host") or data["url"]
    answers = [
        post_form(legacy, host, make_form(data, name), name=name, data=name.encode())
        for name in ("a.png", "b.png")
    ]
    uploads = find_uploads(legacy, data["dir"])

    assert [status, status] == [answer.status for answer in answers], answers[0].body
    if body is not None:
        assert body == answers[0].body
    assert {"uploaded"} == {upload.state for upload in uploads} or status == 204
    assert (0 if status == 204 else 2) == len(uploads)


def test_mall_page_shows_what_the_callback_says(legacy):
    """The envelope with the object's address, and all its facts as text."""
    data = legacy.call("GET", "/aliyun/oss/policy").json["data"]
    answer = post_form(legacy, data["host"], list_mall_page(data, "a.png"))
    shown = answer.json["data"]

    assert (200, "操作成功") == (answer.json["code"], answer.json["message"])
    assert f"{data['host']}/{data['dir']}/a.png" == shown["filename"]
    assert ("3", "image/png") == (shown["size"], shown["mimeType"])
    (upload,) = find_uploads(legacy, data["dir"])
    assert ("mall", "legacy", 3) == (upload.dialect, upload.profile, upload.size)


def test_confirm_finds_an_upload_below_a_prefix(legacy):
    """Asked again the answer is the same, and a stranger's id is nobody's."""
    data = legacy.call("GET", "/php/get.php").json
    post_form(legacy, data["host"], list_v1_page(data, "a.png"))
    (upload,) = find_uploads(legacy, data["dir"])

    assert b'{"Status":"OK"}' == legacy.call("POST", f"/v1/uploads/{upload.upload_id}/confirm").body


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda data, form: form, 200),
        (
            lambda data, form: [("key", "legacy/elsewhere.png") if n == "key" else (n, v) for n, v in form],
            403,
        ),
        (
            lambda data, form: [
                ("key", "x" + data["dir"] + "a.png") if n == "key" else (n, v) for n, v in form
            ],
            403,
        ),
        (lambda data, form: [(n, v) for n, v in form if n != "callback"], 403),
        (lambda data, form: [(n, "eyJ9" if n == "callback" else v) for n, v in form], 403),
        (lambda data, form: [(n, "201" if n == "success_action_status" else v) for n, v in form], 403),
        (lambda data, form: [*form, ("x-oss-content-type", "text/html")], 403),
    ],
)
def test_policy_holds_below_a_prefix(legacy, spoil, status):
    """Another key, no callback, another callback, another type: the bucket refuses it, and nothing is told."""
    data = legacy.call("GET", "/php/get.php").json
    answer = post_form(legacy, data["host"], spoil(data, list_v1_page(data, "a.png")))

    assert status == answer.status
    assert (1 if status == 200 else 0) == len(find_uploads(legacy, data["dir"]))


@pytest.mark.parametrize(
    ("data", "part_type", "status"),
    [
        (b"x" * 102_401, "image/png", 400),
        (b"", "image/png", 400),
        (b"x", "text/html", 403),
        (b"x", "image/jpeg", 200),
    ],
)
def test_profile_holds_below_a_prefix(legacy, data, part_type, status):
    """Sizes and types are the profile's in any contract."""
    given = legacy.call("GET", "/php/get.php").json
    form = list_v1_page(given, "a.png")

    assert status == post_form(legacy, given["host"], form, data=data, part_type=part_type).status


def test_put_text_is_a_bare_put(legacy):
    """The sample's page: the URL as text, a PUT with its own Content-Type and nothing else."""
    url = legacy.call("GET", "/get_presigned_url_for_oss_upload?filename=a.png").body.decode()
    answer = legacy.http.request("PUT", url, body=b"abc", headers={"Content-Type": "image/png"})
    other = legacy.http.request("PUT", url, body=b"abc", headers={"Content-Type": "text/html"})
    public = legacy.http.request(
        "PUT", url, body=b"abc", headers={"Content-Type": "image/png", "x-oss-object-acl": "public-read"}
    )

    assert ([200, 403, 403], 0) == ([answer.status, other.status, public.status], answer.data.count(b"Error"))
    key = url.partition("demo-bucket/")[2].partition("?")[0]
    (upload,) = find_uploads(legacy, key)
    assert ("uploaded", "put", "put_text", 3) == (upload.state, upload.via, upload.dialect, upload.size)


def uppy_sign(world, **request):
    answer = world.call("POST", "/uppy/sign", request)
    assert answer.status == 200, answer.body
    return answer.json


def test_uppy_signs_a_put(legacy):
    """The client takes the key that it is answered for its own."""
    signed = uppy_sign(legacy, method="PUT", key="photos/a.png", contentType="image/png")
    answer = legacy.http.request("PUT", signed["url"], body=b"abc", headers={"Content-Type": "image/png"})

    assert (200, True) == (answer.status, signed["key"].endswith("/a.png"))
    assert ["uploaded"] == [upload.state for upload in find_uploads(legacy, signed["key"])]


def test_uppy_signs_an_upload_in_parts(legacy):
    """Begin, a part, list, complete: each request composed by the client, OSS's XML read by it."""
    begun = uppy_sign(legacy, method="POST", key="a.png", contentType="image/png")
    xml = legacy.http.request("POST", begun["url"], headers={"Content-Type": "image/png"}).data.decode()
    upload_id = xml.partition("<UploadId>")[2].partition("<")[0]
    common = {"key": begun["key"], "uploadId": upload_id}
    part = uppy_sign(legacy, method="PUT", partNumber=1, **common)
    etag = legacy.http.request("PUT", part["url"], body=b"abc").headers["ETag"]
    listed = legacy.http.request("GET", uppy_sign(legacy, method="GET", **common)["url"])
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    completed = legacy.http.request(
        "POST",
        uppy_sign(legacy, method="POST", **common)["url"],
        body=body.encode(),
        headers={"Content-Type": "application/xml"},
    )

    assert (200, 200) == (listed.status, completed.status)
    assert b"<Location>" in completed.data


@pytest.mark.parametrize(
    "key", ["a.png", "legacy/2026-01-01/a.png", "legacy/01KDYBB5M8000000000000TEST.AAAAAAAAAAAAAAAAAAAAAA/a"]
)
def test_uppy_signs_no_key_that_is_not_below_a_prefix_of_ours(legacy, key):
    """An id of OSS's with somebody else's key gets nothing."""
    answer = legacy.call("POST", "/uppy/sign", {"method": "DELETE", "key": key, "uploadId": "U"})

    assert (404, "upload_unknown") == (answer.status, answer.json["error"])


def test_mobile_app_gets_credentials_and_goes_on_with_them(legacy):
    """What the SDK reads, then fresh ones for the same ``dir``; another's grant gets none."""
    first = legacy.call("POST", "/sts").json
    again = legacy.call("GET", f"/sts?grant={first['grant']}").json
    spoilt = legacy.call("GET", f"/sts?grant={first['grant'][:-2]}AA").json

    assert (200, 200) == (first["StatusCode"], again["StatusCode"])
    assert first["dir"] == again["dir"] != legacy.call("GET", "/sts").json["dir"]
    assert first["SecurityToken"] != again["SecurityToken"]
    assert (500, "held_grant_invalid") == (spoilt["StatusCode"], spoilt["ErrorCode"])


def test_credentials_write_below_their_dir_alone(legacy):
    """The SDK's own signature, its callback attached: below ``dir`` it is an upload, elsewhere it is refused."""
    oss2 = pytest.importorskip("oss2")
    given = legacy.call("GET", "/sts").json
    auth = oss2.StsAuth(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])
    bucket = oss2.Bucket(auth, given["endpoint"], given["bucket"], is_path_style=True)
    callback = base64.b64encode(json.dumps(given["callbackParam"]).encode()).decode()
    headers = {"x-oss-callback": callback, "Content-Type": "image/png"}
    result = bucket.put_object(given["dir"] + "a.png", b"abc", headers=headers)
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_object("legacy/a.png", b"abc")
    result.resp.response.close()
    bucket.session.session.close()

    assert (200, 403) == (result.status, refused.value.status)
    (upload,) = find_uploads(legacy, given["dir"])
    assert ("uploaded", "sts", "sts_mobile") == (upload.state, upload.via, upload.dialect)


def test_ali_oss_learns_everything_at_its_second_address(legacy):
    """Credentials, client, ``dir`` and callback; the refresh keeps the ``dir``."""
    given = legacy.call("GET", "/ali-oss/sts/client").json
    fresh = legacy.call("GET", f"/ali-oss/sts?grant={given['grant']}").json

    assert ["accessKeyId", "accessKeySecret", "stsToken", "expiration"] == list(fresh)
    assert given["dir"].startswith("legacy/")
    assert given["callback"]["url"].endswith("/callback")


@pytest.mark.parametrize(
    "path",
    [
        "/get_sts_token_for_oss_upload",
        "/credentials",
        "/getToken",
        "/sts/getsts",
        "/gen2/get_post_signature_for_oss_upload",
        "/postObjectBySTS",
    ],
)
def test_every_usual_path_of_the_demo_answers(world, path):
    """The demo has all contracts on."""
    answer = world.call("GET", path)

    assert (200, "no-store") == (answer.status, answer.headers["Cache-Control"])


def test_bearer_in_the_query_is_good_for_mobile_apps(make_world):
    """A backend makes a bearer, and the app's SDK, which cannot send headers, asks with it."""
    key = new_api_key()

    def change(text):
        added = f'\n[access.api_keys.app]\nhash = "{hash_api_key(key)}"\n'
        return text.replace('allow = ["anonymous"]', 'allow = ["api_key", "bearer"]') + added

    with make_world(change=change) as world:
        made = world.call(
            "POST", "/v1/bearers", {"profile": "file", "subject": "alice"}, Authorization=f"Bearer {key}"
        ).json
        given = world.call("GET", f"/sts?token={made['token']}").json
        again = world.call("GET", f"/sts?token={made['token']}").json
        refused = world.call("GET", "/sts")

        assert (200, 200) == (given["StatusCode"], again["StatusCode"])
        assert given["dir"] == again["dir"], "the same person has the same prefix while it is fresh"
        assert (200, 500, "credentials_missing") == (
            refused.status, refused.json["StatusCode"], refused.json["ErrorCode"],
        )  # fmt: skip
        other = world.call("GET", f"/credentials?token={made['token']}&grant={given['grant']}")
        assert (200, given["dir"]) == (other.status, other.json["dir"])


def test_page_of_2024_works_without_a_role(make_world):
    """Without temporary credentials the page posts an empty token; the policy does not name it."""

    def change(text):
        text = re.sub(r"\[oss\.sts\]\n(?:\w+ = .*\n)+", "", text)
        return re.sub(
            r"^(sts_web|sts_mobile|credentials_uri|ali_oss|mini_program_token) = .*\n",
            "",
            text,
            flags=re.MULTILINE,
        )

    with make_world(change=change) as world:
        data = world.call("GET", "/get_post_signature_for_oss_upload").json

        assert "" == data["security_token"]
        assert 200 == post_form(world, data["host"], list_v4_page(data, "a.png")).status


@pytest.mark.parametrize(
    ("path", "make_form", "status"),
    [("/get_post_signature_for_oss_upload", list_v4_page, 403), ("/php/get.php", list_v1_page, 200)],
)
def test_acl_that_a_page_adds(legacy, path, make_form, status):
    """A form signed with temporary credentials sets no ACL; one of the server's own key may, as the table of locks says."""
    data = legacy.call("GET", path).json
    form = [("x-oss-object-acl", "public-read"), *make_form(data, "a.png")]

    assert status == post_form(legacy, data["host"], form).status


def test_gulimall_upload_is_found_by_reconciliation(make_world, tmp_path):
    """Nobody is called back, and the key alone proves the grant: reconciliation makes the row."""
    with make_world() as world:
        data = world.call("GET", "/thirdparty/oss/policy").json["data"]
        answer = post_form(world, data["host"], list_gulimall_page(data, "a.png"))
        before = find_uploads(world, data["dir"])
        ended = subprocess.run(
            [sys.executable, "-m", "ossgate", "reconcile", "--json", "--grace", "0s", "--rate", "0"],
            capture_output=True,
            text=True,
            env={"OSSGATE_CONFIG": str(tmp_path / "ossgate.toml"), "PATH": os.environ["PATH"]},
            cwd=Path(__file__).parents[2],
            timeout=100,
            check=False,
        )
        (upload,) = find_uploads(world, data["dir"])

        assert (204, []) == (answer.status, before), ended.stderr
        assert ("uploaded", "reconcile", 3) == (upload.state, upload.arrived_via, upload.size)
