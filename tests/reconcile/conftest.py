"""A bucket in memory, a ledger on a real database, and a reconciler between them."""

import importlib.util
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from callback.arrived import Arrivals, ReceivingProfile, to_new_upload
from callback.reply import compile_reply
from ossgate.bucket import (
    BucketRefused,
    BucketUnavailable,
    ListedMultipart,
    ListedObject,
    MultipartPage,
    ObjectHead,
    ObjectPage,
)
from ossgate.ledger import Arrival, Ledger, SweptUpload
from ossgate.reconcile import Options, Reconciler
from signer.callback_body import DEFAULT_JSON, compile_body
from signer.callback_param import define_callback
from signer.facts import Facts
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.prefix_grants import PrefixKeys, describe_object
from signer.profiles import Profile
from signer.seal import SealKeys
from signer.upload_ids import new_upload_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLACE = define_place("examplebucket", "cn-hangzhou")


def load_neighbour(path):
    # Fixtures of the ledger's tests, which no test module may import.
    spec = importlib.util.spec_from_file_location("ledger_conftest", Path(__file__).parents[1] / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_ledger_fixtures = load_neighbour("ledger/conftest.py")
postgresql_server = _ledger_fixtures.postgresql_server
postgresql_database = _ledger_fixtures.postgresql_database
empty_url = _ledger_fixtures.empty_url
url = _ledger_fixtures.url


@dataclass
class FakeBucket:
    """One bucket that tells what a test put in, and fails where a test says so."""

    now: datetime = NOW
    objects: dict = field(default_factory=dict)
    uploads: dict = field(default_factory=dict)
    page_size: int = 3
    failing: set = field(default_factory=set)
    stale_listing: list | None = None
    clock: timedelta = timedelta()
    asked: list = field(default_factory=list)
    deleted: list = field(default_factory=list)
    on_head: object = None

    def __post_init__(self):
        self.listing = self
        self.multipart = SimpleNamespace(abort=self.abort)

    def put(self, key, *, size=3, etag="AB12", content_type="image/jpeg", seal=None, at=None):
        at = NOW - timedelta(hours=1) if at is None else at
        self.objects[key] = (ListedObject(key, size, etag, at), content_type, seal)

    def head_object(self, place, key, *, seconds):
        self.asked.append(("HEAD", key))
        if self.on_head is not None:
            self.on_head(key)
        self._fail("head", key)
        if key not in self.objects:
            return None
        listed, content_type, seal = self.objects[key]
        modified = format_datetime(listed.last_modified, usegmt=True)
        return ObjectHead(listed.size, listed.etag, content_type, seal, None, modified)

    def list_objects(self, place, *, prefix="", start_after="", token=None, limit=1000, seconds):
        self.asked.append(("LIST", start_after))
        self._fail("list", start_after)
        listed = (
            self.stale_listing
            if self.stale_listing is not None
            else sorted((one[0] for one in self.objects.values()), key=lambda one: one.object_key)
        )
        rest = [one for one in listed if one.object_key > start_after and one.object_key.startswith(prefix)]
        page = rest[: self.page_size]
        return ObjectPage(page, "more" if len(rest) > len(page) else None, self.now + self.clock)

    def list_multipart_uploads(self, place, *, prefix="", after=("", ""), limit=1000, seconds):
        self._fail("multipart", "")
        rest = sorted(
            (key, one, at)
            for (key, one), at in self.uploads.items()
            if (key, one) > after and key.startswith(prefix)
        )
        page = rest[: self.page_size]
        following = page[-1][:2] if len(rest) > len(page) else None
        return MultipartPage([ListedMultipart(*one) for one in page], following, self.now + self.clock)

    def abort(self, place, key, multipart_upload_id, *, seconds):
        self.uploads.pop((key, multipart_upload_id))
        self.deleted.append((key, multipart_upload_id))
        return True

    def delete_object(self, place, key, *, seconds):
        self.objects.pop(key, None)
        self.deleted.append(key)

    def presign_get(self, place, key, *, expires, version="v4", process=""):
        return f"https://bucket/{key}"

    def _fail(self, what, key):
        if (what, "refused") in self.failing:
            raise BucketRefused(403, "AccessDenied", "")
        if what in self.failing or (what, key) in self.failing:
            raise BucketUnavailable("the bucket answered 503")


@dataclass
class World:
    """Both sides, and what a test does with them."""

    ledger: Ledger
    bucket: FakeBucket
    seal_keys: SealKeys
    profiles: dict
    prefix_keys: PrefixKeys = field(default_factory=lambda: PrefixKeys([b"s" * 32]))
    options: Options = field(default_factory=lambda: Options(rate=0, workers=2))
    now: datetime = NOW
    slept: list = field(default_factory=list)
    owner: str = "one"

    def facts(self, name, **changes):
        issued = int((self.now - timedelta(hours=2)).timestamp())
        given = {
            "use": "once", "upload_id": f"01U{name}", "profile": "photo", "issuer": "anonymous",
            "subject": "alice", "bucket": PLACE.bucket, "object_key": f"photos/{name}.jpg",
            "size_min": 1, "size_max": 100, "content_type": "image/jpeg", "file_name": f"{name}.jpg",
            "issued_at": issued, "expires_at": issued + 600,
        }  # fmt: skip
        return Facts(**given | changes)

    def grant_prefix(self, **changes):
        """A prefix grant, of which no row tells."""
        given = {
            "upload_id": new_upload_id(self.now - timedelta(hours=2)),
            "profile": "photo",
            "bucket": PLACE.bucket,
        }
        given |= changes
        prefix = self.prefix_keys.build_prefix(
            "photos/alice/", given["upload_id"], bucket=given["bucket"], profile=given["profile"]
        )
        return self.facts(
            "",
            **{"use": "prefix", "object_key": prefix, "content_type": "", "file_name": "", "via": "sts"}
            | given,
        )

    def facts_below(self, grant, name, *, content_type="image/jpeg"):
        """The facts of one object below a prefix."""
        key = grant.object_key + name
        proof = self.prefix_keys.verify(key, bucket=grant.bucket, profile=grant.profile)
        return describe_object(grant, proof, object_key=key, content_type=content_type)

    def issue(self, facts, *, quota=None, quota_key="", **changes):
        new = replace(to_new_upload(facts), quota_key=quota_key, **changes)
        self.ledger.record_issued([new], quota=quota, now=self.now, timeout=5)
        return new

    def arrive(self, facts, *, etag="AB12", size=3, target="uploaded", at=None):
        self.ledger.record_arrival(
            Arrival(
                upload=to_new_upload(facts), target=target, size=size, etag=etag,
                content_type=facts.content_type, via="callback", reply=b"{}",
            ),
            now=self.now - timedelta(hours=1) if at is None else at, timeout=5,
        )  # fmt: skip

    def store(self, facts, **changes):
        self.bucket.put(facts.object_key, **{"seal": self.seal_keys.issue_seal(facts), **changes})

    def state(self, facts):
        upload = self.ledger.fetch_upload(facts.upload_id)
        return None if upload is None else upload.state

    def claims(self, facts):
        return [change.claim for change in self.ledger.fetch_history(facts.upload_id)]

    def reconciler(self, **changes):
        arrivals = Arrivals(
            ledger=self.ledger, bucket=self.bucket, profiles=self.profiles, link_seconds=60,
            now=lambda: self.now, log=lambda event, **facts: None,
        )  # fmt: skip
        return Reconciler(**{
            "ledger": self.ledger, "arrivals": arrivals, "seal_keys": self.seal_keys, "prefix_keys": self.prefix_keys,
            "places": {PLACE.bucket: PLACE}, "options": self.options, "owner": self.owner,
            "new_run_id": new_upload_id, "now": lambda: self.now, "sleep": self.slept.append,
        } | changes)  # fmt: skip

    def run(self, **options):
        changes = {name: options.pop(name) for name in ("should_stop", "places") if name in options}
        return self.reconciler(options=replace(self.options, **options), **changes).run()

    def find(self, run):
        """What a run found, as (kind, outcome, key)."""
        return [
            (found.kind, found.outcome, found.object_key)
            for _, found in self.ledger.runs.list_findings(run.run_id)
        ]


def build_profiles(*names, handler=None):
    """Profiles by name, each with the same handler."""
    callback = define_callback(("https://uploads.example.com/callback",), compile_body(DEFAULT_JSON, "json"))
    return {
        name: ReceivingProfile(
            Profile(
                name=name,
                place=PLACE,
                object_key=compile_key_template("{profile}/{upload_id}{ext}"),
                callback=callback,
            ),
            compile_reply({}),
            handler,
        )
        for name in names
    }


@pytest.fixture
def make_world(url):
    """Open worlds on the test's database, and close them at its end."""
    ledgers = []

    def make(**changes):
        routes = changes.pop("routes", lambda profile, event: ())
        handler = changes.pop("handler", None)
        ledgers.append(Ledger(url, routes=routes))
        return World(
            ledgers[-1],
            changes.pop("bucket", None) or FakeBucket(),
            SealKeys([b"s" * 32]),
            build_profiles("photo", "other", handler=handler),
            **changes,
        )

    yield make
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def make_world_on():
    """Build a world on a ledger that somebody else opens and closes."""
    return lambda ledger: World(ledger, FakeBucket(), SealKeys([b"s" * 32]), build_profiles("photo"))


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture
def make_swept():
    """A row as a walk sees it."""

    def make(key, state="uploaded", **changes):
        given = {
            "upload_id": f"01U{key}", "profile": "photo", "bucket": PLACE.bucket, "object_key": key,
            "state": state, "size": 3, "etag": "AB12", "uploaded_at": NOW - timedelta(hours=1),
            "changed_at": NOW - timedelta(hours=1), "expires_at": NOW - timedelta(hours=1),
            "multipart_upload_id": None, "keep_until": None,
        }  # fmt: skip
        return SweptUpload(**given | changes)

    return make


@pytest.fixture
def make_listed():
    """An object as a listing tells it."""

    def make(key, **changes):
        given = {"size": 3, "etag": "AB12", "last_modified": NOW - timedelta(hours=1)}
        return ListedObject(object_key=key, **given | changes)

    return make


@pytest.fixture
def now():
    return NOW
