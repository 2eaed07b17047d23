"""Post Policies: documents that are refused, conditions that hold or do not."""

import base64
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.errors import OssError
from ossgate.emulator.policy import parse_policy

GOOD = {"expiration": "2030-01-01T00:00:00.000Z", "conditions": [{"bucket": "b"}]}
SIMPLE = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."


def encode(policy: object) -> str:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return base64.b64encode(text.encode()).decode()


BROKEN = [
    ("{expiration: 1}", 204, "Invalid JSON: unknown char e"),
    ('{"expiration":"x","conditions":[{"a":"b"} {"c":"d"}]}', 204, "Invalid JSON: , or ] expected"),
    ('{"expiration":"x" "conditions":[]}', 204, "Invalid JSON: , or } expected"),
    ("", 204, "Invalid JSON."),
    ('{"a":"\\x"}', 204, "Invalid JSON."),
    ("[" * 100_000, 204, None),
    ("[]", 201, None),
    ({}, 209, None),
    ({"conditions": [{"a": "b"}]}, 208, None),
    ({"expiration": GOOD["expiration"]}, 207, None),
    ({**GOOD, "expiration": 1}, 210, None),
    ({**GOOD, "expiration": ""}, 211, None),
    ({**GOOD, "expiration": "tomorrow"}, 212, None),
    ({**GOOD, "expiration": "2030-13-01T00:00:00Z"}, 212, None),
    ({**GOOD, "expiration": "2030-01-01T00:00:00+00:00"}, 212, None),
    ({**GOOD, "conditions": None}, 214, None),
    ({**GOOD, "conditions": {}}, 214, None),
    ({**GOOD, "conditions": []}, 215, SIMPLE),
    ({**GOOD, "conditions": [{}]}, 201, SIMPLE),
    ({**GOOD, "conditions": [{"a": "b", "c": "d"}]}, 201, SIMPLE),
    ({**GOOD, "conditions": [[]]}, 216, None),
    ({**GOOD, "conditions": [[1, "$a", "b"]]}, 216, None),
    ({**GOOD, "conditions": [["ends-with", "$a", "b"]]}, 217, None),
    ({**GOOD, "conditions": [["EQ", "$a", "b"]]}, 217, None),
    ({**GOOD, "conditions": [["eq", "$a", "b", "c"]]}, 218, None),
    ({**GOOD, "conditions": [["content-length-range", 2, 1]]}, 219, None),
    ({**GOOD, "conditions": [["content-length-range", "1", 2]]}, 220, "Invalid JSON. "),
    ({**GOOD, "conditions": [["content-length-range", 1, "2"]]}, 221, "Invalid JSON. "),
    ({**GOOD, "conditions": [["content-length-range", 1, True]]}, 221, "Invalid JSON. "),
    ({**GOOD, "conditions": ["eq"]}, 222, None),
    ({**GOOD, "conditions": [["in", "$a", "b"]]}, 224, None),
    ({**GOOD, "conditions": [["eq", "$a"]]}, 201, None),
    ({**GOOD, "conditions": [["eq", "", "b"]]}, 201, None),
    ({**GOOD, "conditions": [{"a": 1}]}, 201, None),
]


@pytest.mark.parametrize(("policy", "number", "detail"), BROKEN)
def test_structure_refused(policy: object, number: int, detail: str | None) -> None:
    """Each fault of the document has its EC, and where OSS's text is known, that text."""
    with pytest.raises(OssError) as caught:
        parse_policy(encode(policy))

    kind = caught.value.kind
    assert (400, "InvalidPolicyDocument", f"0006-{number:08d}") == (kind.status, kind.code, kind.ec)
    assert detail is None or f"Invalid Policy: {detail}" == kind.message


def test_policy_that_is_not_base64() -> None:
    """Base64 is read strictly."""
    with pytest.raises(OssError) as caught:
        parse_policy("no base64!")

    assert caught.value.kind.ec == "0006-00000204"


