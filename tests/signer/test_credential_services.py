"""Temporary credentials: what is asked of STS, what is handed out, and when again."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ossgate.access import Caller
from ossgate.access.rates import RateLimits
from ossgate.bucket.sts import AssumedRole, StsUnavailable
from ossgate.ledger import Ledger, QuotaExceeded
from signer import errors
from signer.callback_body import DEFAULT_FORM
from signer.callback_param import CallbackDefinition
from signer.credential_request import parse_credential_request
from signer.credential_services import CredentialServices, choose_margin
from signer.credentials import Credentials
from signer.grants import GrantIssuer, GrantRequest
from signer.object_keys import compile_prefix_template
from signer.places import define_place
from signer.prefix_grants import PrefixKeys
from signer.profiles import Profile, Quota
from signer.seal import METADATA_NAME, SealKeys
from signer.services import ProfileUnknown, SignerServices
from signer.sts_issuer import StsIssuer
from signer.ticket import TicketKeys
from signer.upload_ids import new_upload_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = Caller("api_key", "app", "192.0.2.1")
ANYBODY = Caller("anonymous", "", "192.0.2.1")


class FakeSts:
    """Gives numbered credentials for an hour, and remembers the policies."""

    def __init__(self, world: "World", duration: int) -> None:
        self.role = AssumedRole("acs:ram::1:role/r", "https://sts.example", duration=duration)
        self.policies: list[Any] = []
        self.failure: Exception | None = None
        self._world = world

    def assume_role(self, policy: str) -> Credentials:
        if self.failure is not None:
            raise self.failure
        self.policies.append(json.loads(policy))
        ends = self._world.now + timedelta(seconds=self.role.duration)
        return Credentials(f"STS.{len(self.policies)}", "secret", "token", ends)


class World:
    """The services, with a clock that a test moves."""

    def __init__(self, profile: Profile, issuer: GrantIssuer, ledger: Ledger, duration: int) -> None:
        self.now = NOW
        self.ledger = ledger
        self.sts = FakeSts(self, duration)
        gate = SimpleNamespace(require_profile=lambda *_: None)
        self.services = SignerServices(
            issuer=issuer,
            open_uploads=SimpleNamespace(),  # type: ignore[arg-type]
            profiles={profile.name: profile},
            access=gate,  # type: ignore[arg-type]
            limits=RateLimits({}, per=(), counter=None),  # type: ignore[arg-type]
            ledger=ledger,
            bucket=SimpleNamespace(),  # type: ignore[arg-type]
            link_seconds=60,
            now=lambda: self.now,
            log=lambda *_, **__: None,
        )
        self.credentials = CredentialServices(
            self.services,
            StsIssuer(issuer, PrefixKeys([b"s" * 32])),
            self.sts,  # type: ignore[arg-type]
        )

    def ask(self, caller: Caller = ANN, **wanted: Any) -> dict[str, Any]:
        request = parse_credential_request(json.dumps({"profile": "photo"} | wanted).encode())
        return self.credentials.issue(request, caller)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def make_world(
    ledger: Ledger,
    make_profile: Callable[..., Profile],
    make_issuer: Callable[..., GrantIssuer],
    make_callback: Callable[..., CallbackDefinition],
) -> Callable[..., World]:
    def make(*, duration: int = 3600, **profile: Any) -> World:
        given: dict[str, Any] = {
            "via": ("post", "sts"),
            "key_prefix": compile_prefix_template("photos/{subject}/"),
            "prefix_callback": make_callback(body=DEFAULT_FORM, body_type="form"),
        }
        return World(
            make_profile(**(given | profile)), make_issuer(new_upload_id=new_upload_id), ledger, duration
        )

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def test_one_file_gets_a_policy_of_its_key(
    world: World, seal_keys: SealKeys, ticket_keys: TicketKeys
) -> None:
    """One key, three actions; ticket and seal prove the same grant."""
    given = world.ask(filename="a.jpg", size=5)
    statement = world.sts.policies[0]["Statement"][0]
    facts = seal_keys.open_seal(given["headers"][METADATA_NAME])
    body = given["callback"]["callbackBody"]

    assert statement["Resource"] == [f"acs:oss:*:*:examplebucket/{given['object_key']}"]
    assert given["upload_id"] in given["object_key"]
    assert ticket_keys.verify_ticket(body.rpartition('"ticket":"')[2].rstrip('"}')) == facts
    assert (facts.use, facts.via, facts.size_min, facts.size_max) == ("once", "sts", 5, 5)
    assert json.loads(b64decode(given["callback_param"])) == given["callback"]


def test_one_file_is_promised_in_the_ledger(world: World) -> None:
    """It counts as any grant does, and `confirm` will know it."""
    given = world.ask(filename="a.jpg", subject="ann")
    upload = world.ledger.fetch_upload(given["upload_id"])

    assert upload is not None
    assert (upload.via, upload.state, upload.subject, upload.object_key) == (
        "sts", "issued", "ann", given["object_key"],
    )  # fmt: skip
    assert upload.expires_at == NOW + timedelta(hours=1)


def test_quota_holds_for_one_file(make_world: Callable[..., World]) -> None:
    """As for a form."""
    world = make_world(quota=Quota(1, None, "day"))
    world.ask(filename="a.jpg")

    with pytest.raises(QuotaExceeded):
        world.ask(filename="a.jpg")


def test_prefix_is_refused_to_whom_no_file_more_is_due(
    make_world: Callable[..., World], ticket_keys: TicketKeys
) -> None:
    """Nothing is reserved for it; but with a full quota there is none, not even again or for longer."""
    world = make_world(quota=Quota(1, None, "day"))
    held = world.ask()
    facts = world.credentials.issue_prefix(
        world.services.profiles["photo"], GrantRequest(""), ANN, "app"
    ).facts
    world.ask()
    world.ask(filename="a.jpg")
    with pytest.raises(QuotaExceeded):
        world.ask()
    with pytest.raises(QuotaExceeded):
        world.credentials.issue_prefix(
            world.services.profiles["photo"],
            GrantRequest(""),
            ANN,
            "app",
            held=ticket_keys.issue_ticket(facts),
        )

    assert held["grant_id"] == facts.upload_id
    assert 2 == len(world.sts.policies)
    assert world.ask(subject="bob")["key_prefix"].startswith("photos/bob/")


def test_prefix_needs_room_for_the_smallest_file(make_world: Callable[..., World]) -> None:
    """Its files are of any size that the profile takes."""
    world = make_world(quota=Quota(None, 1000, "ever"), min_size=100, max_size=900)
    world.ask(filename="a.jpg", size=900)
    world.ask()
    world.ask(filename="b.jpg", size=100, subject="bob")
    world.ask(filename="b.jpg", size=801, subject="bob")

    with pytest.raises(QuotaExceeded, match="bytes: 901 of 1000 used, 100 more requested"):
        world.ask(subject="bob")


def test_prefix_gets_a_policy_of_all_below_it(world: World, seal_keys: SealKeys) -> None:
    """The callback's body is a form, since the client chooses the key; nothing is recorded yet."""
    given = world.ask(subject="u1")
    facts = seal_keys.open_seal(given["headers"][METADATA_NAME])

    assert world.sts.policies[0]["Statement"][0]["Resource"] == [
        f"acs:oss:*:*:examplebucket/{given['key_prefix']}*"
    ]
    assert given["key_prefix"].startswith(f"photos/u1/{given['grant_id']}.")
    assert given["callback"]["callbackBodyType"] == "application/x-www-form-urlencoded"
    assert "object=${object}" in given["callback"]["callbackBody"]
    assert (facts.use, facts.object_key, facts.upload_id) == (
        "prefix",
        given["key_prefix"],
        given["grant_id"],
    )
    assert list(given["headers"]) == ["x-oss-forbid-overwrite", "x-oss-storage-class", METADATA_NAME]
    assert world.ledger.list_uploads() == []


