"""Layer 2 and 3 of prefix grants and of temporary credentials: the key proves the grant, a seal may be missing."""

import pytest

from callback.body import Claims
from callback.claims import check_claims
from callback.confirmation import check_object
from callback.errors import BucketDisagrees, ClaimsContradictTicket
from callback.prefix_claims import identify_object
from ossgate.bucket import ObjectHead
from signer.callback_body import DEFAULT_FORM, compile_body
from signer.callback_param import define_callback
from signer.object_keys import compile_key_template, compile_prefix_template
from signer.places import define_place
from signer.profiles import Profile

GRANT = "01KE00000000000000000000AA"
ETAG = "900150983CD24FB0D6963F7D28E17F72"


@pytest.fixture
def profile():
    callback = define_callback(["https://a.example/callback"], compile_body(DEFAULT_FORM, "form"))
    return Profile(
        name="photo",
        place=define_place("examplebucket", "cn-hangzhou"),
        object_key=compile_key_template("photos/{upload_id}{ext}"),
        callback=callback,
        content_types=("image/*", "text/plain"),
        via=("sts",),
        key_prefix=compile_prefix_template("photos/{subject}/"),
        prefix_callback=callback,
    )


@pytest.fixture
def make_grant(make_facts, prefix_keys):
    def make(grant_id=GRANT, **changes):
        prefix = prefix_keys.build_prefix("photos/u1/", grant_id, bucket="examplebucket", profile="photo")
        given = {"object_key": prefix, "content_type": "", "file_name": "", "via": "sts", "use": "prefix"}
        return make_facts(upload_id=grant_id, **(given | changes))

    return make


def claim(object_key, **changes):
    return Claims(
        **(
            {
                "bucket": "examplebucket",
                "object_key": object_key,
                "etag": ETAG,
                "size": 3,
                "content_type": "image/jpeg",
                "ticket": "t",
            }
            | changes
        )
    )


def test_object_below_the_prefix_is_an_upload_of_its_own(make_grant, profile, prefix_keys):
    """With an id that the same object always gets."""
    grant = make_grant()
    first, second = (
        identify_object(claim(grant.object_key + name), grant, profile=profile, keys=prefix_keys)
        for name in ("a.jpg", "b.jpg")
    )

    assert ("once", "a.jpg", "image/jpeg") == (first.use, first.file_name, first.content_type)
    assert len({first.upload_id, second.upload_id, GRANT}) == 3
    assert first == identify_object(
        claim(grant.object_key + "a.jpg"), grant, profile=profile, keys=prefix_keys
    )


def test_claims_below_the_prefix_are_within_the_grant(make_grant):
    """Any name, any type: what the profile thinks of the type is asked next."""
    grant = make_grant()

    check_claims(claim(grant.object_key + "a/b.txt", content_type="x/y"), grant)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("", {}),
        (None, {}),
        ("a.jpg", {"bucket": "other"}),
        ("a.jpg", {"size": 0}),
        ("a.jpg", {"size": 101}),
    ],
    ids=["prefix itself", "elsewhere", "bucket", "too small", "too large"],
)
def test_claims_outside_the_prefix_are_refused(make_grant, name, changes):
    """The prefix itself, another place, bucket or size."""
    grant = make_grant()
    key = "photos/u1/a.jpg" if name is None else grant.object_key + name

    with pytest.raises(ClaimsContradictTicket):
        check_claims(claim(key, **changes), grant)


def test_type_outside_the_profiles_list_is_refused(make_grant, profile, prefix_keys):
    """Credentials cannot be cut to a type; parameters of one that fits do no harm."""
    grant = make_grant()
    key = grant.object_key + "a"

    assert identify_object(
        claim(key, content_type="text/plain; charset=utf-8"), grant, profile=profile, keys=prefix_keys
    )
    for content_type in ("text/html", "", "image"):
        with pytest.raises(ClaimsContradictTicket):
            identify_object(claim(key, content_type=content_type), grant, profile=profile, keys=prefix_keys)


def test_ticket_of_another_prefix_is_refused(make_grant, profile, prefix_keys):
    """A ticket whose prefix was not made by our keys, or is that of another grant, proves nothing of this key."""
    mine, theirs = make_grant(), make_grant("01KE00000000000000000000AB")
    forged = mine._replace(object_key="photos/u1/")
    for grant, key in (
        (theirs, mine.object_key + "a"),
        (forged, "photos/u1/a"),
        (forged, mine.object_key + "a"),
    ):
        with pytest.raises(ClaimsContradictTicket):
            identify_object(claim(key), grant, profile=profile, keys=prefix_keys)


@pytest.fixture
def check(make_grant, profile, prefix_keys, seal_keys):
    """Have the bucket tell of an object with this seal: "grant", another's, or none."""

    def make(seal, **changes):
        grant = make_grant()
        facts = identify_object(claim(grant.object_key + "a.jpg"), grant, profile=profile, keys=prefix_keys)
        sealed = {
            "none": None,
            "grant": seal_keys.issue_seal(grant),
            "garbage": "AAAA",
            "another": seal_keys.issue_seal(make_grant("01KE00000000000000000000AB")),
            "of the object": seal_keys.issue_seal(facts),
        }[seal]
        found = ObjectHead(
            **({"size": 3, "etag": ETAG, "content_type": "image/jpeg", "crc64": None} | changes), seal=sealed
        )
        check_object(found, facts, seal_keys=seal_keys, claims=claim(facts.object_key), grant=grant)

    return make


@pytest.mark.parametrize("seal", ["none", "grant"])
def test_object_below_a_prefix_needs_no_seal(check, seal):
    """The grant's own, or none: the key stands for it."""
    check(seal)


@pytest.mark.parametrize("seal", ["garbage", "another", "of the object"])
def test_seal_that_is_there_must_be_right(check, seal):
    """One that says something else is somebody's mistake or attempt."""
    with pytest.raises(BucketDisagrees):
        check(seal)


@pytest.mark.parametrize("changes", [{"size": 4}, {"etag": "0"}, {"content_type": "text/html"}])
def test_bucket_that_disagrees_is_believed(check, changes):
    """Without a seal as well."""
    with pytest.raises(BucketDisagrees):
        check("none", **changes)


def test_form_and_put_still_need_their_seal(make_facts, seal_keys):
    """Only temporary credentials leave a client the choice."""
    found = ObjectHead(3, ETAG, "image/jpeg", None, None)
    for via in ("post", "put", "multipart"):
        with pytest.raises(BucketDisagrees, match="no seal"):
            check_object(found, make_facts(via=via), seal_keys=seal_keys)
    check_object(found, make_facts(via="sts"), seal_keys=seal_keys)
