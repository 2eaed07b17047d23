"""What a demo prints: in the order in which it happened, whichever server tells first."""

from datetime import UTC, datetime, timedelta

import pytest

from ossgate.demo_printer import SETTLED_AFTER, DemoPrinter

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = "01KDYBB5M8000000000000TEST"


@pytest.fixture
def printed():
    return []


@pytest.fixture
def printer(printed):
    return DemoPrinter(printed.append, clock=lambda: NOW)


def at(seconds):
    return (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def tell(printer):
    """Tell of one upload, the local OSS long before the server."""
    stored = {"event": "stored", "at": at(-0.8), "object_key": "k", "size": 3}
    printer.hear_emulator(stored)
    printer.hear_server(
        {"event": "recorded", "at": at(-0.6), "upload_id": ID, "state": "uploaded", "size": 3}
    )
    printer.hear_server({"event": "called_back", "at": at(-0.7), "upload_id": ID})
    printer.hear_server(
        {"event": "issued", "at": at(-0.9), "upload_id": ID, "object_key": "k", "profile": "file"}
    )


def test_lines_come_in_the_order_of_what_happened(printer, printed):
    """With the time at which it did; the key of the first tells the upload of the second."""
    tell(printer)
    assert [] == printed
    printer.print_settled()

    assert [("03:04:04", word, ID[-8:]) for word in ("signed", "posted", "called", "recorded")] == [
        (parts[0], parts[1], next(part for part in parts if part == ID[-8:]))
        for parts in map(str.split, printed)
    ]


def test_what_has_just_happened_waits(printer, printed):
    """Something of before may still come; at the end nothing does."""
    printer.hear_server(
        {"event": "repeated", "at": at(0.001 - SETTLED_AFTER.total_seconds()), "upload_id": ID}
    )
    printer.print_settled()
    assert [] == printed
    printer.print_all()

    assert 1 == len(printed)


@pytest.mark.parametrize("moment", [None, "", "yesterday", 7, "2026-01-02"])
def test_event_without_a_time_is_printed_all_the_same(printer, printed, moment):
    """Whatever a server prints, the demo goes on."""
    tell(printer)
    printer.hear_server({"event": "repeated", "at": moment, "upload_id": ID})
    printer.print_all()

    assert 5 == len(printed)
