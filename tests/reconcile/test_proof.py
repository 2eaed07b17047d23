"""What objects prove: by their seals, by keys below a prefix, and beside the rows that have their keys."""

from dataclasses import replace

import pytest

from ossgate.access.callers import UNKNOWN
from signer.profiles import Quota

STRANGER, DISPUTED = "stranger", "disputed"


@pytest.mark.parametrize("sealed", [True, False])
def test_object_below_a_prefix_is_an_upload_of_its_own(world, sealed):
    """Each key one row, under the id that a callback would have used; a second run finds nothing."""
    grant = world.grant_prefix()
    below = [world.facts_below(grant, name) for name in ("a.jpg", "b/c.jpg")]
    for facts in below:
        world.store(facts, seal=world.seal_keys.issue_seal(grant) if sealed else None)
    first, second = world.run(), world.run()

    assert [("unrecorded", "settled", facts.object_key) for facts in below] == world.find(first)
    assert (["uploaded"] * 2, []) == ([world.state(facts) for facts in below], world.find(second))


def test_seal_of_a_prefix_tells_whose_it_is(world):
    """The seal holds the grant whole."""
    grant = world.grant_prefix(subject="alice", issuer="api_key:app", variables={"album": 7}, dialect="mall")
    facts = world.facts_below(grant, "a.jpg")
    world.store(facts, seal=world.seal_keys.issue_seal(grant))
    world.run()
    upload = world.ledger.fetch_upload(facts.upload_id)

    assert ("api_key:app", "alice", {"album": 7}, "mall", "a.jpg", "sts") == (
        upload.issuer, upload.subject, dict(upload.variables), upload.dialect, upload.file_name, upload.via,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("allow", "issuer"),
    [
        (("anonymous",), "anonymous"),
        (("api_key",), UNKNOWN),
        (("anonymous", "api_key"), UNKNOWN),
    ],
)
def test_key_alone_tells_not_for_whom(world, allow, issuer):
    """It is shown to everybody only where nobody has a name, and counts on no person's account."""
    receiving = world.profiles["photo"]
    profile = replace(receiving.profile, allow=allow, quota=Quota(1, 1, "ever"))
    world.profiles["photo"] = replace(receiving, profile=profile)
    facts = world.facts_below(world.grant_prefix(), "a.jpg")
    world.store(facts, seal=None)
    world.run()
    upload = world.ledger.fetch_upload(facts.upload_id)

    assert (issuer, issuer, "") == (upload.issuer, upload.subject, upload.quota_key)


def other_bucket(world, grant):
    return world.prefix_keys.build_prefix("photos/alice/", grant.upload_id, bucket="another", profile="photo")


def other_profile(world, grant):
    return world.prefix_keys.build_prefix(
        "photos/alice/", grant.upload_id, bucket=grant.bucket, profile="removed"
    )


