"""Uploads on their way: begun, signed, listed, completed and given up, with a bucket of ours and a real ledger."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ossgate.access import Caller
from ossgate.access.rates import RateLimits
from ossgate.bucket import BucketRefused, BucketUnavailable, ObjectHead, StoredPart
from ossgate.ledger import Arrival, Ledger, NewUpload, QuotaExceeded, Upload
from signer import errors
from signer.callback_param import CallbackDefinition
from signer.grants import GrantIssuer, GrantRequest
from signer.issue_request import IssueRequest
from signer.multipart_grants import MultipartGrant
from signer.open_uploads import REVOCATION_MARGIN, OpenUploads
from signer.part_requests import CompleteRequest
from signer.profiles import Profile, Quota
from signer.seal import METADATA_NAME, SealKeys
from signer.services import SignerServices
from signer.stored_parts import NamedPart
from signer.upload_ids import new_upload_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MIB = 1024**2
SIZE, PART_SIZE = 20 * MIB, 8 * MIB
ALL = CompleteRequest()


class FakeMultipart:
    """Keeps multipart uploads as OSS does, in memory."""

    def __init__(self) -> None:
        self.begun: dict[str, dict[str, Any]] = {}
        self.finished: list[tuple[str, list[StoredPart], dict[str, str]]] = []
        self.aborted: list[str] = []
        self.failure: Exception | None = None

    def put(self, multipart_upload_id: str, *sizes: int) -> None:
        self.begun[multipart_upload_id]["parts"] = [
            StoredPart(number, size, f"E{number}") for number, size in enumerate(sizes, start=1)
        ]

    def initiate(self, place: Any, object_key: str, headers: dict[str, str], *, seconds: float) -> str:
        self._fail()
        begun = f"U{len(self.begun) + 1}"
        self.begun[begun] = {"headers": headers, "key": object_key, "parts": []}
        return begun

    def list_parts(
        self, place: Any, object_key: str, begun: str, *, seconds: float
    ) -> list[StoredPart] | None:
        self._fail()
        return self.begun[begun]["parts"] if begun in self.begun else None

    def complete(
        self, place: Any, object_key: str, begun: str, parts: Any, headers: Any, *, seconds: float
    ) -> bool:
        self._fail()
        self.finished.append((begun, list(parts), headers))
        return self.begun.pop(begun, None) is not None

    def abort(self, place: Any, object_key: str, begun: str, *, seconds: float) -> bool:
        self._fail()
        self.aborted.append(begun)
        return self.begun.pop(begun, None) is not None

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class FakeBucket:
    """Holds at most one object."""

    def __init__(self) -> None:
        self.multipart = FakeMultipart()
        self.found: ObjectHead | None = None

    def head_object(self, place: Any, object_key: str, *, seconds: float) -> ObjectHead | None:
        return self.found

    def presign_get(self, place: Any, object_key: str, *, expires: int, **how: str) -> str:
        return "https://link"


class World:
    """The services, with a clock that a test moves."""

    def __init__(self, profile: Profile, issuer: GrantIssuer, ledger: Ledger) -> None:
        self.now = NOW
        self.bucket = FakeBucket()
        self.ledger = ledger
        self.settled: list[str] = []
        given: dict[str, Any] = {"bucket": self.bucket, "now": lambda: self.now, "log": lambda *_, **__: None}
        profiles = {profile.name: profile}
        self.uploads = OpenUploads(
            issuer=issuer, profiles=profiles, ledger=ledger, settle=self._settle, **given
        )
        self.services = SignerServices(
            issuer=issuer,
            open_uploads=self.uploads,
            profiles=profiles,
            access=Open(),  # type: ignore[arg-type]
            limits=RateLimits({}, per=(), counter=None),  # type: ignore[arg-type]
            ledger=ledger,
            link_seconds=60,
            **given,
        )

    def issue(self, *sizes: int, **request: Any) -> list[MultipartGrant]:
        request = {"part_size": PART_SIZE} | request
        files = tuple(GrantRequest("film.mp4", size, "video/mp4", **request) for size in sizes or (SIZE,))
        wanted = IssueRequest("photo", "", files, is_list=len(files) > 1, via="multipart")
        grants = self.services.issue_grants(wanted, Caller("anonymous", "", "192.0.2.1"))
        assert all(isinstance(grant, MultipartGrant) for grant in grants)
        return list(grants)  # type: ignore[arg-type]

    def fetch(self, grant: MultipartGrant) -> Upload:
        upload = self.ledger.fetch_upload(grant.facts.upload_id)
        assert upload is not None
        return upload

    def start(self, *sizes: int) -> Upload:
        """Issue a grant, and have parts of these sizes in the bucket."""
        grant = self.issue()[0]
        self.bucket.multipart.put(grant.multipart_upload_id, *sizes)
        return self.fetch(grant)

    def arrive(self, upload: Upload, reply: bytes = b'{"Status":"OK"}') -> Upload:
        new = NewUpload(**{name: getattr(upload, name) for name in NewUpload.__dataclass_fields__})
        arrival = Arrival(
            upload=new,
            target="uploaded",
            size=SIZE,
            etag="E-3",
            content_type="video/mp4",
            via="complete",
            reply=reply,
        )
        self.ledger.record_arrival(arrival, now=self.now, timeout=2)
        found = self.ledger.fetch_upload(upload.upload_id)
        assert found is not None
        return found

    def _settle(self, upload: Upload) -> bytes:
        self.settled.append(upload.upload_id)
        return self.arrive(upload).reply or b""


class Open:
    """A gate that lets everybody pass."""

    def require_profile(self, *_: object) -> None: ...


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def make_world(
    ledger: Ledger, make_profile: Callable[..., Profile], make_issuer: Callable[..., GrantIssuer]
) -> Callable[..., World]:
    def make(**profile: Any) -> World:
        issuer = make_issuer(new_upload_id=new_upload_id, credentials=profile.pop("credentials", {}))
        return World(make_profile(**({"max_size": 100 * MIB} | profile)), issuer, ledger)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def read_query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_grant_has_the_documented_shape(world: World) -> None:
    """Where its parts are signed and where it is completed, and how the file is to be cut."""
    grant = world.issue()[0]
    upload_id = grant.facts.upload_id

    assert grant.to_json() == {
        "upload_id": upload_id,
        "method": "PUT",
        "part_size": 8 * MIB,
        "part_count": 3,
        "parts_url": f"/v1/uploads/{upload_id}/parts",
        "complete_url": f"/v1/uploads/{upload_id}/complete",
        "object_key": f"photos/anonymous/2026-01-02/{upload_id}.mp4",
        "expires_at": "2026-01-03T03:04:05Z",
        "profile": "photo",
    }


def test_upload_is_begun_with_every_header_that_a_form_pins(world: World, seal_keys: SealKeys) -> None:
    """What the object will be is fixed before a client sends a byte."""
    grant = world.issue()[0]
    begun = world.bucket.multipart.begun[grant.multipart_upload_id]

    assert begun["key"] == grant.facts.object_key
    assert seal_keys.open_seal(begun["headers"].pop(METADATA_NAME)) == grant.facts
    assert begun["headers"] == {
        "Content-Type": "video/mp4",
        "Content-Disposition": 'attachment; filename="film.mp4"',
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "default",
        "x-oss-storage-class": "Standard",
    }


def test_ledger_keeps_what_is_needed_to_go_on(world: World) -> None:
    """OSS's id and the part size outlive the page and the process."""
    upload = world.fetch(world.issue(part_size=MIB)[0])

    assert (upload.via, upload.multipart_upload_id, upload.part_size) == ("multipart", "U1", MIB)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"size": None}, errors.SizeMissing),
        ({"size": 101 * MIB}, errors.SizeOverLimit),
        ({"part_size": 1}, errors.PartSizeInvalid),
        ({"part_size": 5 * 1024**3 + 1}, errors.PartSizeInvalid),
    ],
)
def test_refused_request_begins_nothing(
    world: World, request_: dict[str, Any], error: type[errors.SignerError]
) -> None:
    """No size, too large, or parts that cannot be: found before the bucket is asked."""
    files = (GrantRequest("a.mp4", **({"size": SIZE} | request_)),)
    with pytest.raises(error):
        world.services.issue_grants(
            IssueRequest("photo", "", files, is_list=False, via="multipart"),
            Caller("anonymous", "", "192.0.2.1"),
        )

    assert world.bucket.multipart.begun == {}
    assert world.ledger.list_uploads() == []


