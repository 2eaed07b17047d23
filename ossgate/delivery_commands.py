"""`ossgate deliver`: the deliverer as a process of its own, and what operators do with the outbox.

Exit codes: 0 done, 1 the ledger failed or, with --once, something was not delivered, 2 wrong settings or arguments, 130 interrupted with --once.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from ossgate.assembly import Parts
    from ossgate.delivery.attempts import Tally
    from ossgate.ledger import Delivery, SinkState

FAILED, WRONG, INTERRUPTED = 1, 2, 130
_REPLAYED_AT_ONCE = 500
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")


@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="Deliver what is due now, then end.")
@_AS_JSON
@click.pass_context
def deliver(ctx: click.Context, once: bool, as_json: bool) -> None:
    """Tell the application of its uploads: webhooks, brokers, handlers.

    Runs until it is stopped; any number of them may run on one PostgreSQL. Set [delivery] in_server = false where it
    runs beside the server. Exit codes: 0 done; 1 the ledger failed or, with --once, something was not delivered; 2 wrong settings or
    arguments; 130 interrupted with --once.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ossgate.logs import log_event

    with _opened() as parts:
        sinks = parts.delivery.sinks
        if not sinks:
            _fail("the settings name nobody to deliver to; add [[delivery.webhooks]] or the like.", WRONG)
        log = _log_trouble if once else log_event
        deliverer = parts.delivery.build_deliverer(parts.ledger.outbox, _now, log=log)
        interrupted = threading.Event()

        def interrupt(*_: object) -> None:
            interrupted.set()
            deliverer.interrupt()

        with _signals(interrupt):
            if not once:
                click.echo(
                    f"delivers to {', '.join(sink.name for sink in sinks)}; stop it with Ctrl-C", err=True
                )
                deliverer.run()
                click.echo("stopped; what was not delivered is free for others.", err=True)
                return
            with _progress(as_json) as show:
                tally = deliverer.run(until_empty=True, on_progress=show)
        _report(tally, as_json)
        if interrupted.is_set():
            raise SystemExit(INTERRUPTED)
        if set(tally.counts) - {"delivered"}:
            raise SystemExit(FAILED)


@deliver.command(name="list")
@click.option("--sink", "name", help="What waits for this sink, what is due first coming first.")
@click.option("--upload", "upload_id", help="All that was or will be told of this upload.")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), help="At most so many.")
@_AS_JSON
def list_(name: str | None, upload_id: str | None, limit: int, as_json: bool) -> None:
    """Show the sinks and what waits for them; of one sink or upload, its deliveries."""
    with _opened() as parts:
        outbox = parts.ledger.outbox
        if upload_id is not None:
            _show_deliveries(outbox.list_deliveries(upload_id)[:limit], as_json)
        elif name is not None:
            _show_deliveries(outbox.list_pending(name, limit=limit), as_json)
        else:
            _show_sinks(outbox.list_sinks(), {sink.name for sink in parts.delivery.sinks}, as_json)


@deliver.command()
@click.option("--sink", "name", help="Of this sink alone.")
@click.option("--before", help="Older than this delivery: the last one of the page before.")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), help="At most so many.")
@_AS_JSON
def dead(name: str | None, before: str | None, limit: int, as_json: bool) -> None:
    """Show what was given up, newest first."""
    with _opened() as parts:
        _show_deliveries(parts.ledger.outbox.list_dead(name=name, before=before, limit=limit), as_json)


@deliver.command()
@click.argument("delivery_ids", nargs=-1, metavar="ID…")
@click.option("--all", "everything", is_flag=True, help="Everything that was given up.")
@click.option("--sink", "name", help="Everything that was given up of this sink.")
@_AS_JSON
def replay(delivery_ids: tuple[str, ...], everything: bool, name: str | None, as_json: bool) -> None:
    """Deliver again what was given up, under its old ids."""
    if sum((bool(delivery_ids), everything, name is not None)) != 1:
        _fail("name the ids of deliveries, or --sink NAME, or --all.", WRONG)
    with _opened() as parts:
        outbox = parts.ledger.outbox
        count = 0
        if delivery_ids:
            count = outbox.replay_deliveries(delivery_ids, now=_now())
        else:
            states = [state for state in outbox.list_sinks() if state.dead and name in (None, state.name)]
            with click.progressbar(
                length=sum(state.dead for state in states),
                label="replaying",
                file=sys.stderr,
            ) as bar:
                for state in states:
                    while step := outbox.replay_dead(state.name, limit=_REPLAYED_AT_ONCE, now=_now()):
                        count += step
                        bar.update(step)
        click.echo(json.dumps({"replayed": count}) if as_json else f"{count} will be delivered again")
        if count < len(delivery_ids):
            _fail(f"{len(delivery_ids) - count} of the ids are of nothing that was given up.", FAILED)


