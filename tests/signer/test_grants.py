"""Grants: what they hand out, and that a client can do nothing else with it."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from signer.callback_body import DEFAULT_JSON
from signer.callback_param import MAX_PARAM_LENGTH, CallbackDefinition
from signer.errors import (
    ConfigurationError,
    ContentTypeNotAllowed,
    FileNameInvalid,
    GrantRefused,
    GrantTooLarge,
    SizeOverLimit,
    SizeUnderLimit,
    SubjectInvalid,
    VariablesInvalid,
)
from signer.grants import Grant, GrantIssuer, GrantRequest
from signer.part_sizes import CLIENT_SIZED
from signer.profiles import Profile
from signer.seal import METADATA_NAME, SealKeys
from signer.ticket import TicketKeys
from signer.variables import VariableRule

UPLOAD_ID = "01KDYBB5M8000000000000TEST"
KEY = f"photos/anonymous/2026-01-02/{UPLOAD_ID}.jpg"
VARIABLES = {"album": VariableRule("album", max_length=512), "order": VariableRule("order", "integer")}

PINNED = [
    "key",
    "x-oss-content-type",
    "Content-Disposition",
    "success_action_status",
    "x-oss-object-acl",
    "x-oss-forbid-overwrite",
    "x-oss-storage-class",
    METADATA_NAME,
    "callback",
]
PINNED_BY_VERSION = {
    ("v4", None): ["x-oss-signature-version", "x-oss-credential", "x-oss-date"],
    ("v4", "CAIS"): ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"],
    ("v1", None): [],
    ("v1", "CAIS"): ["x-oss-security-token"],
}
# The signature itself: OSS checks it, so no condition has to.
SIGNATURE_FIELDS = {"v4": {"policy", "x-oss-signature"}, "v1": {"policy", "OSSAccessKeyId", "Signature"}}
# OSS obeys these when a client adds them, since no condition can demand that a field is absent.
OPEN = [
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Expires",
    "success_action_redirect",
    "x-oss-server-side-encryption",
    "x-oss-meta-anything",
    "x:anything",
]


def read_policy(grant: Grant) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(b64decode(grant.fields["policy"], validate=True))
    return policy


def read_callback(grant: Grant) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(b64decode(grant.fields["callback"], validate=True))
    return definition


def judge(
    grant: Grant, fields: dict[str, str], *, bucket: str = "examplebucket", size: int = 1234
) -> list[Any]:
    """Return the conditions that a form fails, as OSS evaluates them: names without case, values with."""
    posted = {name.lower(): value for name, value in fields.items()} | {"bucket": bucket}
    failed = []
    for condition in read_policy(grant)["conditions"]:
        if isinstance(condition, dict):
            [(name, value)] = condition.items()
            held = posted.get(name) == value.replace("\\$", "$")
        elif condition[0] == "eq":
            held = posted.get(condition[1].removeprefix("$")) == condition[2].replace("\\$", "$")
        else:
            kind, low, high = condition
            assert kind == "content-length-range"
            held = low <= size <= high
        if not held:
            failed.append(condition)
    return failed


def options(version: str, token: str | None) -> dict[str, Any]:
    return {"profile": {"signature": version}, "issuer": {"credentials": {"security_token": token}}}


def test_grant_has_the_known_form(make_grant: Callable[..., Grant]) -> None:
    """What a client reads, but for what is random or signed, and its fields in upload order."""
    shown = make_grant().to_json()
    fields = shown.pop("fields")

    assert shown == {
        "upload_id": UPLOAD_ID,
        "method": "POST",
        "url": "https://examplebucket.oss-cn-hangzhou.aliyuncs.com",
        "object_key": KEY,
        "expires_at": "2026-01-02T03:11:45Z",
        "profile": "photo",
    }
    assert list(fields) == [*PINNED, *PINNED_BY_VERSION["v4", None], "policy", "x-oss-signature"]
    assert [fields[name] for name in PINNED[:7]] == [
        KEY,
        "image/jpeg",
        'attachment; filename="photo.jpg"',
        "200",
        "default",
        "true",
        "Standard",
    ]


@pytest.mark.parametrize(("version", "token"), PINNED_BY_VERSION)
def test_every_field_is_pinned_to_its_value(
    version: str, token: str | None, make_grant: Callable[..., Grant]
) -> None:
    """Each field of the form but the signature has its `eq` condition; bucket and size have theirs; there is no other."""
    grant = make_grant(**options(version, token))
    pinned = [*PINNED, *PINNED_BY_VERSION[version, token]]

    assert set(grant.fields) == {*pinned, *SIGNATURE_FIELDS[version]}
    assert read_policy(grant)["conditions"] == [
        {"bucket": "examplebucket"},
        ["content-length-range", 1234, 1234],
        *(["eq", "$" + name.lower(), grant.fields[name]] for name in pinned),
    ]


@pytest.mark.parametrize(("version", "token"), PINNED_BY_VERSION)
def test_form_is_accepted_only_as_it_was_issued(
    version: str, token: str | None, make_grant: Callable[..., Grant]
) -> None:
    """Dropping or altering any field, another bucket or another size fails the policy; the form as it is does not."""
    grant = make_grant(**options(version, token))

    assert judge(grant, grant.fields) == []
    for name in [*PINNED, *PINNED_BY_VERSION[version, token]]:
        dropped = {other: value for other, value in grant.fields.items() if other != name}
        altered = grant.fields | {name: grant.fields[name] + "x"}
        emptied = grant.fields | {name: ""}
        shouted = grant.fields | {name: grant.fields[name].swapcase()}
        assert judge(grant, dropped), name
        assert judge(grant, altered), name
        assert judge(grant, emptied), name
        assert judge(grant, shouted) or grant.fields[name].isdigit(), name
    assert judge(grant, grant.fields, bucket="otherbucket")
    assert judge(grant, grant.fields, size=1233)
    assert judge(grant, grant.fields, size=1235)


def test_what_stays_open_is_known(make_grant: Callable[..., Grant]) -> None:
    """These fields can be added to any form: no condition of OSS can demand their absence."""
    grant = make_grant()
    for name in OPEN:
        assert name not in grant.fields
        assert judge(grant, grant.fields | {name: "x"}) == []


def test_size_is_exact_when_it_is_told_and_the_profiles_range_else(make_grant: Callable[..., Grant]) -> None:
    """A client that says the size is held to it."""
    told, untold = make_grant(size=5), make_grant(size=None, profile={"min_size": 2, "max_size": 9})

    assert read_policy(told)["conditions"][1] == ["content-length-range", 5, 5]
    assert read_policy(untold)["conditions"][1] == ["content-length-range", 2, 9]
    assert (untold.facts.size_min, untold.facts.size_max) == (2, 9)


def test_ticket_and_seal_prove_the_grants_own_facts(
    make_grant: Callable[..., Grant], ticket_keys: TicketKeys, seal_keys: SealKeys
) -> None:
    """The ticket stands in the pinned callback's body, the seal in the pinned metadata, and both hold the same facts."""
    grant = make_grant(profile={"variables": VARIABLES}, variables={"album": "猫"}, subject="user-42")
    body = read_callback(grant)["callbackBody"]
    ticket = json.loads(body[body.index('"ticket":') + 9 : -1])

    assert ticket_keys.verify_ticket(ticket) == grant.facts
    assert seal_keys.open_seal(grant.fields[METADATA_NAME]) == grant.facts
    assert grant.facts.object_key == grant.fields["key"]
    assert grant.facts.variables == {"album": "猫"}
    assert grant.facts.subject == "user-42"
    assert grant.facts.expires == grant.expires_at


