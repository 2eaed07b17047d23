"""Who may ask, over HTTP: each way through a real application, with the table of its refusals."""

import json
import time

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from ossgate.access import hash_api_key, new_api_key
from ossgate.access.key_file import revoke_key
from ossgate.logs import write_waiting_lines

KEY, OTHER_KEY = new_api_key(), new_api_key()
API_KEYS = f"""
[access.api_keys.backend]
hash = "{hash_api_key(KEY)}"
[access.api_keys.support]
hash = "{hash_api_key(OTHER_KEY)}"
operator = true
"""
JWT = """
[access.jwt]
secret = "file:secrets/jwt"
algorithms = ["HS256"]
issuer = "https://login.example/"
audience = "uploads"
operator_claim = "roles"
operator_value = "ops"
"""
PROXY = """
[access.proxy]
header = "X-User"
from = "127.0.0.1"
"""
SESSION = """
[access.session]
secret = "file:secrets/session"
"""
FILES = {"jwt": "s" * 64, "session": "a-secret-of-the-application"}
EVERY_WAY = '["anonymous", "api_key", "jwt", "proxy", "session", "bearer"]'
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def sign_session(**values):
    application = Flask("application")
    application.secret_key = FILES["session"]
    return SecureCookieSessionInterface().get_signing_serializer(application).dumps(values)


def as_session(user):
    return {"Cookie": f"session={sign_session(user_id=user)}", **OWN_PAGE}


@pytest.fixture
def app(make_app):
    return make_app(API_KEYS + JWT + PROXY + SESSION, allow=EVERY_WAY, files=FILES)


@pytest.fixture
def client(app):
    # No cookie jar: each request sends what its test says.
    return app.test_client(use_cookies=False)


@pytest.fixture
def sign(make_token):
    return lambda **claims: make_token("HMAC", {"alg": "HS256"}, **claims)


@pytest.mark.parametrize("way", ["jwt", "proxy", "session", "bearer", "api_key"])
def test_an_upload_is_its_subjects(app, client, ask, sign, way):
    """Each person sees their own upload and may confirm it; nobody else does, of the same way or of another; operators do."""

    def make_bearer(subject):
        made = client.post("/v1/bearers", json={"profile": "photo", "subject": subject}, headers=bearer(KEY))
        return made.json["token"]

    def headers_of(person):
        return {
            "jwt": lambda: bearer(sign(sub=person)),
            "proxy": lambda: {"X-User": person},
            "session": lambda: as_session(person),
            "bearer": lambda: bearer(KEY) if person == "alice" else bearer(sign(sub=person)),
            "api_key": lambda: bearer(KEY if person == "alice" else sign(sub=person)),
        }[way]()

    if way == "bearer":
        # Routes that declare it take the bearer; here the backend that made it looks after the upload.
        from ossgate.access.requests import identify_request
        from signer.issue_request import parse_issue_request

        services = app.extensions["signer"]
        with app.test_request_context("/?token=" + make_bearer("alice"), method="POST"):
            caller = identify_request(services.access, allow_query_bearer=True)
            wanted = parse_issue_request(b'{"profile":"photo","filename":"a.jpg"}')
            upload_id = services.issue_grants(wanted, caller)[0].facts.upload_id
    else:
        status, code, answer = ask(client, headers=headers_of("alice"))
        assert (201, None) == (status, code)
        upload_id = answer.json["upload_id"]
    path = f"/v1/uploads/{upload_id}"
    issuer = app.extensions["signer"].ledger.fetch_upload(upload_id).issuer

    assert {"bearer": "api_key:backend", "api_key": "api_key:backend"}.get(way, f"{way}:alice") == issuer
    assert 200 == client.get(path, headers=headers_of("alice")).status_code
    for stranger in (headers_of("bob"), {}, {"X-User": "alice" if way != "proxy" else "alic"}):
        assert "upload_unknown" == client.get(path, headers=stranger).json["error"]["code"]
        assert "upload_unknown" == client.post(path + "/confirm", headers=stranger).json["error"]["code"]
    assert 200 == client.get(path, headers=bearer(OTHER_KEY)).status_code
    assert 200 == client.get(path, headers=bearer(sign(sub="boss", roles=["ops"]))).status_code


