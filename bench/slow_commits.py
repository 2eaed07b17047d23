"""The server with commits that take longer, and with a commit for each row: `bench.slow_commits:create_app()`.

A disk that takes its time is simulated where the writer says COMMIT, while it holds what a real one would hold; nothing of the product knows of it.
"""

from __future__ import annotations

import os
import time

from flask import Flask

from ossgate.ledger.lingering import Lingering
from ossgate.ledger.session import Session
from ossgate.ledger.writer import Writer

DELAY_VARIABLE = "OSSGATE_BENCH_COMMIT_MS"
EACH_VARIABLE = "OSSGATE_BENCH_COMMIT_EACH"


def create_app() -> Flask:
    """Return ossgate with its writer slowed down as the environment says."""
    _slow_down(float(os.environ[DELAY_VARIABLE]) / 1000)
    if os.environ.get(EACH_VARIABLE):
        _commit_each()
    from ossgate.app import create_app

    return create_app()


def _slow_down(seconds: float) -> None:
    commit = Session.commit
    # What commits each row is the yardstick, and waits for the disk with all of them.
    always = bool(os.environ.get(EACH_VARIABLE))

    def commit_slowly(session: Session, *, lasts: bool = True) -> None:
        if lasts or always:
            time.sleep(seconds)
        commit(session, lasts=lasts)

    Session.commit = commit_slowly  # type: ignore[assignment,method-assign]


def _commit_each() -> None:
    take = Writer._take

    # The job that woke the writer goes alone; at the end all goes, so that closing does not take for ever.
    def take_none(writer: Writer, most: int) -> list[object]:
        return list(take(writer, most if writer.closed else 0))

    Writer._take = take_none  # type: ignore[assignment,method-assign]
    Lingering.linger = lambda self, count_waiting: None  # type: ignore[method-assign]