def test_facts_tell_the_whole_grant(make_grant: Callable[..., Grant]) -> None:
    """Who asked, for whom, what may arrive and until when."""
    facts = make_grant(
        filename="C:\\fakepath\\照片.JPG", content_type="IMAGE/JPEG; x=1", caller="api_key:web"
    ).facts

    assert (facts.use, facts.profile, facts.issuer, facts.subject) == (
        "once",
        "photo",
        "api_key:web",
        "anonymous",
    )
    assert (facts.file_name, facts.content_type) == ("照片.JPG", "image/jpeg")
    assert facts.expires_at - facts.issued_at == 460


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"object_acl": "private"}, "x-oss-object-acl", "private"),
        ({"storage_class": "IA"}, "x-oss-storage-class", "IA"),
        ({"disposition": "inline"}, "Content-Disposition", 'inline; filename="photo.jpg"'),
        ({"object_key": "k/{upload_id}"}, "key", f"k/{UPLOAD_ID}"),
    ],
)
def test_profile_decides_what_the_form_says(
    change: dict[str, str], name: str, value: str, make_grant: Callable[..., Grant]
) -> None:
    """ACL, storage class, disposition and key are the profile's, whatever a client would like."""
    assert make_grant(profile=change).fields[name] == value


def test_content_type_is_guessed_when_it_is_not_told(make_grant: Callable[..., Grant]) -> None:
    """Browsers send none for what they do not know; the guess is then held to the profile's list."""
    assert make_grant(content_type="", filename="a.png").facts.content_type == "image/png"
    assert make_grant(content_type="", filename="a.zzz").facts.content_type == "application/octet-stream"
    with pytest.raises(ContentTypeNotAllowed):
        make_grant(content_type="", filename="a.exe", profile={"content_types": ("image/*",)})


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"filename": ".."}, FileNameInvalid, "filename_invalid"),
        ({"filename": "a" * 256}, FileNameInvalid, "filename_invalid"),
        ({"size": 0}, SizeUnderLimit, "size_under_limit"),
        ({"size": 21 * 1024**2}, SizeOverLimit, "size_over_limit"),
        ({"content_type": "nonsense"}, ContentTypeNotAllowed, "content_type_not_allowed"),
        (
            {"profile": {"content_types": ("image/png",)}},
            ContentTypeNotAllowed,
            "content_type_not_allowed",
        ),
        ({"variables": {"album": "a"}}, VariablesInvalid, "vars_invalid"),
        ({"subject": ""}, SubjectInvalid, "subject_invalid"),
        ({"subject": "u" * 129}, SubjectInvalid, "subject_invalid"),
        ({"subject": "图" * 43}, SubjectInvalid, "subject_invalid"),
        ({"subject": "a\nb"}, SubjectInvalid, "subject_invalid"),
        ({"subject": "a\u202eb"}, SubjectInvalid, "subject_invalid"),
        ({"subject": "\ud800"}, SubjectInvalid, "subject_invalid"),
        ({"caller": "api_key:" + "n" * 4000}, GrantTooLarge, "grant_too_large"),
    ],
    ids=ascii,
)
def test_request_outside_the_profile_is_refused(
    change: dict[str, Any], error: type[GrantRefused], code: str, make_grant: Callable[..., Grant]
) -> None:
    """Each reason has its own class and code, and a hint where the caller can do something."""
    with pytest.raises(error) as refusal:
        make_grant(**change)

    assert isinstance(refusal.value, GrantRefused)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "subject", ["u", "u" * 128, "用户 42", "用户\u3000一", "👨\u200d👩", "a/b@c.example.com"]
)
def test_subject_of_any_script_is_taken(subject: str, make_grant: Callable[..., Grant]) -> None:
    """Subjects are the application's own ids, blanks and joiners of other scripts among them."""
    assert make_grant(subject=subject).facts.subject == subject


