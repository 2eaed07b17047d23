"""Layer 3: what the bucket says."""

from dataclasses import dataclass

import pytest

from callback.body import parse_body
from callback.confirmation import check_object, open_object_seal
from callback.errors import BucketDisagrees
from signer.seal import SealKeys

ETAG = "900150983CD24FB0D6963F7D28E17F72"


@dataclass(frozen=True)
class Found:
    size: int = 3
    etag: str = ETAG
    content_type: str = "image/jpeg"
    seal: str | None = None
    crc64: str | None = None
    object_type: str = "Normal"
    content_md5: str = ""


@pytest.fixture
def make_found(seal_keys, make_facts):
    def make(facts=None, **changes):
        return Found(**{"seal": seal_keys.issue_seal(facts or make_facts())} | changes)

    return make


def test_check_object_passes_the_granted_object(make_found, make_facts, make_body, seal_keys):
    """Size, ETag, type and seal agree, with and without a callback's claims."""
    claims = parse_body(make_body(), "application/json")

    check_object(make_found(), make_facts(), seal_keys=seal_keys, claims=claims)
    check_object(make_found(), make_facts(), seal_keys=seal_keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 4},
        {"etag": "0" * 32},
        {"content_type": "text/html"},
        {"seal": None},
        {"seal": ""},
        {"seal": "AAAA"},
        {"seal": "é"},
        {"seal": "A" * 9000},
        {"object_type": "Symlink"},
    ],
)
def test_check_object_refuses_another_object(make_found, make_facts, make_body, seal_keys, changes):
    """Each fact that differs from the callback's is refused."""
    claims = parse_body(make_body(), "application/json")

    with pytest.raises(BucketDisagrees):
        check_object(make_found(**changes), make_facts(), seal_keys=seal_keys, claims=claims)


@pytest.mark.parametrize("size", [0, 101])
def test_check_object_refuses_a_size_outside_the_grant(make_found, make_facts, seal_keys, size):
    """Without claims the grant's range still holds."""
    with pytest.raises(BucketDisagrees):
        check_object(make_found(size=size), make_facts(), seal_keys=seal_keys)


@pytest.mark.parametrize(
    "changes",
    [{"upload_id": "01KE00000000000000000000AB"}, {"subject": "u2"}, {"object_key": "photos/b.jpg"}],
)
def test_check_object_refuses_another_grants_seal(make_found, make_facts, seal_keys, changes):
    """A seal that was copied from another object proves nothing here."""
    found = make_found(make_facts(**changes))

    with pytest.raises(BucketDisagrees):
        check_object(found, make_facts(), seal_keys=seal_keys)


def test_open_object_seal_refuses_a_foreign_key(make_facts, make_found):
    """A seal of another installation is not ours."""
    with pytest.raises(BucketDisagrees):
        open_object_seal(make_found(), upload_id=make_facts().upload_id, seal_keys=SealKeys([b"x" * 32]))


@pytest.mark.parametrize("via", ["sts", "post"])
def test_link_to_another_object_is_no_upload(make_found, make_facts, seal_keys, via):
    """Credentials that may write may make a link, which shows size and ETag of what it points to, and metadata of its own."""
    facts = make_facts(via=via)

    with pytest.raises(BucketDisagrees, match="link"):
        check_object(make_found(facts, object_type="Symlink"), facts, seal_keys=seal_keys)
