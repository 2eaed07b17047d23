"""README.md lists the scenarios as they are collected, and what is promised is among them.

After a change, `OSSGATE_WRITE_DOCS=1 make test ARGS=tests/faults/test_scenarios.py` writes its tables anew.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.listing import DATABASES

README = Path(__file__).with_name("README.md")
ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"
LEAST = 40
NAMED_POINTS = 12
# Those are about the check itself, and about this list.
NOT_SCENARIOS = ("test_checker.py", "test_scenarios.py")

GOES_WRONG, LATE = "test_callback_goes_wrong", "test_callback_is_late"
FAILS, FAILS_LONG = "test_database_fails", "test_database_fails_for_long"
# What is promised, and where it is done: a test with all of its cases, or one of them.
PROMISES = (
    ("callback dropped", [(GOES_WRONG, "dropped")]),
    (
        "callback late at 4.9 s and 5.1 s",
        [
            (LATE, "4.9 s"),
            (LATE, "5.1 s"),
            ("test_answer_is_late", "4.9 s"),
            ("test_answer_is_late", "5.1 s"),
        ],
    ),
    ("callback doubled", [(GOES_WRONG, "doubled"), "test_doubled_at_once"]),
    ("callbacks reordered", ["test_callbacks_in_another_order"]),
    ("callback after expiry", ["test_callback_after_expiry", "test_callback_of_an_expired_upload"]),
    (
        "callback before the client's answer, or after it",
        [
            "test_everybody_else_hears_before_the_client",
            "test_client_never_hears",
            "test_client_confirms_while_the_callback_is_held",
        ],
    ),
    ("key host down", [(GOES_WRONG, "key host down"), (GOES_WRONG, "key host broken")]),
    (
        "key rotated",
        [
            (GOES_WRONG, "key rotated, at another URL"),
            (GOES_WRONG, "key rotated, at the same URL"),
            "test_key_is_rotated_and_pinned",
        ],
    ),
    ("database locked 10 s", [(FAILS_LONG, "locked 10 s"), (FAILS, "locked")]),
    ("database gone 60 s", [(FAILS_LONG, "gone 60 s"), (FAILS, "gone")]),
    (
        "database frozen, read-only",
        [
            (FAILS_LONG, "frozen 60 s"),
            (FAILS_LONG, "read-only 60 s"),
            (FAILS, "frozen"),
            (FAILS, "read-only"),
        ],
    ),
    ("disk full", [(FAILS, "full")]),
    ("bucket answering 5xx", [("test_head_fails", "500"), "test_listing_fails_and_comes_back"]),
    ("webhook receiver down a day (clock moved)", ["test_receiver_is_down_for_a_day"]),
    (
        "worker and deliverer killed at each of twelve named points",
        ["test_worker_is_killed", "test_deliverer_is_killed"],
    ),
    (
        "`kill -9` 200 times at random moments under load",
        [("test_killed_at_random_moments_under_load", "200 times")],
    ),
    ("clock ±15 minutes", ["test_clocks_differ", "test_clock_of_the_bucket_jumps", "test_our_clock_jumps"]),
    (
        "two reconcilers at once",
        ["test_two_reconcilers_at_once", "test_reconciler_hangs_and_another_takes_over"],
    ),
    (
        "latency, down, reset, stall, slice on each way",
        [
            "test_way_from_oss_to_the_server",
            "test_way_to_the_bucket",
            "test_way_to_the_database",
            "test_way_of_clients",
            "test_receiver_hears_and_we_do_not",
        ],
    ),
)


@dataclass(frozen=True)
class Scenario:
    """A test with one of its cases, on the databases that it is run on."""

    file: str
    test: str
    case: str
    databases: tuple[str, ...]
    is_long: bool
    says: str

    @property
    def is_on_both(self):
        return sorted(self.databases) == sorted(DATABASES)


@pytest.fixture(scope="module")
def scenarios():
    """All that pytest collects in this folder."""
    command = [sys.executable, "-m", "tests.faults.listing"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert told.returncode == 0, told.stderr
    found = {}
    for one in json.loads(told.stdout):
        if one["file"] not in NOT_SCENARIOS:
            key = tuple(one[name] for name in ("file", "test", "case", "is_long", "says"))
            found.setdefault(key, []).append(one["database"])
    return [
        Scenario(file, test, case, tuple(databases), is_long, says)
        for (file, test, case, is_long, says), databases in found.items()
    ]


def find(scenarios, wanted):
    """Return the scenarios that a promise names."""
    test, case = (wanted, None) if isinstance(wanted, str) else wanted
    return [one for one in scenarios if one.test == test and case in (None, one.case)]


def render(scenarios):
    """Return the tables."""
    both = [one for one in scenarios if one.is_on_both]
    short = [one for one in scenarios if not one.is_long]
    lines = [
        f"{len(both)} scenarios ({len({one.test for one in both})} tests with their cases) on SQLite and on PostgreSQL,",
        f"and {len(scenarios) - len(both)} on PostgreSQL alone; {len(short)} of them run under `make test`, all under `make faults`.",
        "",
        "### Promised, and done",
        "",
        "| promised | scenarios |",
        "|---|---|",
    ]
    for promise, tests in PROMISES:
        done = []
        for wanted in tests:
            cases = find(scenarios, wanted)
            done.append(
                f"`{cases[0].test}`" + ("" if isinstance(wanted, str) else f": {tell_case(cases[0])}")
            )
        lines.append(f"| {promise} | {'; '.join(done)} |")
    lines += ["", "### All", "", "Cases in *italics* run under `make faults` alone.", ""]
    for file in dict.fromkeys(one.file for one in scenarios):
        lines += [f"**{file}**", "", "| test | what holds | cases |", "|---|---|---|"]
        for test in dict.fromkeys(one.test for one in scenarios if one.file == file):
            cases = find(scenarios, test)
            name = f"`{test}`" + ("" if cases[0].is_on_both else " (PostgreSQL)")
            told = " · ".join(tell_case(one) for one in cases)
            lines.append(f"| {name} | {cases[0].says} | {told} |")
        lines.append("")
    return "\n".join(lines)


def tell_case(one):
    name = one.case or ("all of it" if one.is_long else "")
    return f"*{name}*" if one.is_long else name


def test_readme_lists_what_is_collected(scenarios):
    """Its tables are those of the code, and name no other."""
    text = README.read_text(encoding="utf-8")
    head, tail = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    if os.environ.get("OSSGATE_WRITE_DOCS"):
        README.write_text(head + render(scenarios) + tail, encoding="utf-8")

    assert head + render(scenarios) + tail == README.read_text(encoding="utf-8"), __doc__


def test_forty_scenarios_on_both_databases(scenarios):
    """At least forty tests on each of both databases, even if those that differ in a value alone are counted once."""
    assert LEAST <= len({one.test for one in scenarios if one.is_on_both})
    # Of those that make test runs as well.
    assert LEAST <= len({(one.test, one.case) for one in scenarios if one.is_on_both and not one.is_long})


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[promise for promise, _ in PROMISES])
def test_promise_is_kept(scenarios, promise, tests):
    """What is promised is done by tests that there are, on both databases unless the way is one that only a server has."""
    for wanted in tests:
        found = find(scenarios, wanted)
        assert found, wanted
        assert all(one.is_on_both for one in found) or wanted == "test_way_to_the_database"


def test_twelve_points_have_names(scenarios):
    """Worker and deliverer are killed at twelve points together."""
    points = find(scenarios, "test_worker_is_killed") + find(scenarios, "test_deliverer_is_killed")

    assert NAMED_POINTS == len({one.case for one in points})
    assert all(re.fullmatch(r"(grant|callback|confirm|deliverer), [a-z ,]+", one.case) for one in points)