def test_list_that_is_refused_is_given_up_whole(world: World) -> None:
    """All or none: what was begun for the first is aborted when the second is refused."""
    with pytest.raises(errors.SizeOverLimit):
        world.issue(SIZE, 101 * MIB)

    assert world.bucket.multipart.aborted == ["U1"]
    assert world.ledger.list_uploads() == []


def test_quota_that_is_full_leaves_nothing_in_the_bucket(make_world: Callable[..., World]) -> None:
    """The ledger refuses, and the bucket forgets."""
    world = make_world(quota=Quota(1, None, "day"))
    world.issue()

    with pytest.raises(QuotaExceeded):
        world.issue()

    assert list(world.bucket.multipart.begun) == ["U1"]


def test_abort_that_fails_does_not_hide_the_refusal(make_world: Callable[..., World]) -> None:
    """The caller is told why there is no grant, whatever the bucket says of tidying up."""
    world = make_world(quota=Quota(0, None, "day"))
    fine = world.bucket.multipart.initiate

    def begin(*arguments: Any, **options: Any) -> str:
        begun = fine(*arguments, **options)
        world.bucket.multipart.failure = BucketUnavailable("gone")
        return begun

    world.bucket.multipart.initiate = begin  # type: ignore[method-assign]
    with pytest.raises(QuotaExceeded):
        world.issue()