def test_grant_shows_no_signed_field(make_grant: Callable[..., Grant]) -> None:
    """What is logged of a grant holds no signature, policy, ticket or seal."""
    grant = make_grant()
    shown = repr(grant)

    for name in ("policy", "x-oss-signature", "callback", METADATA_NAME):
        assert grant.fields[name] not in shown


def make_longest_callback(
    make_callback: Callable[..., CallbackDefinition], make_profile: Callable[..., Profile], **profile: Any
) -> CallbackDefinition:
    """Return the definition with the longest body with which a profile still loads."""
    fits, too_long = 0, 4000
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        try:
            make_profile(
                callback=make_callback(body=DEFAULT_JSON[:-1] + f',"n":"{"n" * middle}"}}'), **profile
            )
            fits = middle
        except ConfigurationError:
            too_long = middle
    return make_callback(body=DEFAULT_JSON[:-1] + f',"n":"{"n" * fits}"}}')


@pytest.mark.parametrize(
    "object_key", ["{upload_id}{ext}", "{name}/{upload_id}{ext}", "k" * 700 + "/{upload_id}"]
)
def test_profile_that_loads_grants_the_longest_request(
    object_key: str,
    make_callback: Callable[..., CallbackDefinition],
    make_profile: Callable[..., Profile],
    make_grant: Callable[..., Grant],
) -> None:
    """With the longest body that still loads, a request with everything at its longest is granted, and nearly fills 5,120."""
    profile: dict[str, Any] = {
        "name": "p" * 64,
        "object_key": object_key,
        "variables": VARIABLES,
        "max_size": 5 * 1024**3,
        "via": ("post",),
    }
    profile["callback"] = make_longest_callback(make_callback, make_profile, **profile)
    album = '"' * 249
    grant = make_grant(
        profile=profile,
        filename='"' * 255,
        subject='"' * 128,
        caller="session:" + '"' * 120,
        content_type="a/" + "b" * 125,
        size=None,
        variables={"album": album},
    )

    assert len(json.dumps({"album": album}, separators=(",", ":"))) in (510, 511, 512)
    assert MAX_PARAM_LENGTH - 800 < len(grant.fields["callback"]) <= MAX_PARAM_LENGTH


