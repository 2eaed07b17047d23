"""The table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.aims import Row

HEADINGS = ("measured", "aim", "ratio", "by CPU", "met", "figures")


def render_table(rows: Sequence[Row], machine: Mapping[str, str], notes: Sequence[str]) -> str:
    """Return the table as Markdown, with the machine under it."""
    cells = [HEADINGS, *map(_to_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    described = [f"{name}: {value}" for name, value in machine.items() if value]
    return "\n".join([*lines, "", *notes, "", *described])


def _to_cells(row: Row) -> tuple[str, ...]:
    return (
        row.label,
        str(row.aim) if row.aim else "",
        _format(row.ratio),
        _format(row.cpu_ratio),
        row.verdict,
        row.detail,
    )


def _format(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"
