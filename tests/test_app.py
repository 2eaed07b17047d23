"""The HTTP face: one error shape, documented refusals, nothing that is cached, no secret in the log."""

import json
import re
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.app import create_app
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.ledger import CallbackFilter
from ossgate.logs import write_waiting_lines
from ossgate.settings import load_settings

UNKNOWN = "01KE00000000000000000000AA"


def make_app(folder, change=lambda text: text):
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name, content in {
        "ticket.key": "t" * 43,
        "seal.key": "s" * 43,
        "access-key-id": "test-key-id",
        "access-key-secret": "test-key-secret",
    }.items():
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(content)
    text = render_demo(DemoPlace(8000, 1))
    text = re.sub(r"\[callback\.public_keys\]\n.*\n", "", text)
    (folder / "ossgate.toml").write_text(change(text), encoding="utf-8")
    app = create_app(load_settings(folder / "ossgate.toml", environ={}))
    app.extensions["signer"].ledger.upgrade()
    return app


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    made = make_app(tmp_path_factory.mktemp("app"))
    yield made
    made.extensions["signer"].bucket.close()
    made.extensions["signer"].ledger.close()


@pytest.fixture(scope="module")
def client(app):
    return app.test_client()


def assert_error(response, status, code):
    """Every error of ours: the documented status, one shape, JSON, never kept, named by its request."""
    assert (status, "application/json") == (response.status_code, response.mimetype)
    error = response.json["error"]
    assert {"code", "message", "hint", "request_id"} == set(error)
    assert code == error["code"]
    assert error["message"]
    assert response.headers["X-Request-ID"] == error["request_id"] != ""
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.data) < 2000


REFUSALS = [
    (b"", 400, "bad_request"),
    (b"not json", 400, "bad_request"),
    (b"[]", 400, "bad_request"),
    (b"null", 400, "bad_request"),
    (b"[" * 100_000, 400, "bad_request"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "bad_request"),
    (b'{"profile":"photo","filename":"\\ud800.jpg"}', 400, "bad_request"),
    ({}, 422, "field_invalid"),
    ({"profile": "photo"}, 422, "field_invalid"),
    ({"filename": "a.jpg"}, 422, "field_invalid"),
    ({"profile": 1, "filename": "a.jpg"}, 422, "field_invalid"),
    ({"profile": "photo", "filename": ["a.jpg"]}, 422, "field_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "nosuch": 1}, 422, "field_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "via": "carrier pigeon"}, 422, "field_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "vars": []}, 422, "field_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "vars": {"x": 1}}, 422, "vars_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "subject": "u"}, 422, "field_invalid"),
    ({"profile": "nosuch", "filename": "a.jpg"}, 404, "profile_unknown"),
    ({"profile": "photo", "filename": "a.exe"}, 415, "content_type_not_allowed"),
    ({"profile": "photo", "filename": "a.jpg", "content_type": "text/html"}, 415, "content_type_not_allowed"),
    (
        {"profile": "photo", "filename": "a.jpg", "content_type": "image/jpeg\r\nX: y"},
        415,
        "content_type_not_allowed",
    ),
    ({"profile": "photo", "filename": "a.jpg", "size": 20 * 1024**2 + 1}, 413, "size_over_limit"),
    ({"profile": "photo", "filename": "a.jpg", "size": 10**30}, 422, "size_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "size": 0}, 422, "size_under_limit"),
    ({"profile": "photo", "filename": "a.jpg", "size": -1}, 422, "size_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "size": "3"}, 422, "size_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "size": 3.0}, 422, "size_invalid"),
    ({"profile": "photo", "filename": "a.jpg", "size": True}, 422, "size_invalid"),
    ({"profile": "photo", "filename": ""}, 422, "filename_invalid"),
    ({"profile": "photo", "filename": ".."}, 422, "filename_invalid"),
    ({"profile": "photo", "filename": "\u202e\u0000"}, 422, "filename_invalid"),
    ({"profile": "photo", "filename": "图" * 100 + ".jpg"}, 422, "filename_invalid"),
    ({"profile": "photo", "filename": "x" * 10_000 + ".jpg"}, 422, "filename_invalid"),
    ({"profile": "photo", "files": []}, 422, "field_invalid"),
    ({"profile": "photo", "files": {}}, 422, "field_invalid"),
    ({"profile": "photo", "files": [1]}, 422, "field_invalid"),
    ({"profile": "photo", "files": [{"filename": "a.jpg"}] * 101}, 422, "field_invalid"),
    ({"profile": "photo", "files": [{"filename": "a.jpg"}] * 10_000}, 422, "field_invalid"),
    ({"profile": "photo", "files": [{"filename": "a.jpg", "profile": "file"}]}, 422, "field_invalid"),
    (
        {"profile": "photo", "files": [{"filename": "a.jpg"}, {"filename": "b.exe"}]},
        415,
        "content_type_not_allowed",
    ),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSALS, ids=lambda value: str(value)[:50])