def test_times_are_whole_seconds_of_utc(world: World) -> None:
    """Android reads no offset, iOS no fraction; and the client never learns a later end than the token's."""
    given = world.ask()

    assert given["credentials"]["expiration"] == given["expires_at"] == "2026-01-02T04:04:05Z"


def test_prefix_is_handed_out_again_while_it_is_fresh(world: World) -> None:
    """Half an hour for an hour's credentials; then a new one, with an hour."""
    first = world.ask(subject="ann")
    world.now += timedelta(minutes=30)
    assert world.ask(subject="ann") == first
    world.now += timedelta(seconds=1)
    later = world.ask(subject="ann")

    assert later["grant_id"] != first["grant_id"]
    assert later["expires_at"] == "2026-01-02T04:34:06Z"
    assert len(world.sts.policies) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [({"subject": "ann"}, {"subject": "bob"}), ({"filename": "a.jpg"}, {"filename": "a.jpg"})],
    ids=["subjects", "files"],
)
def test_others_get_their_own(world: World, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Neither two people nor two files share credentials."""
    first, second = world.ask(**one), world.ask(**other)

    assert first["credentials"]["access_key_id"] != second["credentials"]["access_key_id"]


def test_anonymous_callers_share_nothing(world: World) -> None:
    """Nobody knows who they are: one could overwrite another's files."""
    first, second = world.ask(ANYBODY), world.ask(ANYBODY)

    assert first["key_prefix"] != second["key_prefix"]


@pytest.mark.parametrize(
    ("duration", "margin"), [(900, 675), (1200, 900), (1800, 960), (3600, 1800), (43200, 21600)]
)
def test_margin_survives_the_refresh_rules_of_libraries(duration: int, margin: int) -> None:
    """Half the time, and more than the 15 minutes at which credential libraries ask again, as far as there is so much."""
    assert choose_margin(duration) == margin


def test_sts_that_fails_leaves_nothing(world: World) -> None:
    """Neither a row nor a cached failure."""
    world.sts.failure = StsUnavailable("403 NoPermission")
    for wanted in ({"filename": "a.jpg"}, {}):
        with pytest.raises(StsUnavailable):
            world.ask(**wanted)
    world.sts.failure = None

    assert world.ledger.list_uploads() == []
    assert world.ask()["grant_id"]


@pytest.mark.parametrize(
    ("profile", "wanted", "error"),
    [
        ({}, {"profile": "other"}, ProfileUnknown),
        ({"via": ("post",), "key_prefix": None}, {}, errors.ViaNotAllowed),
        ({"via": ("post",), "key_prefix": None}, {"filename": "a.jpg"}, errors.ViaNotAllowed),
        ({"key_prefix": None}, {}, errors.PrefixNotAllowed),
        ({}, {"subject": "\x00"}, errors.SubjectInvalid),
        ({}, {"vars": {"a": 1}}, errors.VariablesInvalid),
        ({}, {"filename": "a.jpg", "size": 10**15}, errors.SizeOverLimit),
        ({"content_types": ("image/png",)}, {"filename": "a.jpg"}, errors.ContentTypeNotAllowed),
    ],
)
def test_refused_before_sts_is_asked(
    make_world: Callable[..., World], profile: dict[str, Any], wanted: dict[str, Any], error: type[Exception]
) -> None:
    """What the profile does not give."""
    world = make_world(**profile)

    with pytest.raises(error):
        world.ask(**wanted)

    assert world.sts.policies == []


def test_without_a_role_there_are_none(world: World) -> None:
    """The profile may name it; the server has nothing to give."""
    services = CredentialServices(world.services, world.credentials._issuer, None)
    request = parse_credential_request(b'{"profile":"photo"}')

    with pytest.raises(errors.ViaNotAllowed, match="no temporary credentials"):
        services.issue(request, ANN)


@pytest.mark.parametrize(
    ("host", "cname"), [("", False), ("https://upload.example.com", True)], ids=["bucket's own", "domain"]
)
def test_place_tells_sdks_what_they_must_know(
    make_world: Callable[..., World], host: str, cname: bool
) -> None:
    """The public endpoint even where we ask the internal one, and whether the host is a domain of the bucket's own."""
    place = define_place(
        "examplebucket", "cn-hangzhou", endpoint="https://oss-cn-hangzhou-internal.aliyuncs.com", host=host
    )
    given = make_world(place=place).ask()

    assert (given["endpoint"], given["cname"]) == ("https://oss-cn-hangzhou.aliyuncs.com", cname)
    assert given["host"] == (host or "https://examplebucket.oss-cn-hangzhou.aliyuncs.com")


def hold(
    world: World, ticket_keys: TicketKeys, caller: Caller, subject: str, **changes: Any
) -> tuple[str, str]:
    """Return a prefix that was granted, and the ticket by which its client goes on below it."""
    profile = world.services.profiles["photo"]
    grant = world.credentials.issue_prefix(profile, GrantRequest(""), caller, subject)
    return grant.facts.object_key, ticket_keys.issue_ticket(grant.facts._replace(**changes))


def test_held_prefix_is_gone_on_with(world: World, ticket_keys: TicketKeys) -> None:
    """A client in the middle of an upload gets fresh credentials for the same prefix, and a ticket that lives as long."""
    profile = world.services.profiles["photo"]
    prefix, ticket = hold(world, ticket_keys, ANYBODY, "anonymous")
    world.now += timedelta(hours=2)
    renewed = world.credentials.issue_prefix(profile, GrantRequest(""), ANYBODY, "anonymous", held=ticket)

    assert prefix == renewed.facts.object_key
    assert renewed.facts.expires == world.now + timedelta(hours=1)
    assert world.sts.policies[-1] == world.sts.policies[0]


@pytest.mark.parametrize(
    ("subject", "later", "changes"),
    [
        ("bob", timedelta(), {}),
        ("ann", timedelta(days=8), {}),
        ("ann", timedelta(), {"use": "once"}),
        ("ann", timedelta(), {"via": "post"}),
        ("ann", timedelta(), {"profile": "file"}),
        ("ann", timedelta(), {"bucket": "other"}),
        ("ann", timedelta(), {"issuer": "api_key:other"}),
    ],
)
def test_anothers_prefix_is_refused(
    world: World, ticket_keys: TicketKeys, subject: str, later: timedelta, changes: dict[str, Any]
) -> None:
    """Another person's, another profile's, another kind of grant, or one of long ago."""
    profile = world.services.profiles["photo"]
    _, ticket = hold(world, ticket_keys, ANN, "ann", **changes)
    world.now += later

    with pytest.raises(errors.HeldGrantInvalid):
        world.credentials.issue_prefix(profile, GrantRequest(""), ANN, subject, held=ticket)


def test_text_that_is_no_ticket_is_refused(world: World) -> None:
    """What none of our keys signed proves nothing."""
    profile = world.services.profiles["photo"]

    with pytest.raises(errors.HeldGrantInvalid):
        world.credentials.issue_prefix(profile, GrantRequest(""), ANN, "ann", held="x.y")
