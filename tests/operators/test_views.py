"""What operators ask over HTTP, and that nobody else gets it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey

from ossgate.ledger import Arrival

Ask = Callable[..., Any]
Issue = Callable[..., str]
UNKNOWN = "01KE00000000000000000000AA"
PATHS = [
    "/v1/uploads",
    f"/v1/uploads/{UNKNOWN}/history",
    "/v1/callbacks",
    f"/v1/callbacks/{UNKNOWN}",
    "/v1/counts",
]


@pytest.mark.parametrize("path", PATHS)
def test_only_operators_are_answered(ask: Ask, path: str) -> None:
    """Nobody in particular is asked for a key, and a backend's key will not do."""
    answers = [ask(path, key=key) for key in (None, "ossgate_backend", "nosuch")]

    assert [(answer.status_code, answer.json["error"]["code"]) for answer in answers] == [
        (401, "credentials_missing"),
        (403, "operator_required"),
        (401, "credentials_invalid"),
    ]


def test_operators_may_come_with_a_token(make_app: Callable[..., Flask]) -> None:
    """A token whose claim names an operator is as good as a key; one without is not."""
    app = make_app(
        lambda text: (
            text
            + '\n[access.jwt]\nsecret = "file:secrets/seal.key"\nalgorithms = ["HS256"]\naudience = "uploads"\n'
            'operator_claim = "role"\noperator_value = "operator"\n'
        )
    )
    claims = {"sub": "olga", "aud": "uploads", "exp": int(time.time()) + 60}
    answers = []
    for role in ("operator", "clerk"):
        token = jwt.encode({"alg": "HS256"}, claims | {"role": role}, OctKey.import_key(b"s" * 43))
        answers.append(app.test_client().get("/v1/counts", headers={"Authorization": f"Bearer {token}"}))

    assert [answer.status_code for answer in answers] == [200, 403]


def test_pages_of_other_origins_are_refused(make_app: Callable[..., Flask]) -> None:
    """An origin that one profile allows does not see what all others do."""
    app = make_app(
        lambda text: text.replace("[profiles.photo]\n", '[profiles.photo]\norigins = ["https://a.example"]\n')
    )
    headers = {"Authorization": "Bearer ossgate_operator", "Origin": "https://a.example"}
    response = app.test_client().get("/v1/uploads", headers=headers)

    assert (response.status_code, response.json["error"]["code"]) == (403, "origin_forbidden")


def test_list_is_walked_by_cursors_in_a_stable_order(ask: Ask, issue: Issue) -> None:
    """Pages follow each other without gap or repeat, also when something new comes in between."""
    ids = [issue() for _ in range(5)]
    seen, cursor = [], None
    for _ in range(9):
        answer = ask("/v1/uploads", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += [upload["upload_id"] for upload in answer["uploads"]]
        cursor = answer["next_cursor"]
        issue()
        if cursor is None:
            break

    assert seen == sorted(ids, reverse=True)


def test_list_shows_what_operators_need_and_no_links(app: Flask, ask: Ask, issue: Issue) -> None:
    """Each upload has its issuer and way beside what its uploader sees; links to objects are for one at a time."""
    upload_id = issue("图.jpg")
    services = app.extensions["signer"]
    upload = services.ledger.fetch_upload(upload_id)
    services.ledger.record_arrival(
        Arrival(
            upload=upload, target="uploaded", size=3, etag="E", content_type="image/jpeg", via="callback", reply=b"{}"
        ),
        now=datetime.now(UTC),
        timeout=2,
    )  # fmt: skip
    (listed,) = ask("/v1/uploads").json["uploads"]
    shown = ask(f"/v1/uploads/{upload_id}/history").json

    assert ("uploaded", "anonymous", "post", "callback", "demo-bucket", "图.jpg") == tuple(
        listed[name] for name in ("state", "issuer", "via", "arrived_via", "bucket", "file_name")
    )
    assert "url" not in listed
    assert shown["upload"].keys() - listed.keys() == {"url", "thumbnails"}
    assert [change["claim"] for change in shown["changes"]] == ["issued", "uploaded"]
    assert shown["truncated"] is False


def test_list_is_filtered(ask: Ask, issue: Issue) -> None:
    """Filters of the query narrow the list."""
    photo, file = issue("Cat.jpg"), issue("a.bin", "file")

    def find(**query: Any) -> list[str]:
        return [upload["upload_id"] for upload in ask("/v1/uploads", **query).json["uploads"]]

    assert find(profile="file") == [file]
    assert find(q="cat", state="issued") == [photo]
    assert find(q=file[:26].lower()) == [file]
    assert find(q="files/") == [file]
    assert find(subject="nobody") == find(state="uploaded") == []
    assert find(created_from="2020-01-01T00:00:00Z", created_until="2120-01-01T00:00:00Z") == [file, photo]
    assert find(created_until="2020-01-01T00:00:00+08:00") == find(created_from="2120-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    [
        "state=nosuch", "state=", "staet=issued", "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "limit=%D9%A1",
        "cursor=x", "cursor=", "cursor=MTAx", "cursor=MTAx%0A", "cursor=%F0%9F%98%80", "q=", "q=%00", "q=" + "x" * 257,
        "profile=a%0Ab", "subject=%E2%80%AE", "created_from=yesterday", "created_from=2026-01-02",
        "created_from=2026-13-02T03:04:05Z", "created_until=2026-01-02T03:04:05", "created_until=0001-01-01T00:00:00%2B23:59",
    ],
)  # fmt: skip
def test_bad_queries_are_422(client: FlaskClient, query: str) -> None:
    """A parameter of another form is refused, never ignored."""
    response = client.get("/v1/uploads?" + query, headers={"Authorization": "Bearer ossgate_operator"})

    assert (response.status_code, response.json["error"]["code"]) == (422, "field_invalid")


