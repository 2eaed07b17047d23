"""The ledger's face: what is recorded is what is read, and what happens twice happens once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ossgate.ledger import (
    Arrival,
    Ledger,
    NewUpload,
    TransitionForbidden,
    UploadExists,
    UploadUnknown,
)

MakeUpload = Callable[..., NewUpload]
MakeArrival = Callable[..., Arrival]
LATER = timedelta(seconds=7)


def claims(ledger: Ledger, upload_id: str) -> list[str]:
    return [change.claim for change in ledger.fetch_history(upload_id)]


def test_issue_when_new(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """An issued upload reads back with every fact that it was given."""
    new = make_upload(dialect="appserver_v4")
    ledger.record_issued([new], quota=None, now=now)

    found = ledger.fetch_upload(new.upload_id)

    assert found is not None
    assert {name: getattr(found, name) for name in NewUpload.__dataclass_fields__} == {
        name: getattr(new, name) for name in NewUpload.__dataclass_fields__
    }
    assert (found.state, found.size, found.reply) == ("issued", None, None)
    assert claims(ledger, new.upload_id) == ["issued"]


def test_issue_when_in_parts(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """What is needed to go on with an upload in parts is kept, also once it has arrived."""
    new = make_upload(via="multipart", multipart_upload_id="0004B9894A22E5B1", part_size=8 * 1024**2)
    ledger.record_issued([new], quota=None, now=now)
    ledger.record_arrival(make_arrival(new), now=now + LATER, timeout=2)

    found = ledger.fetch_upload(new.upload_id)

    assert found is not None
    assert (found.via, found.multipart_upload_id, found.part_size, found.state) == (
        "multipart",
        "0004B9894A22E5B1",
        8 * 1024**2,
        "uploaded",
    )


def test_issue_when_several(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """A list of uploads is recorded in one go."""
    news = [make_upload() for _ in range(100)]
    ledger.record_issued(news, quota=None, now=now)

    assert len(ledger.list_uploads(limit=200)) == 100


def test_issue_when_the_id_is_taken(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """An id is issued once; the list that repeats it leaves nothing behind."""
    taken, other = make_upload(), make_upload()
    ledger.record_issued([taken], quota=None, now=now)

    with pytest.raises(UploadExists):
        ledger.record_issued([taken, other], quota=None, now=now)

    assert ledger.fetch_upload(other.upload_id) is None


def test_issue_when_nothing_is_asked(ledger: Ledger, now: datetime) -> None:
    """An empty list is no work."""
    ledger.record_issued([], quota=None, now=now)

    assert ledger.list_uploads() == []


def test_issue_when_the_time_is_naive(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """A time without a zone is refused before it reaches the writer."""
    with pytest.raises(TypeError):
        ledger.record_issued([make_upload(created_at=now.replace(tzinfo=None))], quota=None, now=now)


def test_fetch_when_unknown(ledger: Ledger) -> None:
    """An id that was never issued reads as nothing."""
    assert ledger.fetch_upload("nobody") is None
    assert ledger.fetch_history("nobody") == []


def test_arrival_when_issued(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """The first arrival settles the upload and is told so."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)

    outcome = ledger.record_arrival(
        make_arrival(new, crc64="17", content_type="image/png"), now=now + LATER, timeout=5
    )

    assert (outcome.first, outcome.conflict, outcome.reply) == (True, False, b'{"Status":"OK"}')
    assert outcome.upload == ledger.fetch_upload(new.upload_id)
    assert (outcome.upload.state, outcome.upload.size, outcome.upload.crc64) == ("uploaded", 400, "17")
    assert (outcome.upload.uploaded_at, outcome.upload.arrived_via) == (now + LATER, "callback")
    assert outcome.upload.content_type == "image/png"


def test_arrival_when_repeated(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A repeat gets the first reply's bytes and changes nothing."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    first = ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    again = ledger.record_arrival(
        make_arrival(new, reply=b"other", via="confirm"), now=now + LATER, timeout=5
    )

    assert (again.first, again.reply, again.upload) == (False, first.reply, first.upload)
    assert claims(ledger, new.upload_id) == ["issued", "uploaded"]


