"""The bucket's own rules against overwriting."""

from collections.abc import Callable
from typing import Any

import pytest


def make_rule(prefix: str = "", suffix: str = "", identifier: str = "", principal: str = "") -> str:
    principals = f"<Principals><Principal>{principal}</Principal></Principals>" if principal else ""
    return (
        f"<Rule><ID>{identifier}</ID><Action>forbid</Action><Prefix>{prefix}</Prefix>"
        f"<Suffix>{suffix}</Suffix>{principals}</Rule>"
    )


def put(client: Any, *rules: str) -> Any:
    body = f"<OverwriteConfiguration>{''.join(rules)}</OverwriteConfiguration>"
    return client.send("PUT", query={"overwriteConfig": ""}, body=body.encode())


def test_rules_come_and_go(client: Any) -> None:
    """None at first; put all anew, told, deleted."""
    none = client.send("GET", query={"overwriteConfig": ""})
    message = "The bucket has no overwrite configuration."

    assert (404, "NoSuchBucketOverwriteConfig", message, "") == none.error
    assert 200 == put(client, make_rule("a/", identifier="one")).status
    assert 200 == put(client, make_rule("b/", ".png"), make_rule("c/", principal="*")).status
    text = client.send("GET", query={"overwriteConfig": ""}).body.decode()
    assert (2, False) == (text.count("<Action>forbid</Action>"), "one" in text)
    assert "<Principal>*</Principal>" in text
    assert 204 == client.send("DELETE", query={"overwriteConfig": ""}).status
    assert 404 == client.send("GET", query={"overwriteConfig": ""}).status


def test_every_way_of_writing_is_held(client: Any) -> None:
    """A taken key under a rule can be written by nobody, in no way."""
    put(client, make_rule("locked/"))
    key = "locked/a.txt"
    upload_id = client.initiate(key)
    client.upload_part(key, upload_id, 1, b"new")
    assert 200 == client.put(key).status
    answers = [
        client.put(key, b"new", x_oss_forbid_overwrite="false"),
        client.post(client.make_fields(key=key)),
        client.send("PUT", key, headers={"x-oss-copy-source": f"/test-bucket/{key}"}),
        client.send("POST", key, query={"uploads": ""}),
        client.complete(key, upload_id),
    ]

    message = "The object you specified already exists and can not be overwritten."
    assert [(409, "FileAlreadyExists", message, "")] * 5 == [answer.error for answer in answers]
    assert b"hello" == client.get(key).body


def test_only_keys_that_match(client: Any) -> None:
    """Prefix, suffix and principal must all match; stars in a prefix are letters."""
    put(client, make_rule("a/", ".png"), make_rule("*", ""), make_rule("b/", "", principal="other"))
    for key in ("a/x.txt", "x.png", "b/x"):
        client.put(key)
        assert 200 == client.put(key, b"new").status
    client.put("a/x.png")
    assert 409 == client.put("a/x.png").status


def test_void_on_versioned_buckets(start_emulator: Callable[..., Any]) -> None:
    """Where versions are kept, the rules stop nobody."""
    client = start_emulator(versioned=True)
    put(client, make_rule(""))
    client.put()

    assert 200 == client.put(body=b"new").status


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MalformedXML"),
        ([make_rule(str(number)) for number in range(101)], "InvalidArgument"),
        ([make_rule(identifier="a"), make_rule(identifier="a")], "InvalidArgument"),
        ([make_rule("x" * 1024)], "InvalidArgument"),
        ([make_rule().replace("forbid", "allow")], "InvalidArgument"),
        ([make_rule().replace("<Suffix>", "<Prefix>x</Prefix><Suffix>")], "InvalidArgument"),
    ],
)
def test_bad_rules(client: Any, rules: list[str], code: str) -> None:
    """Rules that OSS refuses change nothing."""
    assert (400, code) == put(client, *rules).error[:2]
    assert 404 == client.send("GET", query={"overwriteConfig": ""}).status
