"""The report of a run: as JSON for machines, as one page for people, as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from ossgate.ledger import Finding, ReconcileRun
from ossgate.reconcile.findings import MEANINGS, Kind, Outcome

_WORDS = {
    Outcome.SETTLED: "settled",
    Outcome.LEFT: "left for you",
    Outcome.DRY_RUN: "would be settled (dry run)",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 2rem }}
th, td {{ text-align: start; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8886 }}
td {{ overflow-wrap: anywhere }}
.number {{ text-align: end; font-variant-numeric: tabular-nums }}
.left, .dry_run {{ font-weight: 600 }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{tables}
</html>
"""


def count_open(run: ReconcileRun) -> int:
    """Count the differences that a run left as they are."""
    return sum(
        number
        for name, number in run.counts.items()
        if name.endswith((f":{Outcome.LEFT}", f":{Outcome.DRY_RUN}"))
    )


def build_report(run: ReconcileRun, findings: list[tuple[int, Finding]]) -> dict[str, Any]:
    """Return a run as JSON: its scope, its counts and its findings; ``findings_left_out`` were only counted."""
    found = run.counts.get("findings", 0)
    return {
        "run_id": run.run_id,
        "scope": run.scope,
        "started_at": format_moment(run.started_at),
        "finished_at": None if run.finished_at is None else format_moment(run.finished_at),
        "uploads": run.counts.get("uploads", 0),
        "objects": run.counts.get("objects", 0),
        "agree": count_open(run) == 0,
        "counts": _count_kinds(run),
        "findings_left_out": max(0, found - len(findings)),
        "findings": [
            {
                "kind": one.kind,
                "outcome": one.outcome,
                "bucket": one.bucket,
                "object_key": one.object_key,
                "upload_id": one.upload_id,
                "detail": one.detail,
                "at": format_moment(one.at),
            }
            for _, one in findings
        ],
    }


def render_lines(run: ReconcileRun) -> list[str]:
    """Return what a person reads at the end of a run."""
    lines = [_summarize(run)]
    for kind, outcomes in _count_kinds(run).items():
        for outcome, number in outcomes.items():
            lines.append(f"  {number:>8}  {kind:<12} {_WORDS[Outcome(outcome)]}: {MEANINGS[Kind(kind)]}")
    return lines


def render_page(run: ReconcileRun, findings: list[tuple[int, Finding]]) -> str:
    """Return a run as one page that needs nothing beside it."""
    counted = [
        (f'<td class="number">{number}</td>', _cell(kind), _cell(_WORDS[Outcome(outcome)], outcome), _cell(MEANINGS[Kind(kind)]))
        for kind, outcomes in _count_kinds(run).items()
        for outcome, number in outcomes.items()
    ]  # fmt: skip
    listed = [
        (
            _cell(one.kind),
            _cell(_WORDS[Outcome(one.outcome)], one.outcome),
            _cell(one.bucket),
            _cell(one.object_key),
            _cell(one.upload_id or ""),
            _cell(one.detail),
        )
        for _, one in findings
    ]
    tables = _table(("Number", "Kind", "Outcome", "Meaning"), counted) + _table(
        ("Kind", "Outcome", "Bucket", "Object key", "Upload", "Detail"), listed
    )
    left_out = run.counts.get("findings", 0) - len(findings)
    if left_out > 0:
        tables += f"<p>{left_out} further findings were only counted.</p>\n"
    title = f"Reconciliation of {run.started_at:%Y-%m-%d %H:%M} UTC"
    return _PAGE.format(title=title, summary=escape(_summarize(run)), tables=tables)


def format_moment(moment: datetime) -> str:
    """Return a time as our JSON writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _summarize(run: ReconcileRun) -> str:
    seen = f"{run.counts.get('uploads', 0)} uploads and {run.counts.get('objects', 0)} objects compared"
    changed = " Dry run: nothing was changed." if run.scope.get("dry_run") else ""
    left = count_open(run)
    settled = run.counts.get("findings", 0) - left
    return f"{seen}: {settled} differences settled, {left} left.{changed}"


def _count_kinds(run: ReconcileRun) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}
    for name, number in sorted(run.counts.items()):
        kind, colon, outcome = name.partition(":")
        if colon:
            counted.setdefault(kind, Counter())[outcome] = number
    return {kind: dict(outcomes) for kind, outcomes in counted.items()}


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"
