"""The comparison as a table: what is suspected of each upload and object."""

from datetime import timedelta

import pytest

from ossgate.reconcile.comparison import Ages, choose_moment, suspect
from ossgate.reconcile.findings import MEANINGS, Kind

GRACE = timedelta(minutes=10)
OLD, YOUNG = timedelta(hours=1), timedelta(minutes=9)


@pytest.fixture
def ages(now):
    return Ages(now, GRACE)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, Kind.UNRECORDED),
        ("issued", Kind.UNTOLD),
        ("expired", Kind.UNTOLD),
        ("unconfirmed", Kind.UNCONFIRMED),
        ("uploaded", None),
        ("aborted", Kind.CLOSED),
        ("deleted", Kind.CLOSED),
    ],
)
def test_old_object_beside_each_state(ages, make_swept, make_listed, state, expected):
    """An object that has been there for long is owed a settled row."""
    upload = None if state is None else make_swept("k", state)

    assert expected == suspect(upload, make_listed("k"), ages)


@pytest.mark.parametrize(
    "state", [None, "issued", "expired", "unconfirmed", "uploaded", "aborted", "deleted"]
)
def test_young_object_is_left_alone(ages, now, make_swept, make_listed, state):
    """The callback of an object that has just come is on its way, whatever the object looks like."""
    upload = None if state is None else make_swept("k", state)
    young = make_listed("k", last_modified=now - YOUNG, etag="CD34", size=9)

    assert suspect(upload, young, ages) is None


@pytest.mark.parametrize(
    ("state", "age", "expected"),
    [
        ("issued", OLD, Kind.OVERDUE),
        ("issued", YOUNG, None),
        ("issued", -OLD, None),
        ("uploaded", OLD, Kind.GONE),
        ("uploaded", YOUNG, None),
        ("unconfirmed", OLD, Kind.UNCONFIRMED),
        ("unconfirmed", YOUNG, None),
        ("expired", OLD, None),
        ("aborted", OLD, None),
        ("deleted", OLD, None),
    ],
)
def test_upload_without_object(ages, now, make_swept, state, age, expected):
    """Each state waits for its own time to be over: a grant for its end, an arrival for its age."""
    moments = dict.fromkeys(("expires_at", "uploaded_at", "changed_at"), now - age)

    assert expected == suspect(make_swept("k", state, **moments), None, ages)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"etag": "CD34"}, Kind.CHANGED),
        ({"size": 4}, Kind.CHANGED),
        ({}, None),
    ],
)
def test_object_that_differs_from_its_record(ages, make_swept, make_listed, changes, expected):
    """Other bytes are noticed by ETag or by size."""
    assert expected == suspect(make_swept("k"), make_listed("k", **changes), ages)


@pytest.mark.parametrize(
    ("later", "expected"), [(timedelta(minutes=16), Kind.NEWER), (timedelta(minutes=14), None)]
)
def test_object_newer_than_its_record(ages, now, make_swept, make_listed, later, expected):
    """Clocks may be a quarter of an hour apart; what is newer than that was written again."""
    upload = make_swept("k", uploaded_at=now - OLD)

    assert expected == suspect(upload, make_listed("k", last_modified=now - OLD + later), ages)


def test_nothing_on_both_sides(ages):
    """A key that neither side has is no difference."""
    assert suspect(None, None, ages) is None


@pytest.mark.parametrize("skew", [timedelta(minutes=-15), timedelta(0), timedelta(minutes=15)])
def test_the_earlier_clock_judges(now, skew):
    """Whichever clock is ahead, what is judged is younger rather than older."""
    second = timedelta(seconds=1)

    assert min(now, now + skew + second) == choose_moment(now, now + skew)
    assert now == choose_moment(now, None)


def test_every_kind_has_a_meaning():
    """Reports explain each kind in a sentence."""
    assert set(Kind) == set(MEANINGS)
