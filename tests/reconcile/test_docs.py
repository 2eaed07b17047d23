"""The page about reconciliation tells all that there is."""

from pathlib import Path

import pytest

from ossgate.reconcile.findings import MEANINGS, Kind
from ossgate.reconcile_commands import reconcile

PAGE = (Path(__file__).parents[2] / "docs" / "reconcile.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", list(Kind))
def test_page_tells_every_kind_in_the_words_of_the_reports(kind):
    """A kind means the same on the page and in a report."""
    assert f"| `{kind}` | {MEANINGS[kind]} |" in PAGE


@pytest.mark.parametrize(
    "option",
    [name for one in reconcile.params for name in one.opts if name not in ("--json", "--multipart-age")],
)
def test_page_names_every_option(option):
    """What the command takes is told."""
    assert option in PAGE
