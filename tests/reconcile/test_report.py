"""Reports: the same run for machines, for people and for a terminal."""

import json
from datetime import timedelta

import pytest

from ossgate.ledger import Finding, ReconcileRun
from ossgate.reconcile.report import build_report, count_open, render_lines, render_page


@pytest.fixture
def finished(now):
    counts = {"uploads": 5, "objects": 7, "findings": 3, "untold:settled": 2, "stranger:left": 1}
    return ReconcileRun("01R", {"dry_run": False}, now, now, now + timedelta(seconds=2), {}, counts)


@pytest.fixture
def found(now):
    return [(1, Finding(now, "stranger", "left", "b", "<b>猫</b>.jpg", None, "no seal & no row"))]


def test_report_is_json(finished, found):
    """Counts by kind and outcome, findings with their keys, and how many are only counted."""
    report = json.loads(json.dumps(build_report(finished, found)))

    assert (False, {"stranger": {"left": 1}, "untold": {"settled": 2}}, 2) == (
        report["agree"], report["counts"], report["findings_left_out"],
    )  # fmt: skip
    assert ("<b>猫</b>.jpg", "2026-01-02T03:04:05Z") == (
        report["findings"][0]["object_key"], report["findings"][0]["at"],
    )  # fmt: skip


def test_page_escapes_what_strangers_wrote(finished, found):
    """A key is shown and never obeyed; the page loads nothing."""
    page = render_page(finished, found)

    assert "&lt;b&gt;猫&lt;/b&gt;.jpg" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "2 further findings" in page


def test_lines_say_what_is_left(finished):
    """A person reads what was compared, what was settled and what is theirs to do."""
    lines = render_lines(finished)

    assert "5 uploads and 7 objects compared: 2 differences settled, 1 left." == lines[0]
    assert any("stranger" in line and "left for you" in line for line in lines)


@pytest.mark.parametrize(("name", "left"), [("gone:settled", 0), ("gone:left", 4), ("gone:dry_run", 4)])
def test_what_a_dry_run_found_is_open(finished, name, left):
    """Only what was settled is out of the way."""
    run = ReconcileRun("01R", {}, finished.started_at, finished.started_at, None, {}, {name: 4})

    assert left == count_open(run)