def test_issue_refuses_bad_input_and_records_nothing(app, client, body, status, code):
    """Each bad request has its documented status and code; ledger and quota are as before."""
    ledger = app.extensions["signer"].ledger
    before = len(ledger.list_uploads(limit=500))

    response = client.post("/v1/uploads", data=body if isinstance(body, bytes) else json.dumps(body))

    assert_error(response, status, code)
    assert before == len(ledger.list_uploads(limit=500))


@pytest.mark.parametrize("profile", ["photo", "file"])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_issue_ends_in_documented_statuses_for_any_fields(client, profile, body):
    """Any value in any field is granted or refused, and never a crash."""
    for name in ("filename", "size", "content_type", "vars", "subject", "via", "profile", "files"):
        response = client.post(
            "/v1/uploads", data=json.dumps({"profile": profile, "filename": "a.jpg", name: body})
        )
        assert response.status_code in (201, 400, 404, 413, 415, 422, 429)


def test_issue_refuses_a_body_that_is_too_large(client):
    """A request of megabytes is refused before it is read."""
    assert_error(client.post("/v1/uploads", data=b"x" * (1024**2 + 1)), 413, "request_entity_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nosuch", 404, "not_found"),
        ("GET", "/v1/uploads/" + UNKNOWN, 404, "upload_unknown"),
        ("GET", "/v1/uploads/x", 404, "upload_unknown"),
        ("GET", "/v1/uploads/" + "x" * 5000, 404, "upload_unknown"),
        ("GET", "/v1/uploads/%00", 404, "upload_unknown"),
        ("POST", f"/v1/uploads/{UNKNOWN}/confirm", 404, "upload_unknown"),
        ("POST", "/v1/uploads/'--/confirm", 404, "upload_unknown"),
        ("DELETE", "/v1/uploads", 405, "method_not_allowed"),
        ("GET", "/callback", 405, "method_not_allowed"),
        ("POST", "/callback", 403, "callback_signature_invalid"),
        ("POST", "/callback/any/where?x=%ff", 403, "callback_signature_invalid"),
    ],
)
def test_every_refusal_has_the_one_shape(client, method, path, status, code):
    """Unknown addresses, ids and unsigned callbacks all answer in the same form."""
    assert_error(client.open(path, method=method), status, code)


def test_wrong_credentials_are_401_everywhere(client):
    """A wrong key is refused, even where everybody is welcome."""
    headers = {"Authorization": "Bearer nosuch"}
    for method, path in [
        ("POST", "/v1/uploads"), ("GET", "/v1/uploads/" + UNKNOWN),
        ("POST", f"/v1/uploads/{UNKNOWN}/confirm"), ("GET", "/v1/profiles"),
    ]:  # fmt: skip
        response = client.open(path, method=method, headers=headers, data=b"{}")
        assert_error(response, 401, "credentials_invalid")
        assert "Bearer" in response.headers["WWW-Authenticate"]


