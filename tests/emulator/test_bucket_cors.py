"""The CORS rules of a bucket, and what preflights make of them."""

from typing import Any

import pytest

RULES = """<CORSConfiguration>
  <CORSRule><AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>x-oss-*</AllowedHeader><AllowedHeader>content-type</AllowedHeader>
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule>
  <CORSRule><AllowedOrigin>https://*.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>
  <ResponseVary>true</ResponseVary>
</CORSConfiguration>"""


def put(client: Any, body: str) -> Any:
    return client.send("PUT", query={"cors": ""}, body=body.encode())


def preflight(client: Any, origin: str, method: str, headers: str = "") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return client.request("OPTIONS", "/test-bucket/a.txt", headers=asked)


def test_rules_are_kept(client: Any) -> None:
    """The rules come back as they were put."""
    assert 200 == put(client, RULES).status
    answer = client.send("GET", query={"cors": ""})
    text = answer.body.decode()

    assert (200, "application/xml") == (answer.status, answer.headers["Content-Type"])
    assert 2 == text.count("<CORSRule>")
    for piece in (
        "<AllowedOrigin>https://*.example</AllowedOrigin>",
        "<AllowedHeader>x-oss-*</AllowedHeader>",
        "<ExposeHeader>ETag</ExposeHeader>",
        "<MaxAgeSeconds>5</MaxAgeSeconds>",
        "<ResponseVary>true</ResponseVary>",
    ):
        assert piece in text


def test_preflights_by_the_rules(client: Any) -> None:
    """The first rule that admits origin, method and every header answers."""
    put(client, RULES)
    found = preflight(client, "https://a.example", "PUT", "X-OSS-Date, Content-Type")

    assert (200, "https://a.example", "PUT", "5", "ETag") == (
        found.status,
        *(
            found.headers[f"Access-Control-{name}"]
            for name in ("Allow-Origin", "Allow-Methods", "Max-Age", "Expose-Headers")
        ),
    )
    assert "X-OSS-Date, Content-Type" == found.headers["Access-Control-Allow-Headers"]
    assert 200 == preflight(client, "https://b.example", "GET").status
    for refused in (
        preflight(client, "https://a.example", "PUT", "authorization"),
        preflight(client, "https://b.example", "PUT"),
        preflight(client, "https://other.test", "GET"),
        preflight(client, "https://a.example", "DELETE"),
    ):
        assert (403, "AccessForbidden") == refused.error[:2]


def test_plain_requests_by_the_rules(client: Any) -> None:
    """A request whose origin no rule admits is answered without the headers."""
    put(client, RULES)
    client.put()
    mine = client.send("GET", "a.txt", headers={"Origin": "https://c.example"})
    foreign = client.send("GET", "a.txt", headers={"Origin": "https://other.test"})
    none = client.send("GET", "a.txt")

    assert ("https://c.example", None, None) == tuple(
        answer.headers["Access-Control-Allow-Origin"] for answer in (mine, foreign, none)
    )
    assert ["Origin"] * 3 == [answer.headers["Vary"] for answer in (mine, foreign, none)]


def test_default_rule_until_rules_are_set(client: Any) -> None:
    """The rule of the options holds until rules are put or deleted."""
    assert 200 == preflight(client, "https://a.example", "PUT", "anything").status
    assert b"<AllowedOrigin>*</AllowedOrigin>" in client.send("GET", query={"cors": ""}).body
    assert 204 == client.send("DELETE", query={"cors": ""}).status
    answer = client.send("GET", query={"cors": ""})

    assert (404, "NoSuchCORSConfiguration", "The CORS Configuration does not exist.", "") == answer.error
    assert 403 == preflight(client, "https://a.example", "PUT").status


def test_created_buckets_have_none(client: Any) -> None:
    """A bucket that was made by the API has no rules."""
    client.send("PUT", bucket="new-bucket")

    assert 404 == client.send("GET", bucket="new-bucket", query={"cors": ""}).status


def make_rule(**changes: str) -> str:
    parts = {
        "AllowedOrigin": "*",
        "AllowedMethod": "GET",
        "AllowedHeader": "*",
        "ExposeHeader": "ETag",
        "MaxAgeSeconds": "1",
        **changes,
    }
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items())
    return f"<CORSRule>{inner}</CORSRule>"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("", "MalformedXML"),
        (make_rule() * 11, "InvalidArgument"),
        (make_rule(AllowedOrigin="*.*"), "InvalidArgument"),
        (make_rule(AllowedHeader="*x*"), "InvalidArgument"),
        (make_rule(ExposeHeader="*"), "InvalidArgument"),
        (make_rule(AllowedMethod="PATCH"), "InvalidArgument"),
        (make_rule(AllowedOrigin=""), "MalformedXML"),
        (make_rule(MaxAgeSeconds="-1"), "InvalidArgument"),
        ("<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>", "MalformedXML"),
        (make_rule(AllowedOrigin="x" * 16384), "EntityTooLarge"),
    ],
)
def test_bad_rules(client: Any, rules: str, code: str) -> None:
    """Rules that OSS refuses change nothing."""
    answer = put(client, f"<CORSConfiguration>{rules}</CORSConfiguration>")

    assert (400, code) == answer.error[:2]
    assert b"<AllowedOrigin>*</AllowedOrigin>" in client.send("GET", query={"cors": ""}).body


def test_wrong_digest(client: Any) -> None:
    """The document must be what Content-MD5 says."""
    headers = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    answer = client.send("PUT", query={"cors": ""}, body=RULES.encode(), headers=headers)

    assert (400, "InvalidDigest") == answer.error[:2]