@pytest.mark.parametrize(
    "forge",
    [
        lambda world, grant: grant.object_key[:-23] + "A" * 22 + "/",
        lambda world, grant: grant.object_key.replace("alice", "bob"),
        lambda world, grant: "x/" + grant.object_key,
        lambda world, grant: grant.object_key[:-1],
        lambda world, grant: "photos/alice/",
        other_bucket,
        other_profile,
    ],
    ids=["mac", "person", "deeper", "no slash", "no proof", "another bucket", "another profile"],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_forged_folder_stays_a_stranger(world, forge, sealed):
    """Whatever looks like a prefix of ours and is none; the seal of a real one does not help."""
    grant = world.grant_prefix()
    key = forge(world, grant) + "a.jpg"
    world.bucket.put(key, seal=world.seal_keys.issue_seal(grant) if sealed else None)

    assert [(STRANGER, "left", key)] == world.find(world.run())
    assert [] == world.ledger.list_uploads()


@pytest.mark.parametrize(
    "spoil",
    [
        {"size": 10**12},
        {"size": 0},
        {"content_type": "text/html"},
        {"seal": "bm90IG9uZSBvZiBvdXJz"},
    ],
)
def test_object_below_a_prefix_that_was_not_granted(world, spoil):
    """Its key is right, and size, type or seal are not."""
    receiving = world.profiles["photo"]
    profile = replace(receiving.profile, content_types=("image/*",), max_size=10**9)
    world.profiles["photo"] = replace(receiving, profile=profile)
    facts = world.facts_below(world.grant_prefix(), "a.jpg")
    world.store(facts, **{"seal": None} | spoil)

    assert [(STRANGER, "left", facts.object_key)] == world.find(world.run())


def test_seal_of_another_grant_below_a_prefix(world):
    """Two grants of one profile: each seal proves below its own prefix alone."""
    mine, theirs = world.grant_prefix(), world.grant_prefix()
    facts = world.facts_below(mine, "a.jpg")
    world.store(facts, seal=world.seal_keys.issue_seal(theirs))

    assert [(STRANGER, "left", facts.object_key)] == world.find(world.run())


def test_object_below_a_prefix_is_never_deleted_as_a_stranger(world):
    """Also when its seal names a profile that is gone."""
    grant = world.grant_prefix(profile="removed")
    facts = world.facts_below(grant, "a.jpg")
    world.store(facts, seal=world.seal_keys.issue_seal(grant))
    run = world.run(delete_strangers=frozenset({facts.object_key}), apply=True)

    assert ([("unrecorded", "left", facts.object_key)], []) == (world.find(run), world.bucket.deleted)


def test_object_written_again_below_a_prefix_is_history(world):
    """Another ETag under a known key is no second upload."""
    grant = world.grant_prefix()
    facts = world.facts_below(grant, "a.jpg")
    world.store(facts, seal=None)
    world.run()
    world.store(facts, seal=None, etag="CD34", size=7)
    runs = [world.run(), world.run()]

    assert [[("changed", "settled", facts.object_key)], []] == [world.find(run) for run in runs]
    assert ["issued", "uploaded", "replaced:CD34"] == world.claims(facts)
    assert 1 == len(world.ledger.list_uploads())


@pytest.mark.parametrize("sealed", [True, False])
def test_unconfirmed_upload_below_a_prefix(world, sealed):
    """A callback was believed while the bucket was down; the row knows what was granted, and the seal is the grant's."""
    grant = world.grant_prefix()
    facts = world.facts_below(grant, "a.jpg")
    world.arrive(facts, target="unconfirmed")
    world.store(facts, seal=world.seal_keys.issue_seal(grant) if sealed else None)

    assert [("unconfirmed", "settled", facts.object_key)] == world.find(world.run())
    assert "uploaded" == world.state(facts)


@pytest.mark.parametrize(
    ("via", "changes", "found"),
    [
        ("sts", {"seal": None}, ("untold", "settled")),
        ("sts", {}, ("untold", "settled")),
        ("post", {"seal": None}, (DISPUTED, "left")),
        ("sts", {"seal": None, "size": 101}, (DISPUTED, "left")),
        ("sts", {"seal": None, "content_type": "text/html"}, (DISPUTED, "left")),
        ("sts", {"seal": "bm90IG9uZSBvZiBvdXJz"}, (DISPUTED, "left")),
    ],
)
def test_one_file_beside_its_row(world, via, changes, found):
    """Nothing makes a client with credentials send the seal; a form cannot leave it out."""
    facts = world.facts("a", via=via)
    world.issue(facts)
    world.store(facts, **changes)

    assert [(*found, facts.object_key)] == world.find(world.run())


def test_file_of_credentials_whose_row_and_seal_are_lost(world):
    """An exact key alone proves nothing."""
    facts = world.facts("a", via="sts")
    world.store(facts, seal=None)

    assert [(STRANGER, "left", facts.object_key)] == world.find(world.run())