@pytest.mark.parametrize(
    "text", ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.5Z"]
)
def test_expiration_forms(text: str) -> None:
    """Milliseconds may be left out."""
    assert parse_policy(encode({**GOOD, "expiration": text})).expiration.year == 2030


HOLDS = [
    [["eq", "$key", "a.txt"]],
    [{"key": "a.txt"}],
    [["eq", "key", "a.txt"]],
    [["eq", "$KEY", "a.txt"]],
    [["starts-with", "$key", "a."], ["starts-with", "$key", ""]],
    [["in", "$key", ["b.txt", "a.txt"]]],
    [["not-in", "$key", ["b.txt"]]],
    [["not-in", "$cache-control", ["no-cache"]]],
    [["eq", "$bucket", "test-bucket"]],
    [["eq", "$content-type", "text/plain"]],
    [["in", "$Content-Type", ["text/plain", "image/png"]]],
    [["content-length-range", 5, 5]],
    [["content-length-range", 0, 10], ["content-length-range", 5, 20]],
]


@pytest.mark.parametrize("conditions", HOLDS)
def test_condition_holds(client: Any, conditions: list[Any]) -> None:
    """Every documented form of a condition lets a matching form pass."""
    assert client.post(client.make_fields(conditions)).status == 204


FAILS = [
    (["eq", "$key", "b.txt"], '["eq", "$key", "b.txt"]'),
    ({"key": "A.TXT"}, '["eq", "$key", "A.TXT"]'),
    (["eq", "key", "b"], '["eq", "$key", "b"]'),
    (["eq", "$bucket", "mingdi-bjx"], '["eq", "$bucket", "mingdi-bjx"]'),
    (["starts-with", "$key", "b"], '["starts-with", "$key", "b"]'),
    (["starts-with", "$absent", ""], '["starts-with", "$absent", ""]'),
    (["eq", "$x:token", "t"], '["eq", "$x:token", "t"]'),
    (["eq", "$callback", "abc"], '["eq", "$callback", "abc"]'),
    (["in", "$key", ["b", "c"]], '["in", "$key", ["b", "c"]]'),
    (["in", "$absent", ["b"]], '["in", "$absent", ["b"]]'),
    (["not-in", "$key", ["a.txt"]], '["not-in", "$key", ["a.txt"]]'),
    (["eq", "$content-type", "image/png"], '["eq", "$content-type", "image/png"]'),
    (["eq", "$key", "图"], '["eq", "$key", "图"]'),
]


@pytest.mark.parametrize(("condition", "printed"), FAILS)
def test_condition_fails(client: Any, condition: Any, printed: str) -> None:
    """A condition that does not hold is printed as OSS prints it, and nothing is stored."""
    answer = client.post(client.make_fields([condition]))

    message = f"Invalid according to Policy: Policy Condition failed: {printed}"
    assert (403, "AccessDenied", message, "0006-00000227") == answer.error
    assert client.head("a.txt").status == 404


def test_first_failure_is_told(client: Any) -> None:
    """Of several conditions the first that fails is printed."""
    answer = client.post(client.make_fields([["eq", "$key", "x"], ["eq", "$key", "y"]]))

    assert answer.error[2].endswith('["eq", "$key", "x"]')


