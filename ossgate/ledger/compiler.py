"""From Core's constructs to statements: compiled once for the dialect, run by the driver's cursor.

Core spends more on executing a small statement than the database does; compiled once, a statement
costs no more than its text. Every one takes its parameters by position.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ClauseElement, Table
from sqlalchemy.engine import Dialect


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold a statement's text and how its parameters are picked out of a row."""

    sql: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Compiler:
    """Compile for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def insert_unless(self, into: Table) -> ClauseElement:
        """Build an insert that leaves alone what is there."""
        # The clause has one spelling on both databases but a construct of its own in each dialect.
        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._dialect.name}")
        clause: ClauseElement = dialect.insert(into).inline().on_conflict_do_nothing()
        return clause

    def insert_or_update(self, into: Table, columns: Sequence[str]) -> ClauseElement:
        """Build an insert that sets these columns where the row is there already."""
        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._dialect.name}")
        clause = dialect.insert(into).inline()
        updated: ClauseElement = clause.on_conflict_do_update(
            index_elements=list(into.primary_key.columns),
            set_={column: clause.excluded[column] for column in columns},
        )
        return updated

    def compile(self, clause: ClauseElement, *, columns: tuple[str, ...] | None = None) -> Statement:
        """Compile a construct; ``columns`` are those that an insert or update sets."""
        compiled = clause.compile(dialect=self._dialect, column_keys=columns)
        # Parameters of a WHERE are named the_… where a column that is set has the same name.
        names = [name.removeprefix("the_") for name in getattr(compiled, "positiontup", None) or ()]
        pick = itemgetter(*names) if len(names) > 1 else lambda row: tuple(row[name] for name in names)
        return Statement(str(compiled), pick)
