"""The three layers in their order, the arrived step, repeats and the deadline; the ledger is real, the bucket a small fake."""

import contextlib
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from callback.arrived import Arrivals, ReceivingProfile
from callback.deadline import Deadline
from callback.errors import (
    BucketDisagrees,
    CallbackRefused,
    ClaimsContradictTicket,
    ObjectMissing,
    PublicKeyUrlRejected,
    RequestMalformed,
    SignatureInvalid,
    TicketRefused,
    UploadClosed,
    UploadReplaced,
)
from callback.receive import Receiver
from callback.reply import compile_reply
from ossgate.bucket import BucketUnavailable, ObjectHead
from ossgate.ledger import CallbackFilter, Ledger, LedgerBusy, LedgerUnavailable, NewUpload
from signer.callback_body import DEFAULT_JSON, compile_body
from signer.callback_param import define_callback
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.profiles import Profile

ETAG = "900150983CD24FB0D6963F7D28E17F72"


class FakeBucket:
    """A bucket of a dictionary; an exception in it is raised."""

    def __init__(self):
        self.objects = {}
        self.asked = 0

    def fail(self, instead):
        """Answer otherwise of the one object that there is."""
        self.objects["examplebucket", "photos/a.jpg"] = instead

    def head_object(self, place, object_key, *, seconds):
        self.asked += 1
        found = self.objects.get((place.bucket, object_key))
        if isinstance(found, Exception):
            raise found
        return found

    def presign_get(self, place, object_key, *, expires, version="v4", process=""):
        return f"{place.host}/{object_key}?expires={expires}"


@dataclass
class World:
    """A receiver and what stands around it."""

    receiver: Receiver
    ledger: Ledger
    bucket: FakeBucket
    profile: Profile
    events: list
    path: Path

    def receive(self, request, deadline=None):
        return json.loads(self.receiver.receive(request, deadline or Deadline()))

    def confirm(self, upload_id):
        return json.loads(self.receiver.confirm(self.ledger.fetch_upload(upload_id), Deadline()))

    def list_kept(self):
        """List the callbacks of the inbox, once all are written; the clock stands still, so in no order."""
        self.ledger.ping(timeout=10)
        return self.ledger.inbox.find_callbacks(CallbackFilter())

    def with_profile(self, *, handler=None, reply=None, **changes):
        """The same world under a changed profile."""
        profile = replace(self.profile, **changes)
        receiving = ReceivingProfile(profile, compile_reply(reply or {}), handler)
        arrivals = replace(self.receiver.arrivals, profiles={"photo": receiving})
        return replace(self, receiver=replace(self.receiver, arrivals=arrivals), profile=profile)


@pytest.fixture
def make_profile():
    def make(**changes):
        return Profile(
            **{
                "name": "photo",
                "place": define_place("examplebucket", "cn-hangzhou"),
                "object_key": compile_key_template("photos/{upload_id}{ext}"),
                "callback": define_callback(
                    ["https://a.example/callback"], compile_body(DEFAULT_JSON, "json")
                ),
                "allow": ("anonymous",),
                "content_types": ("image/jpeg",),
            }
            | changes
        )

    return make


@pytest.fixture
def world(tmp_path, make_profile, public_keys, ticket_keys, seal_keys, prefix_keys, make_facts, now):
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    ledger.upgrade()
    bucket, events, profile = FakeBucket(), [], make_profile()
    bucket.objects["examplebucket", "photos/a.jpg"] = ObjectHead(
        3, ETAG, "image/jpeg", seal_keys.issue_seal(make_facts()), "123"
    )
    arrivals = Arrivals(
        ledger=ledger,
        bucket=bucket,
        profiles={"photo": ReceivingProfile(profile, compile_reply({}))},
        link_seconds=60,
        now=lambda: now,
        log=lambda event, **facts: events.append((event, facts)),
    )
    receiver = Receiver(
        public_keys, ticket_keys, seal_keys, prefix_keys, arrivals, timedelta(days=1), lambda: now
    )
    yield World(receiver, ledger, bucket, profile, events, tmp_path / "ledger.sqlite3")
    ledger.close()