def test_locked_callback_and_variables(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """A callback and a variable that the policy pins pass when they are sent unchanged."""
    encoded = callback(receiver.url)
    conditions = [["eq", "$callback", encoded], ["eq", "$x:token", "t"]]
    fields = client.make_fields(conditions, callback=encoded, **{"x:token": "t"})

    assert client.post(fields).status == 200
    assert client.post({**fields, "x:token": "T"}).status == 403
    del fields["callback"]
    assert client.post(fields).status == 403


def test_unnamed_fields_take_effect(client: Any) -> None:
    """A field that the policy does not name is accepted and obeyed, unlike in S3."""
    fields = client.make_fields(success_action_status="200", **{"x-oss-object-acl": "public-read"})

    assert client.post(fields).status == 200
    assert client.request("GET", "/test-bucket/a.txt").status == 200


@pytest.mark.parametrize(
    ("fields", "part", "effective"),
    [
        ({"x-oss-content-type": "a/a", "Content-Type": "c/c"}, "b/b", "a/a"),
        ({"Content-Type": "c/c"}, "b/b", "b/b"),
        ({"Content-Type": "c/c"}, None, "c/c"),
    ],
)
def test_content_type_condition_sees_the_effective_type(
    client: Any, fields: dict[str, str], part: str | None, effective: str
) -> None:
    """The condition and the stored object agree on the type."""
    good = client.make_fields([["eq", "$content-type", effective]], **fields)

    assert client.post(good, content_type=part).status == 204
    assert effective == client.head("a.txt").headers["Content-Type"]
    assert (
        client.post(client.make_fields([["eq", "$content-type", "x/x"]], **fields), content_type=part).status
        == 403
    )


@pytest.mark.parametrize("value", ["user/eric/\\${filename}", "user/eric/${filename}"])
def test_file_name_is_expanded_after_the_check(client: Any, value: str) -> None:
    """A condition sees the literal `${filename}`, with or without the backslash."""
    fields = client.make_fields([["eq", "$key", value]], key="user/eric/${filename}")

    assert client.post(fields, file_name="C:\\pictures\\cat.jpg").status == 204
    assert client.head("user/eric/cat.jpg").status == 200


def test_dollar_escaped_as_the_page_has_it(client: Any) -> None:
    r"""`\$` is no JSON, and accepted all the same."""
    fields = client.make_fields()
    named = [
        {name: fields[name]} for name in fields if name.startswith("x-oss-") and name != "x-oss-signature"
    ]
    text = json.dumps(client.make_policy([*named, ["eq", "$key", "cost-5$"]])).replace('5$"', '5\\$"')

    assert client.post(client.make_fields(policy=text, key="cost-5$")).status == 204


def test_expired(client: Any) -> None:
    """A policy past its time is refused."""
    answer = client.post(client.make_fields(expires_in=-1))

    message = "Invalid according to Policy: Policy expired."
    assert (403, "AccessDenied", message, "0006-00000213") == answer.error


def test_expiration_is_judged_when_the_body_is_here(start_emulator: Callable[..., Any]) -> None:
    """A slow upload can expire on its way."""
    moments = iter([0, 0, 700])
    start = datetime.now(UTC)
    client = start_emulator(now=lambda: start + timedelta(seconds=next(moments, 700)))
    answer = client.post(client.make_fields(now=start, expires_in=600))

    assert answer.error[3] == "0006-00000213"


@pytest.mark.parametrize(
    ("low", "high", "code", "ec"),
    [(0, 4, "EntityTooLarge", "0006-00000003"), (6, 9, "EntityTooSmall", "0006-00000004")],
)
def test_size_out_of_range(client: Any, low: int, high: int, code: str, ec: str) -> None:
    """The size is judged on the bytes themselves."""
    answer = client.post(client.make_fields([["content-length-range", low, high]]))

    assert (400, code, ec) == (answer.error[0], answer.error[1], answer.error[3])
    assert client.head("a.txt").status == 404


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
conditions = st.lists(
    st.lists(st.sampled_from(["eq", "in", "not-in", "starts-with", "content-length-range"]) | json_values)
    | json_values
)


@given(
    json_values | st.fixed_dictionaries({"expiration": st.just(GOOD["expiration"]), "conditions": conditions})
)
def test_any_document_ends_in_our_errors(document: Any) -> None:
    """Whatever JSON comes, it is a policy or it is refused."""
    with contextlib.suppress(OssError):
        parse_policy(encode(document)).check_conditions({"key": "a"}.get)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_any_text_ends_in_our_errors(text: str) -> None:
    """Whatever text comes, it is refused as a policy document."""
    with pytest.raises(OssError, match="InvalidPolicyDocument"):
        parse_policy(text)