@pytest.mark.parametrize("failure", [BucketUnavailable("x"), BucketRefused(403, "AccessDenied", "")])
def test_upload_that_cannot_be_begun_is_not_granted(world: World, failure: Exception) -> None:
    """Whatever OSS says, the client is told to ask again, and nothing is recorded."""
    world.bucket.multipart.failure = failure

    with pytest.raises(BucketUnavailable):
        world.issue()

    assert world.ledger.list_uploads() == []


def test_part_urls_are_for_one_part_of_one_length(world: World) -> None:
    """Number, upload and length are signed; the last part has what is left."""
    answer = world.uploads.sign_parts(world.start(), [1, 3])
    first, last = answer["parts"]
    query = read_query(last["url"])

    assert [part["part_number"] for part in answer["parts"]] == [1, 3]
    assert (first["content_length"], last["content_length"]) == (8 * MIB, 4 * MIB)
    assert (first["headers"], query["partNumber"], query["uploadId"]) == ({}, "3", "U1")
    assert query["x-oss-additional-headers"] == "content-length"
    assert query["x-oss-expires"] == "364"
    assert answer["expires_at"] == "2026-01-02T03:10:09Z"


def test_part_urls_of_v1_leave_the_length_open(make_world: Callable[..., World]) -> None:
    """V1 cannot sign it; the whole size is checked at completion."""
    world = make_world(signature="v1")
    part = world.uploads.sign_parts(world.start(), [1])["parts"][0]

    assert set(read_query(part["url"])) == {
        "partNumber", "uploadId", "OSSAccessKeyId", "Expires", "Signature",
    }  # fmt: skip


def test_part_urls_end_with_the_grant_and_with_the_token(make_world: Callable[..., World]) -> None:
    """Neither outlives what it was signed under."""
    world = make_world()
    upload = world.start()
    world.now = upload.expires_at - timedelta(seconds=20)

    assert read_query(world.uploads.sign_parts(upload, [1])["parts"][0]["url"])["x-oss-expires"] == "20"

    world = make_world(credentials={"security_token": "t", "expires_at": NOW + timedelta(seconds=50)})
    signed = world.uploads.sign_parts(world.start(), [1])["parts"][0]["url"]
    assert read_query(signed)["x-oss-expires"] == "50"


def test_list_of_parts_tells_what_is_there_and_how_to_go_on(world: World) -> None:
    """All that a client needs which has forgotten everything but the upload's id."""
    assert world.uploads.list_parts(world.start(8 * MIB, 3)) == {
        "parts": [
            {"part_number": 1, "size": 8 * MIB, "etag": "E1"},
            {"part_number": 2, "size": 3, "etag": "E2"},
        ],
        "part_size": 8 * MIB,
        "part_count": 3,
        "size": SIZE,
        "expires_at": "2026-01-03T03:04:05Z",
    }


def test_complete_joins_the_parts_and_settles(world: World) -> None:
    """OSS is given the very parts that were counted, and what a callback would have done is done."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)

    assert world.uploads.complete(upload, ALL) == b'{"Status":"OK"}'

    begun, parts, headers = world.bucket.multipart.finished[0]
    assert (begun, [part.part_number for part in parts]) == ("U1", [1, 2, 3])
    assert headers == {"x-oss-forbid-overwrite": "true", "x-oss-object-acl": "default"}
    assert world.settled == [upload.upload_id]


def test_complete_with_the_clients_list_names_those(world: World) -> None:
    """Verified against the bucket, in whatever case and order."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)
    named = tuple(NamedPart(number, f'"e{number}"') for number in (3, 1, 2))

    world.uploads.complete(upload, CompleteRequest(named))

    assert [part.etag for part in world.bucket.multipart.finished[0][1]] == ["E1", "E2", "E3"]