@pytest.fixture
def issue(world, make_facts):
    """Record what the ledger knows of a grant before anything arrives."""

    def record(**changes):
        facts = make_facts(**changes)
        world.ledger.record_issued(
            [
                NewUpload(
                    upload_id=facts.upload_id, profile="photo", subject="anonymous", issuer="anonymous",
                    bucket=facts.bucket, object_key=facts.object_key, file_name="a.jpg", content_type="image/jpeg",
                    size_min=1, size_max=100, created_at=facts.issued, expires_at=facts.expires,
                )
            ],
            quota=None,
            now=facts.issued,
        )  # fmt: skip
        return facts.upload_id

    return record


def test_receive_believes_a_callback_that_all_layers_hold(world, make_callback_request, issue):
    """Signed, ticketed and confirmed by the bucket: uploaded, with what the bucket says."""
    upload_id = issue()

    reply = world.receive(make_callback_request())

    upload = world.ledger.fetch_upload(upload_id)
    assert ("OK", "uploaded", 3, ETAG) == (reply["Status"], reply["state"], reply["size"], reply["etag"])
    assert ("uploaded", 3, ETAG, "123", "callback") == (
        upload.state, upload.size, upload.etag, upload.crc64, upload.arrived_via,
    )  # fmt: skip
    assert ["issued", "uploaded"] == [change.claim for change in world.ledger.fetch_history(upload_id)]


def test_receive_rebuilds_a_row_that_was_lost(world, make_callback_request, make_facts):
    """The ticket alone is enough for the ledger."""
    world.receive(make_callback_request())

    upload = world.ledger.fetch_upload(make_facts().upload_id)
    assert ("uploaded", "a.jpg", "photos/a.jpg") == (upload.state, upload.file_name, upload.object_key)


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        ({"authorization": ""}, SignatureInvalid),
        ({"raw_target": "/callback?x=1", "authorization": "AAAA"}, SignatureInvalid),
        ({"public_key_url": "AAAA"}, PublicKeyUrlRejected),
    ],
)
def test_receive_refuses_before_it_reads(world, make_callback_request, spoil, refusal):
    """What OSS did not sign is never parsed, asked about or recorded."""
    with pytest.raises(refusal):
        world.receive(make_callback_request(**spoil))

    assert 0 == world.bucket.asked
    assert world.ledger.list_uploads() == []


def test_receive_refuses_in_the_order_of_the_layers(world, make_callback_request, make_body):
    """A malformed body, a foreign ticket and contradicting claims each end before the bucket is asked."""
    for body, refusal in [
        (b"{}", RequestMalformed),
        (make_body(ticket="a.b"), TicketRefused),
        (make_body(bucket="mine"), ClaimsContradictTicket),
    ]:
        with pytest.raises(refusal):
            world.receive(make_callback_request(body))

    assert 0 == world.bucket.asked


@pytest.mark.parametrize(
    ("found", "refusal"),
    [
        (None, ObjectMissing),
        (ObjectHead(4, ETAG, "image/jpeg", "s", None), BucketDisagrees),
        (ObjectHead(3, "0" * 32, "image/jpeg", "s", None), BucketDisagrees),
        (ObjectHead(3, ETAG, "image/jpeg", None, None), BucketDisagrees),
    ],
)
def test_receive_refuses_what_the_bucket_denies(world, make_callback_request, issue, found, refusal):
    """A signed and ticketed callback about another object changes no state."""
    upload_id = issue()
    world.bucket.objects["examplebucket", "photos/a.jpg"] = found

    with pytest.raises(refusal):
        world.receive(make_callback_request())

    assert "issued" == world.ledger.fetch_upload(upload_id).state


def test_receive_repeats_the_same_bytes_and_changes_nothing(world, make_callback_request, issue, now):
    """The second callback gets what the first got, though the clock has moved."""
    upload_id = issue()
    request = make_callback_request()
    first = world.receiver.receive(request, Deadline())
    later = replace(world.receiver.arrivals, now=lambda: now + timedelta(hours=1))

    again = replace(world.receiver, arrivals=later).receive(request, Deadline())

    assert first == again
    assert 2 == len(world.ledger.fetch_history(upload_id))