@pytest.mark.parametrize("way", ["jwt", "proxy", "session"])
def test_only_api_keys_name_a_subject(client, ask, sign, way):
    """Whoever has a name of their own cannot take another."""
    headers = {"jwt": bearer(sign()), "proxy": {"X-User": "alice"}, "session": as_session("alice")}[way]

    assert (422, "field_invalid") == ask(client, headers=headers, fields={"subject": "bob"})[:2]
    status, _, answer = ask(client, headers=bearer(KEY), fields={"subject": "bob"})
    assert 201 == status
    assert "bob" == client.get("/v1/uploads/" + answer.json["upload_id"], headers=bearer(KEY)).json["subject"]


REFUSED_TOKENS = [
    ({"exp": 1}, "jwt_expired"),
    ({"nbf": 9_999_999_999}, "jwt_not_yet_valid"),
    ({"iss": "x"}, "jwt_issuer_wrong"),
    ({"aud": "x"}, "jwt_audience_wrong"),
    ({"sub": None}, "jwt_subject_invalid"),
    ({"exp": None}, "jwt_claim_missing"),
]


@pytest.mark.parametrize(("claims", "code"), REFUSED_TOKENS)
def test_wrong_tokens_are_401(client, ask, sign, claims, code):
    """A wrong token is refused in the one shape, even where everybody is welcome, and is not repeated anywhere."""
    token = sign(**claims)
    status, told, answer = ask(client, headers=bearer(token))

    assert (401, code) == (status, told)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert token.encode() not in answer.data


def test_cookies_of_foreign_pages_are_refused(client, ask):
    """A page of another site cannot ask in a visitor's name; what the visitor looks at is theirs."""
    cookie = {"Cookie": f"session={sign_session(user_id='alice')}"}

    assert (403, "csrf_refused") == ask(client, headers=cookie)[:2]
    assert (403, "csrf_refused") == ask(client, headers=cookie | {"Origin": "https://evil.example"})[:2]
    assert (201, None) == ask(client, headers=cookie | {"Origin": "http://localhost"})[:2]
    assert 200 == client.get("/v1/profiles", headers=cookie | {"Sec-Fetch-Site": "cross-site"}).status_code


def test_the_proxys_header_is_nobodys_but_the_proxys(make_app, ask):
    """From another address than the proxy's the header is nothing, whatever the forwarded address says."""
    app = make_app(PROXY, allow='["proxy"]', server="trusted_proxies = 1\n")
    client = app.test_client(use_cookies=False)

    def send(peer, **headers):
        return ask(client, headers={"X-User": "alice", **headers}, environ_base={"REMOTE_ADDR": peer})[:2]

    assert (201, None) == send("127.0.0.1", **{"X-Forwarded-For": "203.0.113.9"})
    assert (401, "credentials_missing") == send("203.0.113.9", **{"X-Forwarded-For": "127.0.0.1"})
    assert (401, "credentials_missing") == send("203.0.113.9")
    assert (401, "proxy_header_invalid") == ask(client, headers={"X-User": "alice, bob"})[:2]


@pytest.mark.parametrize("allow", ["anonymous", "api_key", "jwt", "proxy", "session", "bearer"])
def test_a_profile_is_open_to_whom_it_names(make_app, ask, sign, allow):
    """The default is deny, for every way."""
    app = make_app(API_KEYS + JWT + PROXY + SESSION, allow=f'["{allow}"]', files=FILES)
    client = app.test_client(use_cookies=False)
    callers = {
        "anonymous": {}, "api_key": bearer(KEY), "jwt": bearer(sign()), "proxy": {"X-User": "a"}, "session": as_session("a"),
    }  # fmt: skip
    for way, headers in callers.items():
        expected = (
            (201, None) if way == allow
            else (401, "credentials_missing") if way == "anonymous"
            else (403, "profile_forbidden")
        )  # fmt: skip
        assert expected == ask(client, headers=headers)[:2]
        listed = client.get("/v1/profiles", headers=headers).json["profiles"]
        assert (2 if way == allow else 0) == len(listed)


def test_api_keys_come_and_go_while_it_runs(make_app, ask, tmp_path):
    """A revoked key is refused without a restart, and so are the bearers that it made."""
    from ossgate.access import ApiKey
    from ossgate.access.key_file import add_key

    app = make_app(allow='["api_key", "bearer"]')
    client = app.test_client()
    file = tmp_path / "app0" / "secrets" / "api-keys.toml"
    assert (401, "credentials_invalid") == ask(client, headers=bearer(KEY))[:2]

    add_key(file, ApiKey("late", hash_api_key(KEY)))
    wait_for(lambda: ask(client, headers=bearer(KEY))[0] == 201)
    made = client.post("/v1/bearers", json={"profile": "photo", "subject": "u"}, headers=bearer(KEY)).json[
        "token"
    ]
    revoke_key(file, "late")
    wait_for(lambda: ask(client, headers=bearer(KEY))[:2] == (401, "credentials_invalid"))

    from ossgate.access import AccessDenied
    from ossgate.access.requests import identify_request

    with app.test_request_context(f"/?token={made}"), pytest.raises(AccessDenied) as denied:
        identify_request(app.extensions["signer"].access, allow_query_bearer=True)
    assert "bearer_revoked" == denied.value.code


