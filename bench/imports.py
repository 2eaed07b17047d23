"""How long it takes to import what we are made of, beside a bare Python and beside the core set."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.aims import Row
from bench.rounds import Tell
from bench.servers import ROOT

BARE_PYTHON = "pass"
CORE_SET = "import flask, orjson, sqlite3, cryptography.hazmat.primitives.serialization"
STATEMENTS = {
    "bare Python": BARE_PYTHON,
    "flask, cryptography, orjson, sqlite3": CORE_SET,
    "signer alone": "import signer",
    "the server, ossgate.app": "import ossgate.app",
}


def measure_imports(rounds: int, tell: Tell) -> list[Row]:
    """Return a line for each statement: its time over a bare Python's, interleaved."""
    spent: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for number in range(rounds + 1):
        for name, statement in STATEMENTS.items():
            tell(f"importing, round {number} of {rounds}: {name}")
            seconds = _time_python(statement)
            # The first round writes the byte code.
            if number:
                spent[name].append(seconds)
    bare = statistics.median(spent["bare Python"])
    rows = []
    for name in list(STATEMENTS)[1:]:
        own = statistics.median(spent[name])
        detail = f"{own * 1000:.0f} ms, bare Python {bare * 1000:.0f} ms"
        rows.append(Row(f"import_{name}", f"import: {name}", own / bare, None, detail))
    return rows


def _time_python(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return time.perf_counter() - started