NASTY = st.text(st.sampled_from('"\\\u200d图👩a.\x00\u202e/ {}$%'), max_size=300) | st.text(
    st.characters(), max_size=80
)
LONG = st.text(st.sampled_from('"图a{} $'), min_size=60, max_size=100)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    filename=LONG | LONG | LONG | NASTY,
    subject=st.text(st.sampled_from('"\\a'), min_size=100, max_size=128) | NASTY,
    content_type=st.just("image/jpeg") | st.just("a/" + "b" * 125) | NASTY,
    album=st.text(st.sampled_from('"\\图'), max_size=160) | NASTY,
    order=st.integers(-(2**52), 2**52),
    caller=st.sampled_from([0, 1, 64, 64, 64, 65, 300, 3500]).map(lambda length: "api_key:" + "n" * length),
    size=st.none() | st.integers(1, 1000) | st.integers(-5, 2**40),
)
def test_no_grant_ever_passes_five_kilobytes(
    filename: str,
    subject: str,
    content_type: str,
    album: str,
    order: int,
    caller: str,
    size: int | None,
    tight: tuple[GrantIssuer, Profile],
    now: Any,
) -> None:
    """Under a profile that just loads, any request is refused by name or granted with a callback that OSS takes."""
    issuer, profile = tight
    request = GrantRequest(filename, size, content_type, {"album": album, "order": order})
    try:
        grant = issuer.issue_grant(profile, request, issuer=caller, subject=subject, now=now)
    except GrantTooLarge:
        # The other facts are bounded by themselves, and the profile's check reckons with all of them at their longest.
        event("too large")
        assert len(caller) > 72
        return
    except GrantRefused as refusal:
        event(refusal.code)
        return
    event("granted")
    assert len(grant.fields["callback"]) <= MAX_PARAM_LENGTH
    assert judge(grant, grant.fields, size=grant.facts.size_max) == []
    assert grant.fields["Content-Disposition"].isascii()
    assert len(grant.fields[METADATA_NAME]) < 8192


@pytest.fixture
def tight(
    make_issuer: Callable[..., GrantIssuer],
    make_profile: Callable[..., Profile],
    make_callback: Callable[..., CallbackDefinition],
) -> tuple[GrantIssuer, Profile]:
    """An issuer, and a profile whose callback body is as long as it may be."""
    limits: dict[str, Any] = {"object_key": "{subject}/{upload_id}-{name}{ext}", "variables": VARIABLES}
    callback = make_longest_callback(make_callback, make_profile, **limits)
    return make_issuer(), make_profile(callback=callback, **limits)


def test_parts_of_a_client_that_tells_no_size(
    make_issuer: Callable[..., GrantIssuer],
    make_profile: Callable[..., Profile],
    make_grant_request: Callable[..., GrantRequest],
    now: datetime,
) -> None:
    """A contract that knows no size gets the profile's range, and its table's name into every fact."""
    request = make_grant_request(size=None, open_size=True, dialect="companion")
    facts, _, part_size = make_issuer().plan_multipart(
        make_profile(), request, issuer="anonymous", subject="anonymous", now=now
    )

    assert (1, 20 * 1024**2, CLIENT_SIZED) == (facts.size_min, facts.size_max, part_size)
    assert "companion" == facts.dialect