def test_complete_again_gives_the_same_bytes(world: World) -> None:
    """Whether the ledger knows it or the answer was lost between bucket and ledger."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)
    first = world.uploads.complete(upload, ALL)
    # The state that the caller read before may be old: the bucket then says that the parts are gone.
    again = world.uploads.complete(upload, ALL)
    later = world.uploads.complete(world.ledger.fetch_upload(upload.upload_id) or upload, ALL)

    assert first == again == later
    assert len(world.bucket.multipart.finished) == 1


@pytest.mark.parametrize(
    ("sizes", "error"),
    [
        ((), errors.PartsMissing),
        ((8 * MIB,), errors.PartsSizeMismatch),
        ((8 * MIB, 8 * MIB, 4 * MIB + 1), errors.PartsSizeMismatch),
        ((8 * MIB, 1, 4 * MIB), errors.PartTooSmall),
    ],
)
@pytest.mark.parametrize("presign", [True, False])
def test_parts_that_are_not_what_was_granted_are_not_joined(
    world: World, sizes: tuple[int, ...], error: type[errors.SignerError], presign: bool
) -> None:
    """None, too few, too many bytes or too small: refused before OSS is asked to join them, and nothing is aborted."""
    upload = world.start(*sizes)

    with pytest.raises(error):
        world.uploads.presign_complete(upload) if presign else world.uploads.complete(upload, ALL)

    assert (world.bucket.multipart.finished, world.bucket.multipart.aborted) == ([], [])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InvalidPart", errors.PartsMismatch),
        ("EntityTooSmall", errors.PartTooSmall),
        ("FileAlreadyExists", errors.ObjectExists),
        ("AccessDenied", BucketUnavailable),
    ],
)
def test_refusal_of_oss_is_told_in_our_words(world: World, code: str, error: type[Exception]) -> None:
    """What OSS takes offence at becomes an error with a way out; what we cannot mend is an outage."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)
    listed = world.bucket.multipart.begun["U1"]["parts"]
    world.bucket.multipart.list_parts = lambda *_, **__: listed  # type: ignore[method-assign]
    world.bucket.multipart.failure = BucketRefused(400, code, "")

    with pytest.raises(error):
        world.uploads.complete(upload, ALL)

    assert world.settled == []


def test_presigned_complete_binds_the_callback(world: World) -> None:
    """OSS joins all parts and calls back; the client needs neither ETags nor credentials."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)
    signed = world.uploads.presign_complete(upload)

    assert list(signed) == ["upload_id", "method", "url", "headers", "expires_at"]
    assert (signed["method"], signed["upload_id"]) == ("POST", upload.upload_id)
    assert list(signed["headers"]) == [
        "x-oss-complete-all", "x-oss-forbid-overwrite", "x-oss-object-acl", "x-oss-callback",
    ]  # fmt: skip
    assert read_query(signed["url"])["uploadId"] == "U1"
    assert signed["expires_at"] == "2026-01-02T03:09:05Z"


def test_presigned_complete_takes_the_callback_into_the_url(
    make_world: Callable[..., World], make_callback: Callable[..., CallbackDefinition]
) -> None:
    """By the profile's choice, as for a PUT."""
    world = make_world(put_callback="query")
    signed = world.uploads.presign_complete(world.start(8 * MIB, 8 * MIB, 4 * MIB))

    assert "x-oss-callback" not in signed["headers"]
    assert read_query(signed["url"])["callback"]


def test_abort_frees_bucket_and_quota(make_world: Callable[..., World]) -> None:
    """Parts are removed, the place in the quota is free, and to abort again is no error."""
    world = make_world(quota=Quota(1, None, "day"))
    upload = world.fetch(world.issue()[0])

    world.uploads.abort(upload)
    world.uploads.abort(world.ledger.fetch_upload(upload.upload_id) or upload)

    assert world.bucket.multipart.aborted == ["U1"]
    assert [one.state for one in world.ledger.list_uploads()] == ["aborted"]
    assert world.issue()


@pytest.mark.parametrize("state", ["uploaded", "aborted"])
def test_upload_that_has_ended_has_no_parts(world: World, state: str) -> None:
    """Signing, listing and completing are refused once it has arrived or was given up."""
    upload = world.start(8 * MIB)
    if state == "uploaded":
        upload = world.arrive(upload)
        error: type[errors.SignerError] = errors.UploadArrived
    else:
        world.uploads.abort(upload)
        upload = world.ledger.fetch_upload(upload.upload_id) or upload
        error = errors.UploadGone

    for act in (
        lambda: world.uploads.sign_parts(upload, [1]),
        lambda: world.uploads.list_parts(upload),
        lambda: world.uploads.presign_complete(upload),
    ):
        with pytest.raises(error):
            act()
    if state == "aborted":
        with pytest.raises(error):
            world.uploads.complete(upload, ALL)
    else:
        with pytest.raises(error):
            world.uploads.abort(upload)