def test_grant_is_never_kept(client):
    """What is signed is not stored by caches on the way."""
    response = client.post("/v1/uploads", json={"profile": "photo", "filename": "a.jpg"})

    assert (201, "no-store") == (response.status_code, response.headers["Cache-Control"])
    assert ["upload_id", "method", "url", "fields", "object_key", "expires_at", "profile"] == list(
        response.json
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", response.json["expires_at"])


def test_show_upload_tells_its_state(client):
    """An issued upload is shown to who holds its id, without a link."""
    grant = client.post("/v1/uploads", json={"profile": "photo", "filename": "图.jpg"}).json
    shown = client.get("/v1/uploads/" + grant["upload_id"]).json

    assert ("issued", "图.jpg", None, None) == (
        shown["state"],
        shown["file_name"],
        shown["size"],
        shown["etag"],
    )
    assert "url" not in shown


def test_profiles_are_listed_with_their_limits(client):
    """A page can say the limits before a mistake."""
    photo, file = client.get("/v1/profiles").json["profiles"]

    assert ("photo", 20 * 1024**2, [".jpg", ".png", ".webp", ".gif"]) == (
        photo["name"], photo["max_size"], photo["extensions"],
    )  # fmt: skip
    assert ("file", 1024**3, ["*/*"]) == (file["name"], file["max_size"], file["content_types"])


def test_health_and_readiness(client):
    """The process lives, and can sign, verify and write."""
    assert {"status": "ok"} == client.get("/healthz").json
    assert (200, {"status": "ok"}) == ((ready := client.get("/readyz")).status_code, ready.json)


def test_readiness_fails_without_tables(tmp_path):
    """Before the migrations have run the server is not ready, and says what to do."""
    app = make_app(tmp_path)
    app.extensions["signer"].ledger.close()
    (tmp_path / "ossgate.sqlite3").unlink()
    again = create_app(load_settings(tmp_path / "ossgate.toml", environ={}))
    response = again.test_client().get("/readyz")
    again.extensions["signer"].ledger.close()

    assert 503 == response.status_code
    assert "db upgrade" in response.json["fix"]


def test_issue_answers_503_when_the_ledger_is_gone(tmp_path):
    """Without a ledger nothing is granted; the answer says when to come back."""
    app = make_app(tmp_path)
    app.extensions["signer"].ledger.close()
    response = app.test_client().post("/v1/uploads", json={"profile": "photo", "filename": "a.jpg"})

    assert_error(response, 503, "ledger_unavailable")
    assert "Retry-After" in response.headers


def test_request_id_is_taken_over_when_it_is_one(client):
    """An id of the proxy in front is kept; anything else is replaced."""
    assert (
        "abc-1.2_3" == client.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"}).headers["X-Request-ID"]
    )
    for wrong in ("a b", "x" * 65, '"', "é"):
        assert wrong != client.get("/healthz", headers={"X-Request-ID": wrong}).headers["X-Request-ID"]


def test_cors_answers_named_origins_alone(tmp_path):
    """Pages of the origins in the settings may call /v1, and no others."""
    app = make_app(
        tmp_path, lambda text: text.replace("[server]\n", '[server]\norigins = ["https://a.example"]\n')
    )
    client = app.test_client()

    def allowed(origin, path="/v1/profiles"):
        return client.get(path, headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin")

    assert ("https://a.example", None, None) == (
        allowed("https://a.example"), allowed("https://a.example.evil.example"), allowed("https://a.example", "/healthz"),
    )  # fmt: skip
    app.extensions["signer"].ledger.close()


def test_no_cors_without_origins(client):
    """By default no foreign page may call."""
    response = client.get("/v1/profiles", headers={"Origin": "https://a.example"})

    assert "Access-Control-Allow-Origin" not in response.headers


def test_forwarded_addresses_count_only_behind_named_proxies(tmp_path, client, app):
    """A client cannot choose whose quota it uses."""
    behind = make_app(tmp_path, lambda text: text.replace("[server]\n", "[server]\ntrusted_proxies = 1\n"))
    seen = []
    for made in (app, behind):
        response = made.test_client().post(
            "/v1/uploads",
            json={"profile": "photo", "filename": "a.jpg"},
            headers={"X-Forwarded-For": "192.0.2.9"},
        )
        seen.append(made.extensions["signer"].ledger.fetch_upload(response.json["upload_id"]).quota_key)
    behind.extensions["signer"].ledger.close()

    assert ["address:127.0.0.1", "address:192.0.2.9"] == seen


def test_refused_callbacks_are_kept_with_their_layer(app, client):
    """What was refused can be looked at later; states are as before."""
    client.post("/callback/x?y=1", data=b"{}", headers={"Authorization": "AAAA", "x-oss-pub-key-url": "AAAA"})
    ledger = app.extensions["signer"].ledger
    ledger.ping(timeout=2)
    newest = ledger.inbox.find_callbacks(CallbackFilter(verdict="refused"))[0]

    assert ("signature", "public_key_url_rejected", b"/callback/x?y=1", b"{}") == (
        newest.judgement.layer, newest.judgement.code, newest.request.raw_target, newest.request.body,
    )  # fmt: skip


def test_a_callback_that_is_too_large_is_not_read(client):
    """No callback of ours has more than 64 KB."""
    assert_error(client.post("/callback", data=b"x" * 70_000), 413, "callback_too_large")


def test_a_callback_in_chunks_is_not_larger_either(client):
    """Without a Content-Length it is counted as it comes, and neither verified nor kept."""
    answer = client.post(
        "/callback",
        input_stream=BytesIO(b"x" * 70_000),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert_error(answer, 413, "callback_too_large")


def test_log_names_the_request_and_no_secret(client, capfd):
    """Each event is one JSON line with the request's id; keys, tickets and signatures are not in it."""
    write_waiting_lines()
    capfd.readouterr()
    grant = client.post(
        "/v1/uploads", json={"profile": "photo", "filename": "a.jpg"}, headers={"X-Request-ID": "r1"}
    ).json
    client.post("/v1/uploads", data=b"x", headers={"Authorization": "Bearer hunter2"})
    write_waiting_lines()
    written = capfd.readouterr().out
    issued = json.loads(next(line for line in written.splitlines() if '"issued"' in line))

    assert ("issued", "r1", grant["upload_id"]) == (
        issued["event"],
        issued["request_id"],
        issued["upload_id"],
    )
    for secret in (
        "t" * 43,
        "s" * 43,
        "test-key-secret",
        "hunter2",
        grant["fields"]["policy"],
        grant["fields"]["x-oss-signature"],
    ):
        assert secret not in written
