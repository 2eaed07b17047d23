"""`ossgate reconcile` and `ossgate db prune`: ledger and buckets made to agree, and what ended long ago forgotten."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ossgate.durations import parse_duration
from ossgate.interrupts import stopped_by_signals

if TYPE_CHECKING:
    from ossgate.assembly import Parts
    from ossgate.ledger import Finding, ReconcileRun
    from ossgate.reconcile import Options, Progress, Reconciler
    from ossgate.settings import LoadedSettings

FAILED, WRONG, FINDINGS_LEFT, INTERRUPTED = 1, 2, 3, 130
_PRUNABLE = ("expired", "deleted", "aborted")


class Duration(click.ParamType[timedelta]):
    """A length of time such as ``15m`` or ``400d``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say how it is written."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Duration()


@click.command()
@click.option("--profile", default="", help="Look at uploads of this profile alone.")
@click.option("--prefix", default="", help="Look at object keys that begin so.")
@click.option(
    "--dry-run/--apply",
    "dry_run",
    default=None,
    help="Change nothing at all; or do in the bucket, too, what is asked for by name. "
    "By default the ledger is put right and the bucket is never changed.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="List no bucket: ask only for uploads that are overdue or unconfirmed, and with --delete-outlived for those whose days are over.",
)
@click.option(
    "--abort-multipart",
    is_flag=True,
    help="Abort our unfinished uploads in parts past their day (with --apply).",
)
@click.option(
    "--delete-stranger",
    "strangers",
    multiple=True,
    metavar="KEY",
    help="Delete this object when it proves no upload (with --apply); may be repeated.",
)
@click.option(
    "--delete-outlived",
    is_flag=True,
    help="Delete objects whose days are over, for buckets without a lifecycle rule (with --apply).",
)
@click.option("--grace", default="10m", type=DURATION, help="Leave alone what is younger.")
@click.option(
    "--multipart-age", default="1d", type=DURATION, help="How old an unfinished upload in parts must be."
)
@click.option(
    "--rate", default=100.0, type=click.FloatRange(0), help="Requests a second to the bucket; 0 for no limit."
)
@click.option(
    "--workers", default=4, type=click.IntRange(1, 64), help="How many objects are asked about at once."
)
@click.option(
    "--max-gone",
    default=1000,
    type=click.IntRange(0),
    help="How many uploads a run may mark as deleted; more are reported, since a bucket that seems empty is mostly a mistake.",
)
@click.option(
    "--restart", is_flag=True, help="Begin anew, even where an unfinished run could be gone on with."
)
@click.option("--daemon", is_flag=True, help="Run again and again; while another process is at it, wait.")
@click.option(
    "--every", default="15m", type=DURATION, help="With --daemon: from the end of one run to the next."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, one line a run.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report as JSON into this file.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report as a page into this file.",
)
def reconcile(
    profile: str,
    dry_run: bool | None,
    strangers: tuple[str, ...],
    restart: bool,
    daemon: bool,
    every: timedelta,
    as_json: bool,
    report: Path | None,
    html: Path | None,
    **options: Any,
) -> None:
    """Make ledger and bucket agree, in both directions.

    Exit codes: 0 all agree, 3 differences are left, 1 it failed or another process is at it, 2 wrong settings or arguments,
    130 stopped with Ctrl-C; after 1 and 130 the next run goes on where this one ended.
    """
    from ossgate.reconcile import Options

    loaded, parts = _load()
    if profile and profile not in parts.profiles:
        _fail(f"there is no profile {profile!r} in {loaded.source}.", WRONG)
    chosen = Options(
        profile=profile,
        dry_run=dry_run is True,
        apply=dry_run is False,
        delete_strangers=frozenset(strangers),
        resume=not restart,
        **options,
    )
    stop = threading.Event()
    link_seconds = loaded.settings.oss.link_seconds
    told = _Told(as_json, report, html)
    job = _Job(parts, chosen, stop, told, link_seconds=link_seconds, daemon=daemon)
    with stopped_by_signals(stop):
        try:
            code = job.run_for_ever(every) if daemon else job.run_once()
        finally:
            job.close()
    raise SystemExit(code)


@click.command()
@click.option(
    "--older-than", required=True, type=DURATION, help="How long ago it must have ended, such as 400d."
)
@click.option(
    "--state",
    "states",
    default=",".join(_PRUNABLE),
    help="Which uploads, by state; those that wait or are in the bucket are never pruned.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be deleted.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def prune(older_than: timedelta, states: str, dry_run: bool, as_json: bool) -> None:
    """Delete what ended long ago: uploads with their history, callbacks, accounts of past days, old runs.

    It deletes a few hundred rows at a time, so that nobody waits for it; it may be stopped and run again.
    """
    from ossgate.ledger import LedgerError
    from signer.upload_ids import new_upload_id

    wanted = [one.strip() for one in states.split(",") if one.strip()]
    unknown = [one for one in wanted if one not in _PRUNABLE]
    if unknown:
        _fail(
            f"uploads that are {unknown[0]!r} are never pruned; --state lists some of {', '.join(_PRUNABLE)}.",
            WRONG,
        )
    _, parts = _load()
    before = datetime.now(UTC) - older_than
    below = new_upload_id(before, random_bytes=bytes)
    deleted: dict[str, int] = {}
    try:
        if dry_run:
            batches = iter(parts.ledger.retention.count_prunable(wanted, before=before, below=below))
        else:
            batches = parts.ledger.retention.prune(wanted, before=before, below=below)
        with click.progressbar(batches, label="pruning", file=sys.stderr) as shown:
            for batch in shown:
                deleted[batch.table] = deleted.get(batch.table, 0) + batch.rows
    except LedgerError as error:
        _fail(f"the ledger failed: {error}", FAILED)
    finally:
        parts.ledger.close()
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "deleted": deleted}))
        return
    for table, rows in deleted.items():
        click.echo(f"{rows:>10}  {table}")
    click.echo(f"{sum(deleted.values())} rows {'would be' if dry_run else 'were'} deleted")