def test_receive_repeats_after_the_object_has_gone(world, make_callback_request):
    """A repeat is answered from the ledger when the application has moved the object away."""
    request = make_callback_request()
    first = world.receive(request)
    world.bucket.objects.clear()

    assert first == world.receive(request)


def test_receive_is_first_once_among_many_at_once(world, make_callback_request, issue):
    """Twenty copies of one callback at the same moment: one row, one answer."""
    upload_id = issue()
    calls = []
    world = world.with_profile(handler=lambda upload: calls.append(upload) or {"n": len(calls)})
    request = make_callback_request()

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: world.receive(request), range(20)))

    assert 1 == len(calls)
    assert 20 == len(replies)
    assert ["issued", "uploaded"] == [change.claim for change in world.ledger.fetch_history(upload_id)]


def test_receive_leaves_an_upload_unconfirmed_when_the_bucket_cannot_be_asked(
    world, make_callback_request, issue
):
    """Two layers held: the upload is provisional, and a confirm settles it with the bucket's facts."""
    upload_id = issue()
    there = world.bucket.objects["examplebucket", "photos/a.jpg"]
    world.bucket.objects["examplebucket", "photos/a.jpg"] = BucketUnavailable("down")

    reply = world.receive(make_callback_request())

    assert ("unconfirmed", "unconfirmed") == (reply["state"], world.ledger.fetch_upload(upload_id).state)
    world.bucket.objects["examplebucket", "photos/a.jpg"] = there
    assert "uploaded" == world.confirm(upload_id)["state"]
    assert "uploaded" == world.ledger.fetch_upload(upload_id).state


def test_receive_confirms_an_unconfirmed_upload_when_called_again(world, make_callback_request):
    """A second callback finds the bucket awake and settles the upload."""
    there = world.bucket.objects["examplebucket", "photos/a.jpg"]
    world.bucket.objects["examplebucket", "photos/a.jpg"] = BucketUnavailable("down")
    world.receive(make_callback_request())
    world.bucket.objects["examplebucket", "photos/a.jpg"] = there

    assert "uploaded" == world.receive(make_callback_request())["state"]


def test_receive_without_the_third_layer_asks_nobody(world, make_callback_request):
    """A profile may switch the bucket check off; then the callback's claims are the facts."""
    world = world.with_profile(verify_bucket=False)
    world.bucket.objects.clear()

    assert "uploaded" == world.receive(make_callback_request())["state"]
    assert 0 == world.bucket.asked


def test_receive_refuses_other_bytes_under_an_upload_that_arrived(
    world, make_callback_request, make_body, make_facts, seal_keys
):
    """On a versioned bucket a form can be posted twice; the second is noted, and believed by nobody."""
    world.receive(make_callback_request())
    other = "1" * 32
    world.bucket.objects["examplebucket", "photos/a.jpg"] = ObjectHead(
        5, other, "image/jpeg", seal_keys.issue_seal(make_facts()), None
    )

    with pytest.raises(UploadReplaced):
        world.receive(make_callback_request(make_body(etag=other, size=5)))

    upload = world.ledger.fetch_upload(make_facts().upload_id)
    assert (3, ETAG) == (upload.size, upload.etag)


def test_receive_refuses_an_aborted_upload(world, make_callback_request, issue, now):
    """What was aborted does not come back."""
    upload_id = issue()
    world.ledger.record_state(upload_id, "aborted", now=now, timeout=2)

    with pytest.raises(UploadClosed):
        world.receive(make_callback_request())

    assert "aborted" == world.ledger.fetch_upload(upload_id).state


def test_receive_believes_a_late_callback_of_an_expired_upload(world, make_callback_request, issue, now):
    """Expired is not refused: the object is there."""
    upload_id = issue()
    world.ledger.record_state(upload_id, "expired", now=now, timeout=2)

    assert "uploaded" == world.receive(make_callback_request())["state"]


def test_receive_refuses_a_ticket_of_a_removed_profile(world, make_callback_request, make_body, make_facts):
    """A profile that is gone from the settings cannot say what its uploads may be."""
    with pytest.raises(TicketRefused, match="not in the settings"):
        world.receive(make_callback_request(make_body(make_facts(profile="gone"))))


