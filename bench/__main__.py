"""Measure, and print the aims beside what was measured.

`python -m bench` measures the server on one core, imports and signing. The further parts take a word: `workers` (1, 2 and 4 of them), `commits`
(slow ones, shared and one a row), `growth` (a thousand uploads in the ledger to a million), `signing` (each kind of grant, beside the SDKs), `others`
(boto3, Companion, ali-oss).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from bench.aims import Row
from bench.cores import Cores, choose_cores, pin
from bench.databases import POSTGRESQL_VARIABLE, PostgresqlServer, find_postgresql
from bench.growth import measure_growth
from bench.imports import measure_imports
from bench.machine import describe_machine
from bench.others import measure_others
from bench.progress import Progress
from bench.report import render_table
from bench.signing import measure_signing
from bench.web import HALF_LOAD_CASES, Plan, WebBench
from bench.workers import measure_commits, measure_workers

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
PARTS_WITH_DATABASES = ("workers", "commits", "growth")
PARTS = (*PARTS_WITH_DATABASES, "signing", "others")
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
        "workers run on all cores, the load's as well" if arguments.part == "workers" else cores.note,
        f"medians of {rounds} interleaved rounds; ratios to a bare Flask view in the same round",
    ]
    postgresql = None
    if arguments.part in PARTS_WITH_DATABASES or (arguments.part is None and wanted & set(WEB)):
        postgresql = find_postgresql()
        if postgresql is None:
            notes.append(f"no PostgreSQL answered; name one in {POSTGRESQL_VARIABLE}")
        else:
            machine["postgresql"] = postgresql.describe()
    if arguments.part is not None:
        rows += _run_part(arguments, folder, cores, postgresql, rounds, progress)
        wanted = frozenset()
    if wanted & set(WEB):
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


def _run_part(
    arguments: argparse.Namespace,
    folder: Path,
    cores: Cores,
    postgresql: PostgresqlServer | None,
    rounds: int,
    progress: Progress,
) -> list[Row]:
    part, count, tell = arguments.part, arguments.count, progress.tell
    if part == "workers":
        return measure_workers(folder, cores, postgresql, rounds, count, tell)
    if part == "commits":
        return measure_commits(folder, cores, postgresql, rounds, count, tell)
    if part == "growth":
        return measure_growth(folder, cores, postgresql, rounds, count, tell, largest=arguments.largest)
    if part == "others":
        return measure_others(folder, cores, rounds, count, tell)
    return measure_signing(rounds, tell)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "part", nargs="?", choices=PARTS, help="measure this part instead: " + ", ".join(PARTS)
    )
    parser.add_argument(
        "--largest",
        type=int,
        choices=(1_000, 10_000, 100_000, 1_000_000),
        default=1_000_000,
        help="growth: the largest ledger (default 1000000, which takes a minute to fill)",
    )
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
    arguments = parser.parse_args()
    if arguments.part and arguments.only:
        parser.error("--only chooses among what is measured without a part")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
