"""Prefixes that prove their grant: from a key alone, under one profile, in one bucket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signer.errors import ConfigurationError
from signer.facts import Facts
from signer.object_keys import compile_prefix_template
from signer.prefix_grants import PrefixForged, PrefixKeys, describe_object
from signer.profiles import LONGEST_PROOF
from signer.upload_ids import is_upload_id, new_upload_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GRANT = "01KDYAK348000000000000016J"
WHERE = {"bucket": "examplebucket", "profile": "photo"}
KEYS = PrefixKeys([b"s" * 32])
PREFIX = KEYS.build_prefix("photos/u1/", GRANT, **WHERE)


def test_prefix_has_the_documented_form() -> None:
    """The profile's own beginning, the grant's id, a dot, the mac, a slash."""
    assert PREFIX.startswith(f"photos/u1/{GRANT}.")
    assert len(PREFIX) == len("photos/u1/") + LONGEST_PROOF
    # Objects keep their keys for years: what was made once proves its grant for ever.
    assert PREFIX == "photos/u1/01KDYAK348000000000000016J.x6JcOmh6JBTItG62ErERXQ/"


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_any_name_below_a_prefix_proves_the_grant(name: str) -> None:
    """Whatever a client calls its files, with slashes and dots and all, as long as no segment is one that HTTP folds."""
    assume(not {".", ".."} & set(name.split("/")))
    proof = KEYS.verify(PREFIX + name, **WHERE)

    assert (proof.grant_id, proof.key_prefix) == (GRANT, PREFIX)
    assert proof.issued == NOW
    assert is_upload_id(proof.upload_id)
    assert proof.upload_id[:10] == GRANT[:10]


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (PREFIX, {}),
        (PREFIX[:-1], {}),
        (PREFIX[:-2] + "A/a.jpg", {}),
        (PREFIX.replace("u1", "u2") + "a.jpg", {}),
        (PREFIX.replace(GRANT, GRANT[:-1] + "Z") + "a.jpg", {}),
        ("x/" + PREFIX + "a.jpg", {}),
        (PREFIX.removeprefix("photos/") + "a.jpg", {}),
        (PREFIX + "a\x00.jpg", {}),
        (PREFIX + "a\u202egpj.exe", {}),
        (PREFIX + "../a.jpg", {}),
        (PREFIX + "x/../../a.jpg", {}),
        (PREFIX + "./a.jpg", {}),
        (PREFIX + "x/..", {}),
        (PREFIX + "a.jpg", {"bucket": "otherbucket"}),
        (PREFIX + "a.jpg", {"profile": "file"}),
        ("", {}),
        ("/" * 1000, {}),
    ],
)
def test_other_keys_prove_nothing(key: str, where: dict[str, str]) -> None:
    """The prefix itself, another subject, grant, bucket or profile, something in front, hidden characters, or a way out."""
    with pytest.raises(PrefixForged) as refusal:
        KEYS.verify(key, **(WHERE | where))

    assert refusal.value.code == "prefix_forged"


def test_subject_that_looks_like_a_proof_does_no_harm() -> None:
    """The first segment that is one counts, not the first that has the form."""
    base = f"photos/{GRANT}.{'A' * 22}/"
    prefix = KEYS.build_prefix(base, GRANT, **WHERE)

    assert KEYS.verify(prefix + "a.jpg", **WHERE).key_prefix == prefix


def test_prefix_below_a_prefix_is_the_outer_ones() -> None:
    """A client that writes the name of another grant below its own has not left its own."""
    other = KEYS.build_prefix(PREFIX, new_upload_id(NOW), **WHERE)

    assert KEYS.verify(other + "a.jpg", **WHERE).key_prefix == PREFIX


def test_upload_id_is_one_for_an_object_and_survives_rotation() -> None:
    """Callback and reconciliation mean the same row, also after a key was added."""
    rotated = PrefixKeys([b"s" * 32, b"n" * 32])
    first, second = (KEYS.verify(PREFIX + name, **WHERE).upload_id for name in ("a.jpg", "b.jpg"))

    assert rotated.verify(PREFIX + "a.jpg", **WHERE).upload_id == first != second
    assert rotated.build_prefix("photos/u1/", GRANT, **WHERE) != PREFIX
    with pytest.raises(PrefixForged):
        PrefixKeys([b"n" * 32]).verify(PREFIX + "a.jpg", **WHERE)


def test_keys_are_those_of_no_other_purpose() -> None:
    """Too short ones are refused, as for seals."""
    with pytest.raises(ConfigurationError):
        PrefixKeys([b"short"])
    with pytest.raises(ConfigurationError):
        PrefixKeys([])


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("a.jpg", "a.jpg"), ("x/图 1.jpg", "图 1.jpg"), ("x/", "file"), ("...", "file"), ("a" * 300, "a" * 255)],
)
def test_object_below_a_prefix_is_an_upload_of_its_own(
    name: str, file_name: str, make_facts: Callable[..., Facts]
) -> None:
    """With an id, a key, a type and a name of its own; the rest is the grant's."""
    grant = make_facts(
        use="prefix", upload_id=GRANT, object_key=PREFIX, content_type="", file_name="", via="sts"
    )
    proof = KEYS.verify(PREFIX + name, **WHERE)
    facts = describe_object(grant, proof, object_key=PREFIX + name, content_type="image/png")

    assert (facts.use, facts.upload_id, facts.object_key) == ("once", proof.upload_id, PREFIX + name)
    assert (facts.content_type, facts.file_name) == ("image/png", file_name)
    assert (facts.size_max, facts.variables, facts.expires) == (
        grant.size_max,
        grant.variables,
        grant.expires,
    )


