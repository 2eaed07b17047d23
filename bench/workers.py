"""Issuing and callbacks with several workers, and with commits that take longer, each beside its own yardstick in the same rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import rounds
from bench.aims import Row
from bench.cases import BARE
from bench.cores import Cores
from bench.databases import PostgresqlServer
from bench.load import Sample
from bench.rounds import Tell
from bench.servers import THREADS
from bench.slow_commits import DELAY_VARIABLE, EACH_VARIABLE
from bench.stage import DATABASES, Stage
from bench.workplace import CLAIMS_PROFILE, HEAD_PROFILE

WORKERS = (1, 2, 4)
DELAYS = (2, 10)
# As shipped, as advised for slow disks, and more: no more can share a commit than there are threads.
SHARING = (16, 32, 64)
ADVISED = 32
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
    """Return how much faster commits that are shared are than a commit for each row, when commits are slow.

    A commit for each row is as fast with any number of threads, so that it is measured with those that are shipped.
    """
    rows = []
    for kind in DATABASES:
        if kind == "postgresql" and postgresql is None:
            continue
        for delay in DELAYS:
            with Stage(folder / f"commits-{kind}-{delay}", cores, postgresql, tell) as stage:
                stage.add_bare(count)
                url = stage.create_database(kind, "ledger")
                for threads in (0, *SHARING):
                    _add_slow(stage, url, kind, delay, threads, times, count)
                _, samples = stage.measure(times)
            rows += [
                _compare(samples, f"{what}_{kind}", f"{label} on {DATABASES[kind]}", delay, threads)
                for what, label in (("issue", "issue"), ("callback", "callback with outbox"))
                for threads in SHARING
            ]
    return rows


def _add_slow(stage: Stage, url: str, kind: str, delay: int, threads: int, times: int, count: int) -> None:
    """Add a server whose threads share commits; without threads, one that commits each row."""
    environment = {DELAY_VARIABLE: str(delay)} | ({} if threads else {EACH_VARIABLE: "1"})
    how = f"{threads} threads" if threads else "a commit a row"
    server = stage.start_ossgate(
        f"{kind}_{threads}", url, application=SLOW_APPLICATION, environment=environment, threads=threads or THREADS
    )  # fmt: skip
    label = f"{DATABASES[kind]}, {delay} ms, {how}"
    count = count if threads else min(count, _SLOWEST)
    stage.add_issue(f"issue_{kind}_{threads}", f"issue on {label}", server, count)
    stage.add_callbacks(
        f"callback_{kind}_{threads}", f"callback on {label}", server, count,
        url=url, profile=CLAIMS_PROFILE, times=times,
    )  # fmt: skip


def _compare(samples: Mapping[str, Sequence[Sample]], name: str, label: str, delay: int, threads: int) -> Row:
    shared, each = samples[f"{name}_{threads}"], samples[f"{name}_0"]
    ratio = statistics.median(one.rate / other.rate for one, other in zip(shared, each, strict=True))
    over_bare = statistics.median(
        one.rate / other.rate for one, other in zip(shared, samples[BARE], strict=True)
    )
    one, other = (statistics.median(sample.rate for sample in found) for found in (shared, each))
    detail = f"{one:,.0f}/s shared, {over_bare:.2f} of bare; {other:,.0f}/s with a commit a row"
    return Row(
        f"commits_{delay}ms" if threads == ADVISED else f"commits_{delay}ms_{threads}",
        f"{label}, {threads} threads, commits {delay} ms slower",
        ratio,
        None,
        detail,
    )