@dataclass(frozen=True, slots=True)
class _Told:
    """Where a run is told of, beside the terminal."""

    as_json: bool
    report: Path | None
    html: Path | None


class _Job:
    """The runs of one command."""

    def __init__(
        self,
        parts: Parts,
        options: Options,
        stop: threading.Event,
        told: _Told,
        *,
        link_seconds: int,
        daemon: bool,
    ) -> None:
        from ossgate.bucket import BucketClient

        self._parts = parts
        self._options = options
        self._stop = stop
        self._told = told
        self._link_seconds = link_seconds
        self._daemon = daemon
        self._bucket = BucketClient(parts.credentials, now=_now)

    def run_once(self) -> int:
        """Run, tell, and return the exit code."""
        from ossgate.bucket import BucketRefused, BucketUnavailable
        from ossgate.ledger import LeaseHeld, LedgerError
        from ossgate.reconcile import Interrupted
        from ossgate.reconcile.report import count_open

        try:
            with self._progress() as on_progress:
                run = self._build(on_progress).run()
        except Interrupted:
            click.echo("ossgate: stopped; the next run goes on from here", err=True)
            return INTERRUPTED
        except (BucketRefused, BucketUnavailable) as error:
            click.echo(f"ossgate: {error}; the next run goes on from here", err=True)
            return FAILED
        except LeaseHeld as error:
            click.echo(f"ossgate: {error}", err=True)
            return FAILED
        except LedgerError as error:
            click.echo(f"ossgate: the ledger failed: {error}", err=True)
            return FAILED
        self._tell(run)
        return FINDINGS_LEFT if count_open(run) else 0

    def run_for_ever(self, every: timedelta) -> int:
        """Run until a signal comes; a failure is told, and tried again."""
        while True:
            code = self.run_once()
            if self._stop.wait(every.total_seconds()):
                # It ended because it was told to, which is no failure.
                return code if code in (0, FINDINGS_LEFT) else 0

    def close(self) -> None:
        """Close what was opened."""
        self._bucket.close()
        self._parts.ledger.close()

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _build(self, on_progress: Callable[[Progress], None]) -> Reconciler:
        from callback.arrived import Arrivals
        from ossgate.logs import log_event
        from ossgate.reconcile import Reconciler
        from signer.upload_ids import new_upload_id

        profiles = self._parts.profiles
        wanted = self._options.profile
        arrivals = Arrivals(
            ledger=self._parts.ledger,
            bucket=self._bucket,
            profiles=profiles,
            link_seconds=self._link_seconds,
            now=_now,
            # A report on standard output is not mixed with lines of a log.
            log=log_event if self._daemon and not self._told.as_json else _log_nothing,
        )
        return Reconciler(
            ledger=self._parts.ledger,
            arrivals=arrivals,
            seal_keys=self._parts.seal_keys,
            prefix_keys=self._parts.prefix_keys,
            places={
                receiving.profile.place.bucket: receiving.profile.place
                for name, receiving in profiles.items()
                if wanted in ("", name)
            },
            options=self._options,
            owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            new_run_id=new_upload_id,
            now=_now,
            sleep=self._sleep,
            on_progress=on_progress,
            should_stop=self._stop.is_set,
        )

    @contextmanager
    def _progress(self) -> Iterator[Callable[[Progress], None]]:
        if self._daemon:
            yield lambda progress: None
            return
        length = self._parts.ledger.sweeps.count_uploads()
        seen = 0
        with click.progressbar(
            length=length, label="reconciling", file=sys.stderr, item_show_func=_show
        ) as bar:

            def advance(progress: Progress) -> None:
                nonlocal seen
                bar.update(max(0, progress.uploads - seen), progress)
                seen = progress.uploads

            yield advance

    def _tell(self, run: ReconcileRun) -> None:
        from ossgate.reconcile.report import build_report, render_lines, render_page

        findings = _list_findings(self._parts, run.run_id)
        report = build_report(run, findings)
        if self._told.as_json:
            click.echo(json.dumps(report, ensure_ascii=False))
        else:
            for line in render_lines(run):
                click.echo(line)
        if self._told.report is not None:
            _write(self._told.report, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
        if self._told.html is not None:
            _write(self._told.html, render_page(run, findings))


def _list_findings(parts: Parts, run_id: str) -> list[tuple[int, Finding]]:
    findings: list[tuple[int, Finding]] = []
    while page := parts.ledger.runs.list_findings(run_id, after=findings[-1][0] if findings else 0):
        findings += page
    return findings


def _show(progress: Progress | None) -> str:
    if progress is None:
        return ""
    return f"{progress.bucket}: {progress.objects} objects, {progress.findings} findings"


def _write(path: Path, text: str) -> None:
    # A reader sees the old report or the new one, never half of one.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        _fail(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.", FAILED)


def _log_nothing(event: str, /, **facts: object) -> None:
    return None


def _now() -> datetime:
    return datetime.now(UTC)


def _load() -> tuple[LoadedSettings, Parts]:
    from ossgate.assembly import assemble
    from ossgate.problems import SettingsInvalid
    from ossgate.settings import load_settings

    try:
        loaded = load_settings()
        return loaded, assemble(loaded)
    except SettingsInvalid as error:
        _fail(str(error), WRONG)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"ossgate: {message}", err=True)
    raise SystemExit(code)