@pytest.mark.parametrize(
    "template",
    [
        "photos",
        "photos/{name}/",
        "{upload_id}/",
        "{ext}/",
        "/",
        "/photos/",
        "a//",
        "p" * 701 + "/",
        "a/../",
        "{x}/",
    ],
)
def test_template_of_a_prefix_that_cannot_be(template: str) -> None:
    """No slash at its end, what only one file has, or no beginning of a key."""
    with pytest.raises(ConfigurationError) as refusal:
        compile_prefix_template(template)

    assert refusal.value.hint


def test_template_of_a_prefix_is_filled_in() -> None:
    """Who, when and what for."""
    template = compile_prefix_template("{profile}/{subject}/{date}/")
    filled = template.build_object_key(
        profile="photo",
        subject="u/1",
        upload_id="",
        file_name="",
        content_type="",
        now=NOW + timedelta(days=1),
    )

    assert filled == "photo/u_1/2026-01-03/"


FRESH = "01KDYBB5M8ABCDEFGHJKMNPQRS"
OWNER = {"issuer": "jwt:alice", "subject": "alice"}


def test_id_of_a_grant_proves_for_whom_it_is() -> None:
    """To whoever names them, also after newer keys came; its time and half of its random bits stay."""
    bound = KEYS.bind_owner(FRESH, **OWNER)
    newer = PrefixKeys([b"s" * 32, b"n" * 32])

    assert bound[:18] == FRESH[:18]
    assert is_upload_id(bound)
    assert KEYS.is_owner(bound, **OWNER)
    assert newer.is_owner(bound, **OWNER)


@pytest.mark.parametrize(
    ("changes", "grant_id"),
    [
        ({"issuer": "jwt:mallory"}, None),
        ({"subject": "mallory"}, None),
        ({"issuer": "jwt:aliceali", "subject": "ce"}, None),
        ({"issuer": "", "subject": ""}, None),
        ({}, FRESH),
        ({}, ""),
    ],
)
def test_id_proves_nobody_else(changes: dict[str, str], grant_id: str | None) -> None:
    """Neither another issuer nor another subject, nor an id of before."""
    bound = KEYS.bind_owner(FRESH, **OWNER)

    assert not KEYS.is_owner(bound if grant_id is None else grant_id, **OWNER | changes)
    assert not PrefixKeys([b"x" * 32]).is_owner(bound, **OWNER)
    assert not KEYS.is_owner(bound[:17] + "0" + bound[18:], **OWNER)
