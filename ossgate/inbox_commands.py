"""`ossgate inbox`: callbacks as they came, searched, shown, and put through today's code again.

Exit codes: 0 done, 1 the ledger failed or an id is of nothing that is kept, 2 wrong settings or arguments; of `replay` 3 when something would still
not be believed, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ossgate.durations import parse_duration
from ossgate.interrupts import stopped_by_signals

if TYPE_CHECKING:
    from callback.replay import Replayed, Replayer
    from ossgate.assembly import Parts
    from ossgate.ledger import CallbackFilter, KeptCallback
    from ossgate.settings import LoadedSettings

FAILED, WRONG, LEFT, INTERRUPTED = 1, 2, 3, 130
VERDICTS = ("believed", "unconfirmed", "repeated", "refused", "unavailable", "crashed")
LAYERS = ("request", "signature", "ticket", "bucket", "ledger")
_PAGE = 100
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")


class Moment(click.ParamType[datetime]):
    """A time such as ``2026-01-02T03:04:05Z``, or how long ago: ``2h``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say how it is written."""
        if isinstance(value, datetime):
            return value
        try:
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
            return datetime.now(UTC) - parse_duration(value)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither a time such as 2026-01-02T03:04:05Z nor one such as 2h", param, ctx
            )


_MOMENT = Moment()
_FILTERS: tuple[Callable[[Any], Any], ...] = (
    click.option("--verdict", type=click.Choice(VERDICTS), help="What was made of it."),
    click.option("--layer", type=click.Choice(LAYERS), help="The layer that it failed at."),
    click.option("--code", help="The error's code, such as ticket_expired."),
    click.option("--upload", "upload_id", help="The upload that it tells of."),
    click.option("--object-key", help="The object of that upload, by its whole key."),
    click.option("--remote-addr", help="Where it came from."),
    click.option("--since", type=_MOMENT, help="Not before: a UTC time, or how long ago, such as 2h."),
    click.option("--until", type=_MOMENT, help="Before this; as --since."),
)


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which callbacks."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group()
def inbox() -> None:
    """Callbacks as they came: search, show and replay them."""


@inbox.command(name="list")
@filtered
@click.option("--before", help="Older than this callback: the last one of the page before.")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), help="At most so many.")
@_AS_JSON
def list_(before: str | None, limit: int, as_json: bool, **wanted: Any) -> None:
    """List callbacks, newest first."""
    from ossgate.operators.shapes import describe_callback

    with _opened() as (_, parts):
        found: list[KeptCallback] = []
        for one in _build_filters(parts, wanted):
            below = min((each for each in (one.below_id, before) if each is not None), default=None)
            found += parts.ledger.inbox.find_callbacks(replace(one, below_id=below), limit=limit + 1)
        found.sort(key=lambda one: one.request.callback_id, reverse=True)
        shown, more = found[:limit], len(found) > limit
        if as_json:
            rows = [describe_callback(one) for one in shown]
            last = shown[-1].request.callback_id if more else None
            click.echo(json.dumps({"callbacks": rows, "next_before": last}, ensure_ascii=False))
            return
        for kept in shown:
            click.echo(_visible(_describe(kept)))
        if more:
            click.echo(f"there are more: --before {shown[-1].request.callback_id}", err=True)
        if not shown:
            click.echo("nothing")


@inbox.command()
@click.argument("callback_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Show tickets, signatures and other long words as well.")
@_AS_JSON
def show(callback_id: str, raw: bool, as_json: bool) -> None:
    """Show one callback as it came, with what was made of it."""
    from ossgate.operators.shapes import describe_request

    with _opened() as (_, parts):
        kept = _fetch(parts, callback_id)
        described = describe_request(kept, raw=raw)
        if as_json:
            click.echo(json.dumps(described, ensure_ascii=False))
            return
        click.echo(_visible(_describe(kept)))
        request = kept.request
        if kept.judgement.detail:
            click.echo(_visible(described["detail"]))
        if request.cut:
            click.echo(
                f"not kept whole ({request.cut}), so that it cannot be replayed; the body had {request.body_size} bytes"
            )
        click.echo(_visible(f"\nPOST {described['raw_target']} HTTP/1.1"))
        for name, value in described["headers"].items():
            click.echo(_visible(f"{name}: {value}"))
        click.echo(_visible(f"\n{described['body']}"))


@inbox.command()
@click.argument("callback_ids", nargs=-1, metavar="[ID]…")
@filtered
@click.option("--all", "everything", is_flag=True, help="Every callback that is kept.")
@click.option("--apply", is_flag=True, help="Record what is believed now; else nothing is changed.")
@_AS_JSON
def replay(
    callback_ids: tuple[str, ...], everything: bool, apply: bool, as_json: bool, **wanted: Any
) -> None:
    """Put callbacks through today's code again, oldest first: keys, tickets, bucket and ledger as they are now.

    Whether a ticket had expired is judged by when its callback came. To replay one twice is safe: an upload arrives once. Exit codes: 0 all
    are believed (or were before), 3 some are not, 1 the ledger failed or an id is of nothing that is kept, 2 wrong settings or arguments,
    130 stopped with Ctrl-C.
    """
    from callback.replay import BELIEVED, Replayer
    from ossgate.app import build_receiver
    from ossgate.bucket import BucketClient
    from ossgate.ledger import LedgerError

    if sum((bool(callback_ids), everything, any(value is not None for value in wanted.values()))) != 1:
        _fail("name the ids of callbacks, or some of --verdict, --upload and the like, or --all.", WRONG)
    stop = threading.Event()
    done: list[Replayed] = []
    with _opened() as (loaded, parts), stopped_by_signals(stop):
        bucket = BucketClient(parts.credentials, now=_now)
        receiver = build_receiver(parts, bucket, loaded.settings.oss.link_seconds, _log_nothing)
        failure = ""
        try:
            chosen, length = _choose(parts, callback_ids, wanted)
            for replayed in _replay(Replayer(receiver, apply=apply), chosen, length, stop):
                done.append(replayed)
                if not as_json:
                    click.echo(_visible(_compare(replayed, apply=apply)))
        except LedgerError as error:
            failure = f"the ledger failed: {error}"
        finally:
            bucket.close()
        _report(done, apply=apply, as_json=as_json, interrupted=stop.is_set())
        if failure:
            _fail(failure, FAILED)
    if stop.is_set():
        raise SystemExit(INTERRUPTED)
    if any(replayed.now.verdict not in BELIEVED for replayed in done):
        raise SystemExit(LEFT)


def _choose(
    parts: Parts, callback_ids: Sequence[str], wanted: dict[str, Any]
) -> tuple[Iterator[KeptCallback], int]:
    if callback_ids:
        kept = [_fetch(parts, callback_id) for callback_id in dict.fromkeys(callback_ids)]
        kept.sort(key=lambda one: one.request.callback_id)
        return iter(kept), len(kept)
    filters = _build_filters(parts, wanted)
    length = sum(parts.ledger.inbox.count_callbacks(one) for one in filters)
    return (kept for one in filters for kept in _walk(parts, one)), length


def _walk(parts: Parts, wanted: CallbackFilter) -> Iterator[KeptCallback]:
    while page := parts.ledger.inbox.find_callbacks(wanted, limit=_PAGE, oldest_first=True):
        yield from page
        # The least text above the last id.
        wanted = replace(wanted, from_id=page[-1].request.callback_id + "0")


def _replay(
    replayer: Replayer, chosen: Iterator[KeptCallback], length: int, stop: threading.Event
) -> Iterator[Replayed]:
    with click.progressbar(chosen, length=length, label="replaying", file=sys.stderr) as shown:
        for kept in shown:
            yield replayer.replay(kept)
            if stop.is_set():
                return


def _build_filters(parts: Parts, wanted: dict[str, Any]) -> list[CallbackFilter]:
    """Return one filter, or one for each upload that has an object key."""
    from ossgate.ledger import CallbackFilter
    from ossgate.operators.queries import first_id_of

    since, until = wanted.pop("since"), wanted.pop("until")
    object_key = wanted.pop("object_key")
    one = CallbackFilter(
        from_id=first_id_of(since) if since else None,
        below_id=first_id_of(until) if until else None,
        **wanted,
    )
    if object_key is None:
        return [one]
    uploads = [
        upload.upload_id
        for bucket in parts.ledger.sweeps.list_buckets()
        for upload in parts.ledger.sweeps.list_by_key(bucket, prefix=object_key, through=object_key)
    ]
    return [replace(one, upload_id=upload_id) for upload_id in uploads if one.upload_id in (None, upload_id)]


def _fetch(parts: Parts, callback_id: str) -> KeptCallback:
    kept = parts.ledger.inbox.fetch_callback(callback_id.partition("\0")[0])
    if kept is None:
        _fail(
            f"there is no callback {callback_id[:64]!r}; `ossgate inbox list` lists those that are kept.",
            FAILED,
        )
    return kept


def _describe(kept: KeptCallback) -> str:
    request, judgement = kept.request, kept.judgement
    parts = [request.callback_id, _format(request.at), judgement.verdict]
    if judgement.code or judgement.layer:
        parts.append(f"{judgement.layer or '?'}: {judgement.code or '?'}")
    parts += [judgement.upload_id or "no upload", request.remote_addr or "?", f"{judgement.took_ms} ms"]
    return "  ".join(parts)


def _compare(replayed: Replayed, *, apply: bool) -> str:
    kept, now = replayed.kept, replayed.now
    was = f"{kept.judgement.verdict} {kept.judgement.code}".strip()
    becomes = f"{now.verdict} {now.code}".strip()
    line = f"{kept.request.callback_id}  {_format(kept.request.at)}  was {was}, {'is' if apply else 'would be'} {becomes}"
    return f"{line}: {_redact(now.detail)}" if now.detail else line


def _report(done: Sequence[Replayed], *, apply: bool, as_json: bool, interrupted: bool) -> None:
    counts: dict[str, int] = {}
    for replayed in done:
        counts[replayed.now.verdict] = counts.get(replayed.now.verdict, 0) + 1
    if as_json:
        rows = [
            {
                "callback_id": replayed.kept.request.callback_id,
                "at": _format(replayed.kept.request.at),
                "upload_id": replayed.now.upload_id,
                "was": {
                    "verdict": replayed.kept.judgement.verdict,
                    "code": replayed.kept.judgement.code or None,
                },
                "now": {
                    "verdict": replayed.now.verdict,
                    "layer": replayed.now.layer or None,
                    "code": replayed.now.code or None,
                    "detail": _redact(replayed.now.detail) or None,
                },
            }
            for replayed in done
        ]
        report = {"applied": apply, "interrupted": interrupted, "counts": counts, "callbacks": rows}
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in sorted(counts.items()))
    click.echo(f"{told or 'nothing'}{'' if apply else '; nothing was changed, --apply records'}")
    if interrupted:
        click.echo("ossgate: stopped; what was replayed may be replayed again", err=True)


def _redact(text: str) -> str:
    from ossgate.operators.shapes import redact

    return redact(text)


def _visible(text: str) -> str:
    """Return text that does nothing to a terminal: a stranger's control characters are written out."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


@contextmanager
def _opened() -> Iterator[tuple[LoadedSettings, Parts]]:
    from ossgate.assembly import assemble
    from ossgate.ledger import LedgerError
    from ossgate.problems import SettingsInvalid
    from ossgate.settings import load_settings

    try:
        loaded = load_settings()
        parts = assemble(loaded)
    except SettingsInvalid as error:
        _fail(str(error), WRONG)
    try:
        yield loaded, parts
    except LedgerError as error:
        _fail(f"the ledger cannot be used: {error}", FAILED)
    finally:
        parts.ledger.close()


def _log_nothing(event: str, /, **facts: object) -> None:
    return None


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> datetime:
    return datetime.now(UTC)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"ossgate: {message}", err=True)
    raise SystemExit(code)