@deliver.command()
@click.argument("sink")
def enable(sink: str) -> None:
    """Let a sink that was disabled have its deliveries again."""
    with _opened() as parts:
        known = [each.name for each in parts.ledger.outbox.list_sinks()] + [
            each.name for each in parts.delivery.sinks
        ]
        if sink not in known:
            _fail(f"there is no sink {sink}; `ossgate deliver list` names them.", WRONG)
        parts.ledger.outbox.enable_sink(sink)
        click.echo(f"{sink} gets its deliveries again")


def _log_trouble(event: str, /, **facts: object) -> None:
    # With --once the standard output belongs to the report.
    if event != "delivered":
        click.echo(json.dumps({"event": event, **facts}, ensure_ascii=False), err=True)


@contextmanager
def _opened() -> Iterator[Parts]:
    from ossgate.assembly import assemble
    from ossgate.ledger import LedgerError
    from ossgate.problems import SettingsInvalid
    from ossgate.settings import load_settings

    try:
        parts = assemble(load_settings())
    except SettingsInvalid as error:
        _fail(str(error), WRONG)
    try:
        yield parts
    except LedgerError as error:
        _fail(f"the ledger cannot be used: {error}", FAILED)
    finally:
        parts.ledger.close()


@contextmanager
def _signals(handler: Callable[..., None]) -> Iterator[None]:
    # A deliverer ends what it has begun and gives back the rest; a second Ctrl-C does not wait for that.
    def handle(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        handler()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[Tally], None]]:
    stream = sys.stderr
    shows = stream.isatty() and not as_json

    def show(tally: Tally) -> None:
        if shows:
            stream.write(f"\r{_describe(tally)} …")
            stream.flush()

    yield show
    if shows:
        stream.write("\n")


def _report(tally: Tally, as_json: bool) -> None:
    click.echo(json.dumps(tally.counts) if as_json else _describe(tally))


def _describe(tally: Tally) -> str:
    words = {"delivered": "delivered", "retried": "to be tried again", "dead": "given up"}
    words |= {"disabled": "refused by a sink that wants no more", "released": "given back"}
    words |= {"unrecorded": "sent but not recorded"}
    counts: dict[str, int] = {"delivered": 0}
    counts |= {str(result): count for result, count in tally.counts.items()}
    return ", ".join(f"{count} {words[result]}" for result, count in counts.items())


def _show_sinks(states: list[SinkState], named: set[str], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "sink": state.name,
            "pending": state.pending,
            "dead": state.dead,
            "in_settings": state.name in named,
            "disabled_at": _format(state.disabled_at),
            "reason": state.reason,
            "resume_at": _format(state.resume_at),
        }
        for state in states
    ]
    known = {state.name for state in states}
    rows += [
        {
            "sink": name,
            "pending": 0,
            "dead": 0,
            "in_settings": True,
            "disabled_at": None,
            "reason": None,
            "resume_at": None,
        }
        for name in sorted(named - known)
    ]
    if as_json:
        click.echo(json.dumps({"sinks": rows}, ensure_ascii=False))
        return
    for row in rows:
        line = f"{row['sink']}: {row['pending']} waiting, {row['dead']} given up"
        if row["disabled_at"]:
            line += f"; disabled since {row['disabled_at']}: {row['reason']}"
        elif row["resume_at"] and row["resume_at"] > (_format(_now()) or ""):
            line += f"; left alone until {row['resume_at']}"
        if not row["in_settings"]:
            line += "; not in the settings any more"
        click.echo(line)
    if not rows:
        click.echo("there are no sinks, and nothing waits")


def _show_deliveries(deliveries: list[Delivery], as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "delivery_id": each.delivery_id,
                "upload_id": each.upload_id,
                "sink": each.sink,
                "type": each.type,
                "state": each.state,
                "attempts": each.attempts,
                "next_at": _format(each.next_at) if each.state == "pending" else None,
                "last_error": each.last_error,
                "created_at": _format(each.created_at),
                "delivered_at": _format(each.delivered_at),
            }
            for each in deliveries
        ]
        click.echo(json.dumps({"deliveries": rows}, ensure_ascii=False))
        return
    for each in deliveries:
        line = f"{each.delivery_id}  {each.type}  {each.upload_id}  {each.sink}  {each.state}, attempts: {each.attempts}"
        if each.state == "pending":
            line += f", next at {_format(each.next_at)}"
        click.echo(line)
        if each.last_error and each.state != "delivered":
            click.echo(f"    {each.last_error}")
    if not deliveries:
        click.echo("nothing")


def _format(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> datetime:
    return datetime.now(UTC)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"ossgate: {message}", err=True)
    raise SystemExit(code)
