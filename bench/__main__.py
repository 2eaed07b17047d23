"""`python -m bench`: measure, and print the aims beside what was measured."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from bench.aims import Row
from bench.cores import choose_cores, pin
from bench.databases import POSTGRESQL_VARIABLE, find_postgresql
from bench.imports import measure_imports
from bench.machine import describe_machine
from bench.progress import Progress
from bench.report import render_table
from bench.signing import measure_signing
from bench.web import HALF_LOAD_CASES, Plan, WebBench

WEB = (
    "issue",
    "issue_sqlite",
    "issue_postgresql",
    "callback",
    "callback_sqlite",
    "callback_postgresql",
    "callback_head_sqlite",
    "callback_head_postgresql",
    "half_load",
    "memory",
)
NAMES = (*WEB, "import", "signing")
NEEDED = {"half_load": HALF_LOAD_CASES, "memory": ("issue_sqlite", "callback_head_sqlite")}
"""What must run before something can be measured."""


def main() -> int:
    """Run from the command line; the exit code is 0 whatever was measured."""
    arguments = _parse_arguments()
    wanted = frozenset(arguments.only or NAMES)
    wanted |= frozenset(case for name in wanted for case in NEEDED.get(name, ()))
    # A terminated bench stops its servers as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress()
    try:
        with tempfile.TemporaryDirectory(prefix="ossgate-bench-", dir=arguments.dir) as folder:
            return _run(Path(folder), arguments, wanted, progress)
    except KeyboardInterrupt:
        progress.end()
        print("interrupted; all servers are stopped", file=sys.stderr)
        return 130


def _run(folder: Path, arguments: argparse.Namespace, wanted: frozenset[str], progress: Progress) -> int:
    cores = choose_cores()
    pin(cores.load)
    machine = describe_machine(folder)
    rounds = 1 if arguments.quick else arguments.rounds
    rows: list[Row] = []
    notes = [
        cores.note,
        f"medians of {rounds} interleaved rounds; ratios to a bare Flask view in the same round",
    ]
    if wanted & set(WEB):
        postgresql = find_postgresql()
        if postgresql is None:
            notes.append(f"no PostgreSQL answered; name one in {POSTGRESQL_VARIABLE}")
        else:
            machine["postgresql"] = postgresql.describe()
        plan = Plan(rounds, arguments.count, 1.0 if arguments.quick else 2.5, wanted)
        with WebBench(folder, cores, postgresql, plan, progress.tell) as web:
            rows += web.run()
    if "import" in wanted:
        rows += measure_imports(max(rounds, 3), progress.tell)
    if "signing" in wanted:
        rows += measure_signing(rounds, progress.tell)
    progress.end()
    if arguments.json:
        print(
            json.dumps(
                {"machine": machine, "notes": notes, "rows": [row.to_json() for row in rows]}, indent=2
            )
        )
    else:
        print(render_table(rows, machine, notes))
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round instead of five")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (default 5)")
    parser.add_argument(
        "--count", type=int, default=1500, help="requests of each case in a round (default 1500)"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help="measure this alone; may be repeated: " + ", ".join(NAMES),
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dir", type=Path, help="where to work; databases go there, so the disk counts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