def test_handler_decides_the_reply_once(world, make_callback_request):
    """The handler's dictionary is the reply, is stored, and is what a repeat gets."""
    seen = []
    world = world.with_profile(handler=lambda upload: seen.append(upload) or {"Status": "mine"})

    assert {"Status": "mine"} == world.receive(make_callback_request())
    assert {"Status": "mine"} == world.receive(make_callback_request())
    assert [("uploaded", 3, "photos/a.jpg")] == [
        (upload["state"], upload["size"], upload["object_key"]) for upload in seen
    ]


def test_handler_that_raises_leaves_the_templates_reply(world, make_callback_request, make_facts):
    """The failure is recorded in the upload's history, its text is not."""

    def fail(_):
        raise RuntimeError("password=hunter2")

    world = world.with_profile(handler=fail)
    reply = world.receive(make_callback_request())
    world.ledger.ping(timeout=2)

    claims = [change.claim for change in world.ledger.fetch_history(make_facts().upload_id)]
    assert "OK" == reply["Status"]
    assert "handler:failed" in claims
    assert "hunter2" not in repr(world.events)


def test_handler_that_overruns_leaves_the_templates_reply(world, make_callback_request, make_facts):
    """The answer goes out within the deadline; the late result is dropped and recorded."""
    release = threading.Event()
    world = world.with_profile(handler=lambda _: release.wait(20) and {"Status": "too late"})
    begun = time.monotonic()

    reply = world.receive(make_callback_request(), Deadline(0.5))

    assert time.monotonic() - begun < 3
    assert "OK" == reply["Status"]
    release.set()
    _wait_until(
        lambda: (
            "handler:late" in [change.claim for change in world.ledger.fetch_history(make_facts().upload_id)]
        )
    )
    assert "OK" == world.receive(make_callback_request())["Status"]


def test_handler_is_not_called_for_an_unconfirmed_upload(world, make_callback_request):
    """Provisional facts are nobody's business; the handler hears of them once the bucket agrees."""
    seen = []
    world = world.with_profile(handler=lambda upload: seen.append(upload["state"]))
    there = world.bucket.objects["examplebucket", "photos/a.jpg"]
    world.bucket.objects["examplebucket", "photos/a.jpg"] = BucketUnavailable("down")
    world.receive(make_callback_request())

    assert [] == seen
    world.bucket.objects["examplebucket", "photos/a.jpg"] = there
    world.receive(make_callback_request())
    assert ["uploaded"] == seen


@pytest.mark.parametrize("reply", [{"x": "y" * 2000}, {"x": object()}])
def test_handler_reply_that_cannot_be_sent_is_dropped(world, make_callback_request, reply):
    """A reply above the limit, or none that JSON can say, leaves the template's."""
    world = world.with_profile(handler=lambda _: reply)

    assert "OK" == world.receive(make_callback_request())["Status"]


def test_receive_raises_when_the_ledger_is_gone(world, make_callback_request):
    """Nothing is acknowledged that is not durable."""
    world.ledger.close()

    with pytest.raises(LedgerUnavailable):
        world.receive(make_callback_request())


def test_confirm_answers_what_the_callback_would_have(world, issue):
    """A lost callback is settled by asking, however often."""
    upload_id = issue()

    first, second = world.confirm(upload_id), world.confirm(upload_id)

    assert first == second
    assert ("uploaded", "confirm") == (first["state"], world.ledger.fetch_upload(upload_id).arrived_via)
    assert 1 == world.bucket.asked


def test_confirm_and_callback_count_once(world, make_callback_request, issue):
    """A callback after a confirm repeats its answer."""
    upload_id = issue()
    confirmed = world.confirm(upload_id)

    assert confirmed == world.receive(make_callback_request())
    assert 2 == len(world.ledger.fetch_history(upload_id))


