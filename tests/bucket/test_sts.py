"""AssumeRole against a scripted STS: what is asked, and what each answer means."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ossgate.bucket.sts import AssumedRole, StsClient, StsUnavailable
from signer.acs3 import sign_call

POLICY = '{"Version":"1","Statement":[]}'
GIVEN = {
    "AccessKeyId": "STS.id", "AccessKeySecret": "secret", "SecurityToken": "token", "Expiration": "2026-01-02T04:04:05Z",
}  # fmt: skip


@pytest.fixture
def make_client(httpserver, credentials, now):
    made = []

    def make(**changes):
        role = replace(AssumedRole("acs:ram::1:role/r", httpserver.url_for("").rstrip("/")), **changes)
        made.append(StsClient(role, lambda: credentials, now=lambda: now, new_nonce=lambda: "nonce"))
        return made[-1]

    yield make
    for client in made:
        client.close()


def answer(httpserver, data, status=200):
    httpserver.expect_request("/", method="POST").respond_with_json(data, status)


def test_credentials_come_with_their_end(httpserver, make_client):
    """Id, secret, token, and until when."""
    answer(httpserver, {"RequestId": "r", "Credentials": GIVEN})
    given = make_client().assume_role(POLICY)

    assert ("STS.id", "secret", "token", datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)) == (
        given.access_key_id, given.access_key_secret, given.security_token, given.expires_at,
    )  # fmt: skip


def test_call_is_signed_with_all_that_it_says(httpserver, make_client, credentials, now):
    """Role, duration, session and policy are in the signed query."""
    answer(httpserver, {"Credentials": GIVEN})
    make_client(external_id="e+1", duration=900).assume_role(POLICY)
    request = httpserver.log[0][0]
    query = {
        "DurationSeconds": "900", "Policy": POLICY, "RoleArn": "acs:ram::1:role/r", "RoleSessionName": "ossgate",
        "ExternalId": "e+1",
    }  # fmt: skip
    expected = sign_call(
        "POST", f"localhost:{httpserver.port}", action="AssumeRole", version="2015-04-01", query=query.items(),
        credentials=credentials, now=now, nonce="nonce",
    )  # fmt: skip

    assert query == dict(request.args)
    assert expected == {name: request.headers[name] for name in expected}


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        ({"Code": "NoPermission", "Message": "role acs:ram::1:role/r"}, 403, "403 NoPermission"),
        ({"Code": "Throttling.User"}, 429, "429 Throttling.User"),
        ({"Code": 5}, 500, "500 5"),
        ({}, 500, "not STS's"),
        ({"Credentials": GIVEN}, 203, "not STS's"),
        ({}, 200, "not STS's"),
        ([], 200, "not STS's"),
        ({"Credentials": None}, 200, "not STS's"),
        ({"Credentials": GIVEN | {"Expiration": "soon"}}, 200, "not STS's"),
        ({"Credentials": GIVEN | {"SecurityToken": ""}}, 200, "without credentials"),
        ({"Credentials": GIVEN | {"AccessKeyId": 5}}, 200, "without credentials"),
    ],
)
def test_other_answers_give_none(httpserver, make_client, data, status, reason):
    """A refusal is told by its code alone; whatever else comes is not believed."""
    answer(httpserver, data, status)

    with pytest.raises(StsUnavailable) as refusal:
        make_client().assume_role(POLICY)

    assert reason in refusal.value.reason
    assert "acs:ram" not in str(refusal.value)


def test_answer_that_is_no_json_or_too_long(httpserver, make_client):
    """A proxy's page, and one without end."""
    httpserver.expect_ordered_request("/").respond_with_data("<html>", 200)
    httpserver.expect_ordered_request("/").respond_with_data("x" * 100_000, 200)

    for _ in range(2):
        with pytest.raises(StsUnavailable):
            make_client().assume_role(POLICY)


def test_refused_connection_gives_none(make_client):
    """A host that is not there."""
    with pytest.raises(StsUnavailable):
        make_client(endpoint="http://127.0.0.1:1").assume_role(POLICY)
