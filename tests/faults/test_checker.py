"""The check itself: each kind of loss and invention is seen."""

import pytest

DAMAGE = (
    ("UPDATE upload SET size = size + 1", "has other bytes"),
    ("UPDATE upload SET etag = 'AB'", "has other bytes"),
    ("UPDATE upload SET state = 'expired'", "is there, and its upload is expired"),
    ("UPDATE upload SET state = 'issued'", "is still issued"),
    ("UPDATE upload SET object_key = 'other'", "is uploaded, and there is no other"),
    ("UPDATE history SET at = at + 1", "has changed or gone from the history"),
    ("DELETE FROM history WHERE claim = 'uploaded'", "its history tells ['issued']"),
    ("UPDATE quota SET bytes = bytes + 1", "the account"),
    ("UPDATE quota SET pending_uploads = 1", "the account"),
    ("DELETE FROM delivery", "was announced None"),
    ("UPDATE delivery SET state = 'dead'", "is dead"),
    ("UPDATE delivery SET delivery_id = 'dl_another'", "nobody has sent it"),
    ("UPDATE delivery SET body = '{}'", "another body"),
)


def test_damage_is_seen(world, check_all):
    """One row that is not as it should be fails the check, and is named."""
    world.upload()
    world.settle()
    check_all(world)
    whole = world.database.copy_rows()
    for statement, words in DAMAGE:
        world.database.run(statement)
        with pytest.raises(AssertionError) as failed:
            check_all(world)
        assert words in str(failed.value), statement
        world.database.restore_rows(whole)
    check_all(world)


def test_lost_and_invented_are_seen(world, check_all):
    """An object without an upload, an upload without its object, a stranger, an event that came in the wrong order."""
    kept, lost = world.upload(), world.upload()
    world.settle()
    world.delete(lost["object_key"])
    world.put("stranger", b"x")
    world.database.run("DELETE FROM history WHERE upload_id = :id", id=kept["upload_id"])
    world.database.run("DELETE FROM upload WHERE upload_id = :id", id=kept["upload_id"])

    with pytest.raises(AssertionError) as failed:
        check_all(world)
    for words in (
        f"{kept['object_key']} has the uploads []",
        f"{lost['upload_id']} is uploaded, and there is no",
        "1 strangers, 0 were written",
        f"{kept['upload_id']} was acknowledged, and is None",
    ):
        assert words in str(failed.value)