def test_upload_that_the_bucket_forgot_is_gone(world: World) -> None:
    """A life-cycle rule of the bucket may remove parts that the ledger still hopes for."""
    upload = world.start(8 * MIB)
    world.bucket.multipart.begun.clear()

    with pytest.raises(errors.UploadGone, match="no parts"):
        world.uploads.list_parts(upload)


def test_expired_grant_signs_nothing_more(world: World) -> None:
    """From its end on no part is signed; completion has ten minutes more, for the last part that was on its way."""
    upload = world.start(8 * MIB, 8 * MIB, 4 * MIB)
    world.now = upload.expires_at

    for act in (
        lambda: world.uploads.sign_parts(upload, [1]),
        lambda: world.uploads.list_parts(upload),
        lambda: world.uploads.presign_complete(upload),
    ):
        with pytest.raises(errors.GrantExpired):
            act()
    world.now += timedelta(minutes=10)
    with pytest.raises(errors.GrantExpired):
        world.uploads.complete(upload, ALL)
    world.now -= timedelta(seconds=1)
    assert world.uploads.complete(upload, ALL)


def test_expired_upload_is_aborted_in_the_bucket_alone(world: World) -> None:
    """Its quota is free already; a late arrival would still be told."""
    upload = world.start(8 * MIB)
    world.ledger.record_state(upload.upload_id, "expired", now=NOW, timeout=2)

    world.uploads.abort(world.ledger.fetch_upload(upload.upload_id) or upload)

    assert world.bucket.multipart.aborted == ["U1"]
    assert [one.state for one in world.ledger.list_uploads()] == ["expired"]


def issue_form(world: World) -> Upload:
    wanted = IssueRequest("photo", "", (GrantRequest("a.jpg"),), is_list=False)
    grant = world.services.issue_grants(wanted, Caller("anonymous", "", "192.0.2.1"))[0]
    upload = world.ledger.fetch_upload(grant.facts.upload_id)
    assert upload is not None
    return upload


def test_form_has_no_parts(world: World) -> None:
    """Parts of an upload that was granted otherwise: 409, with the way to ask."""
    upload = issue_form(world)

    for act in (
        lambda: world.uploads.sign_parts(upload, [1]),
        lambda: world.uploads.list_parts(upload),
        lambda: world.uploads.complete(upload, ALL),
    ):
        with pytest.raises(errors.NotMultipart):
            act()


def test_signed_form_keeps_its_place_until_its_end(world: World) -> None:
    """What a client can still post is not given up: else one could hold more grants than the quota has."""
    upload = issue_form(world)

    with pytest.raises(errors.GrantStillGood):
        world.uploads.abort(upload)
    assert [one.state for one in world.ledger.list_uploads()] == ["issued"]

    world.now = upload.expires_at + REVOCATION_MARGIN
    world.uploads.abort(upload)
    assert [one.state for one in world.ledger.list_uploads()] == ["aborted"]


def test_object_whose_callback_was_lost_is_not_given_up(world: World) -> None:
    """It is there; to call it aborted would hide it."""
    upload = issue_form(world)
    world.bucket.found = ObjectHead(1, "E", "image/jpeg", None, None)

    with pytest.raises(errors.UploadArrived) as refusal:
        world.uploads.abort(upload)

    assert "confirm" in refusal.value.hint
    assert [one.state for one in world.ledger.list_uploads()] == ["issued"]


def test_abort_that_loses_against_an_arrival_says_so(world: World) -> None:
    """The callback came between the question and the record."""
    upload = issue_form(world)
    world.arrive(upload)
    world.now = upload.expires_at + REVOCATION_MARGIN

    with pytest.raises(errors.UploadArrived):
        world.uploads.abort(upload)


def test_upload_of_a_removed_profile_is_gone(world: World) -> None:
    """Without its profile nobody knows its bucket."""
    upload = world.start(8 * MIB)
    uploads = OpenUploads(
        world.uploads.issuer,
        {},
        world.ledger,
        world.bucket,
        world.uploads.settle,
        world.uploads.now,
        world.uploads.log,  # type: ignore[arg-type]
    )

    for act in (lambda: uploads.sign_parts(upload, [1]), lambda: uploads.abort(upload)):
        with pytest.raises(errors.UploadGone):
            act()