@pytest.mark.parametrize(
    ("found", "refusal"),
    [
        (None, ObjectMissing),
        (BucketUnavailable("down"), BucketUnavailable),
        (ObjectHead(3, ETAG, "image/jpeg", None, None), BucketDisagrees),
        (ObjectHead(3, ETAG, "image/jpeg", "AAAA", None), BucketDisagrees),
    ],
)
def test_confirm_refuses_and_changes_nothing(world, issue, found, refusal):
    """Absent, unknown or a stranger: the upload stays issued."""
    upload_id = issue()
    world.bucket.objects["examplebucket", "photos/a.jpg"] = found

    with pytest.raises(refusal):
        world.confirm(upload_id)

    assert "issued" == world.ledger.fetch_upload(upload_id).state


def test_confirm_refuses_a_seal_for_another_key(world, issue, make_facts, seal_keys):
    """An object copied with its metadata from elsewhere is not this upload."""
    upload_id = issue()
    world.bucket.objects["examplebucket", "photos/a.jpg"] = ObjectHead(
        3, ETAG, "image/jpeg", seal_keys.issue_seal(make_facts(object_key="photos/b.jpg")), None
    )

    with pytest.raises(BucketDisagrees):
        world.confirm(upload_id)


@pytest.mark.parametrize(
    ("spoil", "judged"),
    [
        (lambda world: None, ("believed", "", "", True)),
        (lambda world: world.bucket.fail(BucketUnavailable("down")), ("unconfirmed", "", "", True)),
        (lambda world: world.bucket.fail(None), ("refused", "bucket", "object_missing", True)),
        (lambda world: world.bucket.fail(RuntimeError("x")), ("crashed", "", "", True)),
        (
            lambda world: {"authorization": "AAAA"},
            ("refused", "signature", "callback_signature_invalid", False),
        ),
        (lambda world: {"body": b"{}"}, ("refused", "request", "callback_malformed", False)),
        (lambda world: {"body_size": 70_000}, ("refused", "request", "callback_too_large", False)),
    ],
)
def test_every_callback_is_kept_with_its_verdict(world, make_callback_request, make_facts, spoil, judged):
    """Believed ones in the commit of their arrival, all others beside it."""
    request = make_callback_request(**(spoil(world) or {}))
    with contextlib.suppress(CallbackRefused, RuntimeError):
        world.receive(request)

    (kept,) = world.list_kept()
    verdict = kept.judgement
    assert judged == (
        verdict.verdict,
        verdict.layer,
        verdict.code,
        verdict.upload_id == make_facts().upload_id,
    )
    assert (request.raw_target, request.body) == (kept.request.raw_target.decode(), kept.request.body)
    assert 0 <= verdict.took_ms < 4000


def test_repeats_and_replacements_are_kept_as_such(
    world, make_callback_request, make_body, make_facts, seal_keys
):
    """A repeat, one after the object has gone, and other bytes under the same upload."""
    request = make_callback_request()
    for _ in range(2):
        world.receive(request)
    world.bucket.fail(None)
    world.receive(request)
    world.bucket.fail(ObjectHead(5, "1" * 32, "image/jpeg", seal_keys.issue_seal(make_facts()), None))
    with pytest.raises(UploadReplaced):
        world.receive(make_callback_request(make_body(etag="1" * 32, size=5)))

    assert [("believed", ""), ("refused", "upload_replaced"), ("repeated", ""), ("repeated", "")] == sorted(
        (kept.judgement.verdict, kept.judgement.code) for kept in world.list_kept()
    )


def test_callback_that_could_not_be_recorded_is_kept_when_it_can_be(world, make_callback_request, make_facts):
    """Answered with 503 within its deadline; the row waits in memory for the database, and never holds the answer up."""
    world.ledger.ping(timeout=5)
    blocker = sqlite3.connect(world.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(LedgerBusy):
        world.receive(make_callback_request())
    assert time.monotonic() - begun < 3
    blocker.execute("ROLLBACK")
    blocker.close()

    (kept,) = world.list_kept()
    assert ("unavailable", "ledger", "ledger_busy", make_facts().upload_id) == (
        kept.judgement.verdict, kept.judgement.layer, kept.judgement.code, kept.judgement.upload_id,
    )  # fmt: skip


def _wait_until(holds):
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