def test_history_of_nothing_is_404(ask: Ask) -> None:
    """An id that is none, or nobody's, is not found."""
    for upload_id in (UNKNOWN, "x", "%00"):
        assert ask(f"/v1/uploads/{upload_id}/history").status_code == 404


def test_callbacks_are_listed_by_filter_and_shown_without_secrets(
    app: Flask, client: FlaskClient, ask: Ask
) -> None:
    """Whatever was made of them, by pages; one is told with its headers and body."""
    secret = "T1.eyJ" + "x9_" * 30
    for number in range(3):
        body = b'{"ticket":"' + secret.encode() + b'"}\xff\x00'
        headers = {"Authorization": "a/b+" * 22, "Cookie": "session=1", "x-oss-tag": "CALLBACK"}
        client.post(f"/callback/{number}?token={secret}", data=body, headers=headers)
    app.extensions["signer"].ledger.ping(timeout=5)
    page = ask("/v1/callbacks", limit=2, verdict="refused", layer="signature").json
    rest = ask("/v1/callbacks", limit=2, cursor=page["next_cursor"], verdict="refused").json
    none = [
        ask("/v1/callbacks", **wanted).json["callbacks"]
        for wanted in (
            {"verdict": "believed"}, {"code": "nosuch"}, {"upload_id": UNKNOWN}, {"remote_addr": "192.0.2.9"},
            {"received_until": "2020-01-01T00:00:00Z"}, {"received_from": "2120-01-01T00:00:00Z"},
        )
    ]  # fmt: skip
    first = page["callbacks"][0]
    shown = ask(f"/v1/callbacks/{first['callback_id']}")

    assert (2, 1, None) == (len(page["callbacks"]), len(rest["callbacks"]), rest["next_cursor"])
    assert [[]] * 6 == none
    assert [f"/callback/{number}?token=[redacted]" for number in range(3)] == sorted(
        each["raw_target"] for each in page["callbacks"] + rest["callbacks"]
    )
    assert ("refused", "signature", "callback_signature_invalid", True) == (
        first["verdict"], first["layer"], first["code"], first["replayable"],
    )  # fmt: skip
    assert {"authorization": "[redacted]", "x-oss-tag": "CALLBACK"}.items() <= shown.json["headers"].items()
    assert shown.json["body"].startswith('{"ticket":"[redacted]"}')
    assert (False, False) == (secret in shown.text, "session" in shown.text)


@pytest.mark.parametrize(
    "query", ["verdict=nosuch", "layer=x", "code=", "received_from=now", "state=issued", "limit=0"]
)
def test_bad_queries_of_the_inbox_are_422(ask: Ask, client: FlaskClient, query: str) -> None:
    """A filter that is misspelt never shows everything."""
    response = client.get("/v1/callbacks?" + query, headers={"Authorization": "Bearer ossgate_operator"})

    assert (response.status_code, response.json["error"]["code"]) == (422, "field_invalid")


def test_callback_that_is_not_kept_is_404(ask: Ask) -> None:
    """An id of nothing, or none at all."""
    for callback_id in (UNKNOWN, "x", "%00"):
        answer = ask(f"/v1/callbacks/{callback_id}")
        assert (404, "callback_unknown") == (answer.status_code, answer.json["error"]["code"])


def test_counts_are_by_state(ask: Ask, issue: Issue) -> None:
    """Every state has its number, also when it is nought."""
    issue()
    counts = ask("/v1/counts").json
    later = ask("/v1/counts", created_from="2120-01-01T00:00:00Z").json

    assert counts["states"] == {
        "issued": 1, "expired": 0, "unconfirmed": 0, "uploaded": 0, "aborted": 0, "deleted": 0,
    }  # fmt: skip
    assert counts["refusals"] == 0
    assert later["states"]["issued"] == 0


def test_answers_are_never_kept(ask: Ask) -> None:
    """What operators see is stored by no cache."""
    assert ask("/v1/uploads").headers["Cache-Control"] == "no-store"
