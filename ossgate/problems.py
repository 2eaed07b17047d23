"""Wrong settings: all of them at once, each with its line, its value and the fix."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

Location = tuple[str, ...]
VARIABLE_PREFIX, VARIABLE_DELIMITER = "OSSGATE_", "__"
_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-\"'./:]+(?:\s*\.\s*[A-Za-z0-9_\-]+)*)\s*=")


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot stay as it is."""

    location: Location
    message: str
    hint: str = ""


class SettingsInvalid(Exception):
    """All problems of the settings together.

    Args:
        variables: The names in the environment, so that a value from there is not looked for in the file.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        source: str = "the settings",
        text: str = "",
        variables: Collection[str] = (),
    ) -> None:
        self.problems = tuple(problems)
        self.source = source
        self.text = text
        self.variables = frozenset(variables)
        super().__init__(self.describe())

    def describe(self) -> str:
        """Return a paragraph for people: each problem with its line, and its fix below."""
        count = len(self.problems)
        lines = [f"{self.source}: {count} problem{'s' if count > 1 else ''}"]
        for _, place, problem in sorted(map(self._place, self.problems), key=lambda placed: placed[0]):
            lines.append(f"  {place}: {problem.message}")
            if problem.hint:
                lines.append(f"      fix: {problem.hint}")
        return "\n".join(lines)

    def _place(self, problem: Problem) -> tuple[int, str, Problem]:
        variable = find_variable(self.variables, problem.location)
        if variable:
            return 0, f"the variable {variable}", problem
        line = find_line(self.text, problem.location)
        place = format_location(problem.location)
        return (line, f"line {line}, {place}", problem) if line else (0, place, problem)


def format_location(location: Location) -> str:
    """Return a location as it is written in the file, such as ``[profiles.photo] max_size``."""
    if not location:
        return "the file"
    if len(location) == 1:
        return location[0]
    for at, part in enumerate(location):
        if _is_number(part):
            place = f"[[{'.'.join(location[:at])}]] (number {part[1:]})"
            return " ".join((place, *location[at + 1 :]))
    return f"[{'.'.join(location[:-1])}] {location[-1]}"


def number_table(at: int) -> str:
    """Return how a location names one of a list of tables, which the file writes as ``[[…]]`` each."""
    return f"#{at + 1}"


def _is_number(part: str) -> bool:
    return part.startswith("#") and part[1:].isdecimal()


def find_variable(variables: Collection[str], location: Location) -> str | None:
    """Return the environment variable that sets a value."""
    wanted = VARIABLE_PREFIX + VARIABLE_DELIMITER.join(location).upper()
    return next((name for name in variables if name.upper() == wanted), None) if location else None


def find_line(text: str, location: Location) -> int | None:
    """Return the line of a TOML file that sets a value, or that of its table when the value is not there."""
    best: tuple[int, int] | None = None
    table: Location = ()
    lists: dict[Location, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _TABLE.fullmatch(line)
        if header:
            table = _split(header.group(1))
            if line.lstrip().startswith("[["):
                lists[table] = lists.get(table, -1) + 1
                table = (*table, number_table(lists[table]))
            reached = table
        else:
            key = _KEY.match(line)
            if not key:
                continue
            reached = table + _split(key.group(1))
        if location[: len(reached)] == reached and (best is None or len(reached) > best[0]):
            best = (len(reached), number)
    return best[1] if best else None


def _split(written: str) -> Location:
    parts = re.findall(r'"([^"]*)"|\'([^\']*)\'|([^.\s]+)', written)
    return tuple(double or single or bare for double, single, bare in parts)
