"""Issuing and callbacks with several workers, and with commits that take longer, each beside its own yardstick in the same rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import rounds
from bench.aims import Row
from bench.cores import Cores
from bench.databases import PostgresqlServer
from bench.load import Sample
from bench.rounds import Tell
from bench.slow_commits import DELAY_VARIABLE, EACH_VARIABLE
from bench.stage import DATABASES, Stage
from bench.workplace import CLAIMS_PROFILE, HEAD_PROFILE

WORKERS = (1, 2, 4)
DELAYS = (2, 10)
# As shipped, and what `deploy/gunicorn.conf.py` advises for slow disks: no more can share a commit than there are threads.
THREADS = (16, 32)
SLOW_APPLICATION = "bench.slow_commits:create_app()"
_SLOWEST = 300


def measure_workers(
    folder: Path, cores: Cores, postgresql: PostgresqlServer | None, times: int, count: int, tell: Tell
) -> list[Row]:
    """Return the lines of one, two and four workers; each number of them beside as many bare ones."""
    rows = []
    for workers in WORKERS:
        with Stage(folder / f"workers-{workers}", cores, postgresql, tell, workers=workers) as stage:
            stage.add_bare(count)
            for kind in stage.databases:
                url = stage.create_database(kind, "ledger")
                server = stage.start_ossgate(kind, url)
                on = f"{DATABASES[kind]}, {workers} worker{'s' * (workers > 1)}"
                stage.add_issue(f"issue_{kind}", f"issue, quota and ledger on {on}", server, count)
                for name, label, profile in (
                    ("callback", "callback with outbox", CLAIMS_PROFILE),
                    ("callback_head", "callback with outbox and HEAD", HEAD_PROFILE),
                ):
                    stage.add_callbacks(
                        f"{name}_{kind}", f"{label} on {on}", server, count,
                        url=url, profile=profile, times=times,
                    )  # fmt: skip
            rows += rounds.summarize_capacity(*stage.measure(times))
    return rows


def measure_commits(
    folder: Path, cores: Cores, postgresql: PostgresqlServer | None, times: int, count: int, tell: Tell
) -> list[Row]:
    """Return how much faster commits that are shared are than a commit for each row, when commits are slow."""
    rows = []
    for kind in DATABASES:
        if kind == "postgresql" and postgresql is None:
            continue
        for threads in THREADS:
            folder_of_stage = folder / f"commits-{kind}-{threads}"
            with Stage(folder_of_stage, cores, postgresql, tell, threads=threads) as stage:
                stage.add_bare(count)
                url = stage.create_database(kind, "ledger")
                for delay in DELAYS:
                    for each in (False, True):
                        _add_slow(
                            stage, url, kind, delay, each, times, min(count, _SLOWEST) if each else count
                        )
                _, samples = stage.measure(times)
            rows += [
                _compare(
                    samples, f"{what}_{kind}_{delay}", f"{label} on {DATABASES[kind]}, {threads} threads"
                )
                for delay in DELAYS
                for what, label in (("issue", "issue"), ("callback", "callback with outbox"))
            ]
    return rows


def _add_slow(stage: Stage, url: str, kind: str, delay: int, each: bool, times: int, count: int) -> None:
    environment = {DELAY_VARIABLE: str(delay)} | ({EACH_VARIABLE: "1"} if each else {})
    suffix = f"{kind}_{delay}" + ("_each" if each else "")
    server = stage.start_ossgate(suffix, url, application=SLOW_APPLICATION, environment=environment)
    label = f"{DATABASES[kind]}, {delay} ms, " + ("a commit a row" if each else "shared commits")
    stage.add_issue(f"issue_{suffix}", f"issue on {label}", server, count)
    stage.add_callbacks(
        f"callback_{suffix}", f"callback on {label}", server, count,
        url=url, profile=CLAIMS_PROFILE, times=times,
    )  # fmt: skip


def _compare(samples: Mapping[str, Sequence[Sample]], name: str, label: str) -> Row:
    shared, each = samples[name], samples[name + "_each"]
    ratio = statistics.median(one.rate / other.rate for one, other in zip(shared, each, strict=True))
    one, other = (statistics.median(sample.rate for sample in found) for found in (shared, each))
    detail = f"{one:,.0f}/s shared, {other:,.0f}/s with a commit a row"
    delay = name.rpartition("_")[2]
    return Row(f"commits_{delay}ms", f"{label}, commits {delay} ms slower", ratio, None, detail)