def test_arrival_when_another_etag(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """Another object under the key is a conflict: one note in the history, however often it is told."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    first = ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    for _ in range(2):
        other = ledger.record_arrival(make_arrival(new, etag="B" * 300, size=9), now=now + LATER, timeout=5)

    assert (other.first, other.conflict) == (False, True)
    assert other.upload == replace(first.upload, replaced_size=9)
    assert claims(ledger, new.upload_id) == ["issued", "uploaded", "replaced:" + "B" * 71]


def test_arrival_when_another_etag_is_unconfirmed(
    make_ledger: Callable[..., Ledger], make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """What no bucket has confirmed is a conflict that leaves no trace: anybody can claim it."""
    ledger = make_ledger(routes=lambda profile, event: ("hooks",))
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    first = ledger.record_arrival(make_arrival(new), now=now, timeout=5)
    other = ledger.record_arrival(
        make_arrival(new, etag="B", size=9, target="unconfirmed"), now=now, timeout=5
    )

    assert (other.first, other.conflict, other.upload) == (False, True, first.upload)
    assert claims(ledger, new.upload_id) == ["issued", "uploaded"]
    assert ["upload.uploaded"] == [one.type for one in ledger.outbox.list_deliveries(new.upload_id)]


def test_arrival_when_unconfirmed_then_confirmed(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """Provisional facts give way to those that the bucket has confirmed, and so does the reply."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    early = ledger.record_arrival(make_arrival(new, target="unconfirmed", reply=b"early"), now=now, timeout=5)
    repeat = ledger.record_arrival(make_arrival(new, target="unconfirmed", reply=b"x"), now=now, timeout=5)

    late = ledger.record_arrival(
        make_arrival(new, etag="C", size=5, reply=b"late", via="confirm"), now=now + LATER, timeout=5
    )

    assert (early.first, early.upload.state) == (True, "unconfirmed")
    assert (repeat.first, repeat.reply) == (False, b"early")
    assert (late.first, late.upload.state, late.upload.etag, late.reply) == (True, "uploaded", "C", b"late")
    assert (late.upload.uploaded_at, late.upload.changed_at) == (now, now + LATER)
    assert claims(ledger, new.upload_id) == ["issued", "unconfirmed", "uploaded"]


def test_arrival_when_uploaded_already_and_told_unconfirmed(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A confirmed upload does not go back to being unconfirmed."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    late = ledger.record_arrival(make_arrival(new, target="unconfirmed"), now=now, timeout=5)

    assert (late.first, late.upload.state) == (False, "uploaded")


def test_arrival_when_the_issued_row_is_lost(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """An upload that the ledger never heard of is rebuilt from the ticket's facts."""
    new = make_upload()

    outcome = ledger.record_arrival(make_arrival(new), now=now + LATER, timeout=5)

    assert (outcome.first, outcome.upload.file_name) == (True, new.file_name)
    assert claims(ledger, new.upload_id) == ["issued", "uploaded"]
    assert ledger.fetch_history(new.upload_id)[0].facts == {"rebuilt": True}


@pytest.mark.parametrize("target", ["uploaded", "unconfirmed"])
def test_arrival_when_expired(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, target: str
) -> None:
    """A late arrival outweighs our clock."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    ledger.record_state(new.upload_id, "expired", now=now, timeout=5)

    outcome = ledger.record_arrival(make_arrival(new, target=target), now=now + LATER, timeout=5)

    assert (outcome.first, outcome.upload.state) == (True, target)
    assert claims(ledger, new.upload_id) == ["issued", "expired", target]


def test_arrival_when_aborted(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """An aborted upload stays aborted."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    ledger.record_state(new.upload_id, "aborted", now=now, timeout=5)

    with pytest.raises(TransitionForbidden):
        ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    assert claims(ledger, new.upload_id) == ["issued", "aborted"]


def test_arrival_when_deleted(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A repeat still gets its reply after the object is gone; another object is refused."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new), now=now, timeout=5)
    ledger.record_state(new.upload_id, "deleted", now=now, timeout=5)

    repeat = ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    assert (repeat.first, repeat.upload.state, repeat.reply) == (False, "deleted", b'{"Status":"OK"}')
    with pytest.raises(TransitionForbidden):
        ledger.record_arrival(make_arrival(new, etag="other"), now=now, timeout=5)


def test_arrival_facts_in_the_history(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """The history keeps what was claimed, by whom and when."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new), now=now + LATER, timeout=5)

    change = ledger.fetch_history(new.upload_id)[-1]

    assert (change.claim, change.via, change.at) == ("uploaded", "callback", now + LATER)
    assert change.facts == {"size": 400, "etag": make_arrival(new).etag, "request_id": "5F1E"}


@pytest.mark.parametrize("state", ["issued", "unconfirmed", "uploaded", "deleted", "nonsense"])
def test_state_when_the_step_is_forbidden(
    ledger: Ledger, make_upload: MakeUpload, now: datetime, state: str
) -> None:
    """Only the steps of the state machine are taken; a change to the state it is in already is none."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    ledger.record_state(new.upload_id, "aborted", now=now, timeout=5)
    ledger.record_state(new.upload_id, "aborted", now=now, timeout=5)

    with pytest.raises(TransitionForbidden):
        ledger.record_state(new.upload_id, state, now=now, timeout=5)

    assert claims(ledger, new.upload_id) == ["issued", "aborted"]


def test_state_when_only_an_arrival_leads_there(
    ledger: Ledger, make_upload: MakeUpload, now: datetime
) -> None:
    """Nobody declares an upload arrived without saying what arrived."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)

    with pytest.raises(TransitionForbidden):
        ledger.record_state(new.upload_id, "uploaded", now=now, timeout=5)


def test_reply_when_replaced(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A handler's reply is what a repeat gets."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    ledger.record_reply(new.upload_id, b"\x00handler", timeout=5)

    assert ledger.record_arrival(make_arrival(new), now=now, timeout=5).reply == b"\x00handler"


def test_change_when_the_upload_is_unknown(ledger: Ledger, now: datetime) -> None:
    """What is not there cannot be changed."""
    with pytest.raises(UploadUnknown, match="'nobody'"):
        ledger.record_reply("nobody", b"", timeout=5)
    with pytest.raises(UploadUnknown):
        ledger.record_state("nobody", "aborted", now=now, timeout=5)


def test_handler_result_once(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A handler's late end is one row of history, and one for an unknown upload is none."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    for upload_id in (new.upload_id, new.upload_id, "nobody"):
        ledger.record_handler_result(upload_id, "handler:late", now=now + LATER)
    ledger.ping(timeout=5)

    assert claims(ledger, new.upload_id) == ["issued", "uploaded", "handler:late"]
    assert claims(ledger, "nobody") == []


def test_list_by_filter_and_page(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """Uploads are listed newest first, filtered, a page at a time."""
    news = [make_upload(subject="bob" if n % 2 else "alice", profile="pfile"[: 1 + n % 3]) for n in range(6)]
    ledger.record_issued(news, quota=None, now=now)
    ledger.record_arrival(make_arrival(news[3]), now=now, timeout=5)
    ids = [new.upload_id for new in news]

    def listed(**filters: object) -> list[str]:
        return [found.upload_id for found in ledger.list_uploads(**filters)]  # type: ignore[arg-type]

    assert listed() == ids[::-1]
    assert listed(limit=2) == [ids[5], ids[4]]
    assert listed(limit=2, before=ids[4]) == [ids[3], ids[2]]
    assert listed(subject="bob") == [ids[5], ids[3], ids[1]]
    assert listed(state="uploaded") == [ids[3]]
    assert listed(profile="p", subject="alice") == [ids[0]]


def test_ids_sort_by_their_bytes(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """Ids of mixed case sort the same on every database."""
    ids = ["B", "_", "a", "0", "-", "Z", "b"]
    ledger.record_issued([make_upload(upload_id=upload_id) for upload_id in ids], quota=None, now=now)

    assert [found.upload_id for found in ledger.list_uploads()] == sorted(ids, reverse=True)
