"""Events and their ids, pure."""

from ossgate.ledger import EVENT_TYPES
from ossgate.ledger.events import EVENT_STEPS, new_delivery_id


def test_delivery_ids_sort_by_time() -> None:
    """Ids of one process sort as they were made, within a millisecond too, and over the years."""
    ids = [new_delivery_id(at) for at in (0, 0, 1, 1_767_323_045_678, 1_767_323_045_679, 4_102_444_800_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(each) == 35 for each in ids)


def test_every_type_has_its_place() -> None:
    """A step that an upload can take after another is told after it."""
    assert set(EVENT_TYPES) == set(EVENT_STEPS)
    order = ["upload.expired", "upload.uploaded", "upload.replaced", "upload.deleted"]
    assert sorted(order, key=EVENT_STEPS.__getitem__) == order
