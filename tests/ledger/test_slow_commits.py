"""Slow commits: those who follow closely share one, and nobody is waited for long."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from ossgate.ledger import Ledger, NewUpload
from ossgate.ledger.jobs import Job
from ossgate.ledger.lingering import Lingering
from ossgate.ledger.session import Session
from ossgate.ledger.writer import Writer

MakeUpload = Callable[..., NewUpload]
# A grant of this kind waits for the disk.
WAITING = "multipart"


class Clock:
    """Stand in for the clock; each sleep may let somebody come."""

    def __init__(self, on_sleep: Callable[[], None]) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._on_sleep = on_sleep

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._on_sleep()


class Follower:
    """Record uploads from threads of their own, one each time that it is called, and no more than a number."""

    def __init__(self, ledger: Ledger, make_upload: MakeUpload, now: datetime, most: int) -> None:
        self.threads: list[threading.Thread] = []
        self._ledger, self._make_upload, self._now, self._most = ledger, make_upload, now, most

    def __call__(self) -> None:
        if len(self.threads) < self._most:
            waiting = self._ledger._writer._queue.qsize()
            self.threads.append(threading.Thread(target=self.record))
            self.threads[-1].start()
            while self._ledger._writer._queue.qsize() == waiting:
                pass

    def record(self) -> None:
        self._ledger.record_issued([self._make_upload(via=WAITING)], quota=None, now=self._now, timeout=30)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tell how many jobs each commit has held."""
    made: list[int] = []
    commit = Writer._commit

    def count(self: Writer, session: Session, jobs: list[Job], *, lasts: bool) -> None:
        made.append(len(jobs))
        commit(self, session, jobs, lasts=lasts)

    monkeypatch.setattr(Writer, "_commit", count)
    return made


@pytest.mark.parametrize(
    ("commit_seconds", "followers", "slept", "together"),
    [
        (0.0009, 5, 0, 1),
        (0.002, 0, 1, 1),
        (0.010, 3, 4, 4),
        (0.010, 9, 5, 6),
        (0.200, 9, 10, 10),
        (0.200, 99, 10, 11),
    ],
    ids=["quick", "alone", "three follow", "half of its time", "all come", "no longer than ten milliseconds"],
)
def test_those_who_follow_closely_share_a_slow_commit(
    ledger: Ledger,
    make_upload: MakeUpload,
    now: datetime,
    batches: list[int],
    commit_seconds: float,
    followers: int,
    slept: int,
    together: int,
) -> None:
    """Each step lets one more come: a tenth of the last commit's time, until nobody does or half of it is over."""
    ledger.record_issued([make_upload(via=WAITING)], quota=None, now=now)
    follow = Follower(ledger, make_upload, now, followers)
    clock = Clock(follow)
    ledger._writer._lingering = Lingering(clock=clock.read, sleep=clock.sleep)
    ledger._writer._lingering.commit_seconds = commit_seconds
    batches.clear()
    ledger.record_issued([make_upload(via=WAITING)], quota=None, now=now, timeout=30)
    for thread in follow.threads:
        thread.join()

    assert clock.slept == pytest.approx([min(commit_seconds / 10, 0.001)] * slept)
    assert batches == [together]


def test_what_does_not_wait_for_the_disk_lingers_for_nobody(
    ledger: Ledger, make_upload: MakeUpload, now: datetime
) -> None:
    """Its commit is quick, and says nothing of how long one takes that waits."""
    ledger.record_issued([make_upload(via=WAITING)], quota=None, now=now)
    clock = Clock(lambda: None)
    ledger._writer._lingering = Lingering(clock=clock.read, sleep=clock.sleep)
    ledger._writer._lingering.commit_seconds = 0.2
    ledger.record_issued([make_upload()], quota=None, now=now)

    assert (clock.slept, ledger._writer._lingering.commit_seconds) == ([], 0.2)


def test_commits_are_timed(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """How long each takes is measured, else nobody would ever be waited for."""
    assert ledger._writer._lingering.commit_seconds == 0
    ledger.record_issued([make_upload(via=WAITING)], quota=None, now=now)

    assert ledger._writer._lingering.commit_seconds > 0