def wait_for(holds):
    ends_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_bearers_are_made_for_keys_and_tokens(client, sign):
    """An API key names the person, a token is one; the answer says what the bearer is good for."""
    made = client.post(
        "/v1/bearers", json={"profile": "photo", "subject": "u", "expires_in": 60}, headers=bearer(KEY)
    )

    assert (201, "no-store") == (made.status_code, made.headers["Cache-Control"])
    assert {"token", "profile", "subject", "expires_in", "expires_at"} == set(made.json)
    assert ("photo", "u", 60) == (made.json["profile"], made.json["subject"], made.json["expires_in"])
    assert (
        "alice"
        == client.post("/v1/bearers", json={"profile": "photo"}, headers=bearer(sign())).json["subject"]
    )


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ("key", b"x", 400, "bad_request"),
        ("key", b"[]", 400, "bad_request"),
        ("key", b"[" * 10_000, 400, "bad_request"),
        ("key", {}, 422, "field_invalid"),
        ("key", {"profile": "photo"}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": 7}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "x" * 129}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "a\u202e"}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "u", "expires_in": 3601}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "u", "expires_in": 0}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "u", "expires_in": True}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "u", "expires_in": "60"}, 422, "field_invalid"),
        ("key", {"profile": "photo", "subject": "u", "more": 1}, 422, "field_invalid"),
        ("key", {"profile": ["photo"], "subject": "u"}, 422, "field_invalid"),
        ("key", {"profile": "nosuch", "subject": "u"}, 404, "profile_unknown"),
        ("jwt", {"profile": "photo", "subject": "bob"}, 422, "field_invalid"),
        ("nobody", {"profile": "photo"}, 401, "credentials_missing"),
        ("proxy", {"profile": "photo"}, 403, "bearer_forbidden"),
        ("session", {"profile": "photo"}, 403, "bearer_forbidden"),
        ("wrong", {"profile": "photo"}, 401, "credentials_invalid"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bearers_that_are_not_made(client, sign, who, body, status, code):
    """Each request that cannot be met has its status and code."""
    headers = {
        "key": bearer(KEY), "jwt": bearer(sign()), "nobody": {}, "proxy": {"X-User": "a"}, "session": as_session("a"),
        "wrong": bearer("x"),
    }[who]  # fmt: skip
    answer = client.post(
        "/v1/bearers", data=body if isinstance(body, bytes) else json.dumps(body), headers=headers
    )

    assert (status, code) == (answer.status_code, answer.json["error"]["code"])


def test_bearers_are_for_profiles_that_name_them(make_app):
    """A profile that does not let bearers in has none made for it, and neither has one that is closed to the maker."""
    for allow in ('["api_key"]', '["bearer"]'):
        client = make_app(API_KEYS, allow=allow).test_client()
        answer = client.post("/v1/bearers", json={"profile": "photo", "subject": "u"}, headers=bearer(KEY))
        assert (403, "profile_forbidden") == (answer.status_code, answer.json["error"]["code"])


def test_a_bearer_in_the_query_counts_only_where_it_is_declared(client, ask, capfd):
    """The routes of /v1 take none; an answer to an address with one lets no page hand it on, and no log holds it."""
    token = client.post("/v1/bearers", json={"profile": "photo", "subject": "u"}, headers=bearer(KEY)).json[
        "token"
    ]
    answer = client.get(f"/v1/profiles?token={token}")
    missing = client.get(f"/v1/nosuch?token={token}")
    write_waiting_lines()
    written = capfd.readouterr().out

    assert "no-referrer" == answer.headers["Referrer-Policy"] == missing.headers["Referrer-Policy"]
    assert '"/v1/nosuch"' in written
    assert token not in written


def test_rates_are_told_and_kept(make_app, ask):
    """Each answer says where the caller stands; the one too many is 429 with the time to come back."""
    client = make_app('[limits]\nissue = "2/hour"\nconfirm = "1/hour"\n').test_client()
    told = [ask(client) for _ in range(3)]

    assert [(201, None), (201, None), (429, "rate_limited")] == [one[:2] for one in told]
    assert '"issue-anonymous";q=2;w=3600' == told[0][2].headers["RateLimit-Policy"]
    assert told[0][2].headers["RateLimit"].startswith('"issue-anonymous";r=1;t=')
    assert told[2][2].headers["RateLimit"].startswith('"issue-anonymous";r=0;t=')
    assert 1 <= int(told[2][2].headers["Retry-After"]) <= 3600
    assert "no-store" == told[2][2].headers["Cache-Control"]
    codes = [client.post("/v1/uploads/x/confirm").json["error"]["code"] for _ in range(2)]
    assert ["upload_unknown", "rate_limited"] == codes


def test_a_backend_confirms_for_each_of_its_people(make_app, ask):
    """What one subject of a backend confirms is not counted against another."""
    client = make_app(
        API_KEYS + '[limits]\nconfirm = "1/hour"\nper = ["subject"]\n', allow='["api_key"]'
    ).test_client()
    uploads = [
        ask(client, headers=bearer(KEY), fields={"subject": one})[2].json["upload_id"] for one in ("u1", "u2")
    ]

    def confirm(upload_id):
        return client.post(f"/v1/uploads/{upload_id}/confirm", headers=bearer(KEY)).json["error"]["code"]

    assert "rate_limited" not in [confirm(one) for one in uploads]
    assert ["rate_limited"] * 2 == [confirm(one) for one in uploads]


def test_each_url_of_a_part_counts(make_app, ask):
    """Whoever asks for many parts at once has asked often, known upload or not; so it is in contracts of other clients."""
    client = make_app('[limits]\nparts = "4/hour"\n').test_client()
    own = ask(client)[2].json["upload_id"]
    unknown = "01KDYBB5M8000000000000TEST"

    def sign(upload_id, count):
        return client.post(f"/v1/uploads/{upload_id}/parts", json={"part_numbers": list(range(1, count + 1))})

    told = [sign(own, 2), sign(unknown, 9), sign(own, 2)]
    assert [409, 404, 429] == [answer.status_code for answer in told]
    assert told[1].headers["RateLimit"].startswith('"parts-anonymous";r=1;t=')
    assert 404 == client.get(f"/s3/multipart/{unknown}/1?key=k").status_code
    assert 429 == client.get(f"/s3/multipart/{unknown}/1?key=k").status_code
    part = {"method": "PUT", "key": "k", "uploadId": "x", "partNumber": 1}
    assert 429 == client.post("/uppy/sign", json=part).status_code


def test_rates_hold_for_the_plain_form_too(make_app):
    """The page without scripts asks at the same rate."""
    client = make_app('[limits]\nissue = "1/hour"\n').test_client()
    form = {"profile": "photo", "content_type": "image/jpeg"}

    assert [200, 429] == [client.post("/form", data=form, headers=OWN_PAGE).status_code for _ in range(2)]


@pytest.mark.parametrize(
    ("path", "credentials", "status", "words"),
    [
        ("/", bearer("ossgate_wrong"), 401, "Your sign-in is no longer valid."),
        ("/", {"X-User": "a, b"}, 401, "more than one"),
        (
            "/uploads/01KDYBB5M8000000000000TEST",
            bearer("ossgate_wrong"),
            401,
            "Your sign-in is no longer valid.",
        ),
        ("/form", {"Sec-Fetch-Site": "same-origin"}, 401, "You need to sign in first."),
        ("/form", bearer(KEY), 403, "You may not upload files of this kind."),
    ],
)
def test_people_are_refused_on_a_page(make_app, path, credentials, status, words):
    """Whoever opened a page reads why, as a page; only programs are answered JSON."""
    app = make_app(API_KEYS + JWT + PROXY + SESSION, allow='["jwt"]', files=FILES)
    method = "POST" if path == "/form" else "GET"
    answer = app.test_client().open(path, method=method, data={"profile": "photo"}, headers=credentials)

    assert (status, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert words in answer.text
    assert "Back to the upload page" in answer.text
    assert (status == 401) is ("WWW-Authenticate" in answer.headers)


def test_a_refused_request_records_nothing(make_app, ask):
    """Neither the ledger nor the quota notices who was refused."""
    app = make_app('[limits]\nissue = "1/hour"\n')
    client = app.test_client()
    for _ in range(5):
        ask(client)

    assert 1 == len(app.extensions["signer"].ledger.list_uploads(limit=50))


def test_rates_are_off_when_they_are_empty(make_app, ask):
    """An operator who limits elsewhere says so."""
    client = make_app('[limits]\nissue = ""\n').test_client()
    answer = ask(client)[2]

    assert 201 == answer.status_code
    assert "RateLimit" not in answer.headers


@pytest.fixture
def origin_client(make_app):
    """An application whose profile photo is open to one origin, and all to another."""
    app = make_app(
        server='origins = ["https://all.example"]\n',
        change=lambda text: text.replace(
            "[profiles.photo]\n", '[profiles.photo]\norigins = ["https://a.example"]\n'
        ),
    )
    return app.test_client()


def test_preflights_allow_the_union(origin_client):
    """A preflight cannot know the profile; it allows whoever may use any."""
    for origin, allowed in [
        ("https://all.example", True), ("https://a.example", True), ("https://b.example", False), ("https://A.example", False),
        ("https://a.example.evil.example", False), ("http://a.example", False), ("null", False),
    ]:  # fmt: skip
        answer = origin_client.options(
            "/v1/uploads",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )
        assert (origin if allowed else None) == answer.headers.get("Access-Control-Allow-Origin")
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_page_that_is_foreign_to_the_profile_is_refused(origin_client, ask):
    """The request itself is judged by its profile, and so are the uploads that come of it; the page may read why."""
    for origin, profile, expected in [
        ("https://a.example", "photo", (201, None)),
        ("https://a.example", "file", (403, "origin_forbidden")),
        ("https://all.example", "file", (201, None)),
        ("https://b.example", "photo", (403, "origin_forbidden")),
        ("null", "photo", (403, "origin_forbidden")),
        ("http://localhost", "file", (201, None)),
    ]:
        status, code, answer = ask(origin_client, profile, headers={"Origin": origin})
        assert expected == (status, code)
        if origin == "https://a.example":
            assert origin == answer.headers["Access-Control-Allow-Origin"]
            assert "RateLimit" in answer.headers["Access-Control-Expose-Headers"]
    listed = origin_client.get("/v1/profiles", headers={"Origin": "https://a.example"}).json["profiles"]
    assert ["photo"] == [profile["name"] for profile in listed]
    path = "/v1/uploads/" + ask(origin_client, "file")[2].json["upload_id"]
    for method, address in (("GET", path), ("POST", path + "/confirm")):
        answer = origin_client.open(address, method=method, headers={"Origin": "https://a.example"})
        assert (403, "origin_forbidden") == (answer.status_code, answer.json["error"]["code"])


@pytest.fixture
def provider(httpserver, keys):
    """A provider whose published keys a test changes."""

    def publish(*names, status=200):
        httpserver.clear()
        document = {"keys": [keys[name].as_dict(private=False) for name in names]}
        httpserver.expect_request("/jwks.json").respond_with_json(document, status=status)

    publish("RSA")
    return publish


def test_tokens_of_a_provider_through_rotation_and_outage(make_app, ask, make_token, httpserver, provider):
    """The whole way: nothing fetched at start, keys on first use, an outage survived, a rotation followed."""
    provider("RSA", status=503)
    client = make_app(
        f"""
[access.jwt]
jwks_url = "{httpserver.url_for("/jwks.json")}"
algorithms = ["RS256"]
issuer = "https://login.example/"
audience = "uploads"
""",
        allow='["jwt"]',
        change=lambda text: text.replace('"http_callback",', '"http_callback", "http_jwks",'),
    ).test_client()
    assert [] == httpserver.log

    status, code, answer = ask(client, headers=bearer(make_token()))
    assert (503, "jwt_keys_unavailable", "5") == (status, code, answer.headers["Retry-After"])
    provider("RSA")
    cache = client.application.extensions["signer"].access._jwt._keys
    cache._clock = lambda: time.monotonic() + 10
    assert (201, None) == ask(client, headers=bearer(make_token()))[:2]
    provider("RSA", status=500)
    cache._clock = lambda: time.monotonic() + 1000
    assert (201, None) == ask(client, headers=bearer(make_token()))[:2]
    # The old keys are fetched anew beside that request; the provider recovers only after this has failed.
    while cache._under_way:
        time.sleep(0.01)
    provider("RSA", "RSA-2")
    assert (401, "jwt_key_unknown") == ask(client, headers=bearer(make_token("RSA-2")))[:2]
    cache._clock = lambda: time.monotonic() + 2000
    assert (201, None) == ask(client, headers=bearer(make_token("RSA-2")))[:2]
