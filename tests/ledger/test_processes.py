"""Several processes on one database: once is once, kill -9 loses nothing acknowledged, a fork begins anew."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable

import pytest
from sqlalchemy.engine import make_url

from ossgate.ledger import CallbackFilter, Ledger

StartProgram = Callable[..., subprocess.Popen[str]]
PRELUDE = """
import json, os, sys, threading
from datetime import UTC, datetime, timedelta
from ossgate.ledger import *

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

def make_upload(upload_id):
    return NewUpload(
        upload_id=upload_id, profile="photo", subject="alice", issuer="anonymous", bucket="b", object_key=upload_id,
        file_name="f", content_type="image/png", size_min=0, size_max=1000, quota_key="alice",
        created_at=NOW, expires_at=NOW + timedelta(minutes=5),
    )

def make_arrival(upload_id):
    return Arrival(
        upload=make_upload(upload_id), target="uploaded", size=400, etag="E", content_type="image/png",
        via="callback", reply=b"r" * 300,
    )

def run_threads(count, work):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
RACE = (
    PRELUDE
    + """
ledger = Ledger(sys.argv[1])
ledger.ping(timeout=30)
print("ready", flush=True)
sys.stdin.readline()
firsts = []

def work(number):
    for n in range(40):
        if ledger.record_arrival(make_arrival(f"u{n:03d}"), now=NOW, timeout=30).first:
            firsts.append(n)

run_threads(4, work)
ledger.close()
print(json.dumps(firsts), flush=True)
"""
)
ISSUE = (
    PRELUDE
    + """
ledger = Ledger(sys.argv[1])
ledger.ping(timeout=30)
print("ready", flush=True)
sys.stdin.readline()
granted = []

def work(number):
    for n in range(10):
        new = make_upload(f"{sys.argv[2]}-{number}-{n}")
        try:
            ledger.record_issued([new], quota=QuotaLimit(pending_uploads=77), now=NOW, timeout=30)
            granted.append(new.upload_id)
        except QuotaExceeded:
            pass

run_threads(8, work)
ledger.close()
print(json.dumps(granted), flush=True)
"""
)
WRITE_UNTIL_KILLED = (
    PRELUDE
    + """
ledger = Ledger(sys.argv[1], routes=lambda profile, event: ("hooks",))

def work(number):
    n = 0
    while True:
        upload_id = f"{sys.argv[2]}-{number}-{n}"
        ledger.record_arrival(make_arrival(upload_id), now=NOW, timeout=30)
        os.write(1, f"{upload_id}\\n".encode())
        n += 1

run_threads(8, work)
"""
)
FORK = (
    PRELUDE
    + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
ledger = Ledger(sys.argv[1])
ledger.record_arrival(make_arrival("before"), now=NOW, timeout=30)
ledger.fetch_upload("before")
child = os.fork()
if child == 0:
    outcome = ledger.record_arrival(make_arrival("child"), now=NOW, timeout=30)
    ledger.record_arrival(make_arrival("before"), now=NOW, timeout=30)
    found = ledger.fetch_upload("before")
    ledger.close()
    os._exit(0 if outcome.first and found else 1)
status = os.waitpid(child, 0)[1]
outcome = ledger.record_arrival(make_arrival("parent"), now=NOW, timeout=30)
print(json.dumps([status, outcome.first, ledger.fetch_upload("child").state]), flush=True)
ledger.close()
"""
)
FORK_BUSY = (
    PRELUDE
    + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
ledger = Ledger(sys.argv[1])
running, recorded = threading.Event(), []
running.set()

def work(number):
    n = 0
    while running.is_set():
        ledger.record_arrival(make_arrival(f"parent-{number}-{n}"), now=NOW, timeout=30)
        n += 1
    recorded.append(n)

threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
statuses = []
for number in range(10):
    child = os.fork()
    if child == 0:
        ids = [f"child-{number}-{n}" for n in range(5)]
        firsts = [ledger.record_arrival(make_arrival(each), now=NOW, timeout=30).first for each in ids]
        ledger.close()
        os._exit(0 if all(firsts) else 1)
    statuses.append(os.waitpid(child, 0)[1])
running.clear()
for thread in threads:
    thread.join()
found = [each.upload_id.partition("-")[0] for each in ledger.list_uploads(limit=1_000_000)]
print(json.dumps([statuses, found.count("child"), found.count("parent") == sum(recorded)]), flush=True)
ledger.close()
"""
)
FORK_UNUSED = (
    PRELUDE
    + """
ledger = Ledger(sys.argv[1])
children = []
for name in ("a", "b"):
    child = os.fork()
    if child == 0:
        os._exit(0 if ledger.record_arrival(make_arrival(name), now=NOW, timeout=30).first else 1)
    children.append(child)
print(json.dumps([os.waitpid(child, 0)[1] for child in children]), flush=True)
"""
)
EXIT_WITHOUT_CLOSE = (
    PRELUDE
    + """
ledger = Ledger(sys.argv[1])
ledger.ping(timeout=30)
for n in range(150):
    ledger.inbox.keep(KeptRequest(f"r{n:03d}", NOW, b"/", {}, b"", 0, "192.0.2.1"), Judgement("refused"))
"""
)


def read_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline()


def run_together(programs: list[subprocess.Popen[str]]) -> list[list[object]]:
    """Let programs that are ready go on at once, and read what each prints last."""
    for program in programs:
        assert read_line(program) == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    return [json.loads(read_line(program)) for program in programs]


def test_arrival_when_two_processes_race(url: str, start_program: StartProgram) -> None:
    """Eight threads in two processes tell of the same arrivals: each is first exactly once."""
    firsts = run_together([start_program(RACE, url) for _ in range(2)])

    assert sorted(first for each in firsts for first in each) == list(range(40))


def test_quota_when_three_processes_issue(url: str, start_program: StartProgram) -> None:
    """Three processes share one limit to the last upload."""
    granted = run_together([start_program(ISSUE, url, name) for name in "abc"])

    assert sum(map(len, granted)) == 77


def test_kill_keeps_what_was_acknowledged(url: str, start_program: StartProgram) -> None:
    """After kill -9 in full flight every acknowledged row is there, each with what is to be told of it, and the database is whole."""
    acknowledged: list[str] = []
    for name in "abc":
        program = start_program(WRITE_UNTIL_KILLED, url, name)
        acknowledged += [read_line(program).strip() for _ in range(150)]
        program.send_signal(signal.SIGKILL)
        assert program.stdout is not None
        rest = program.stdout.read().splitlines(keepends=True)
        acknowledged += [line.strip() for line in rest if line.endswith("\n")]
        program.wait()

    ledger = Ledger(url)
    found = {upload.upload_id for upload in ledger.list_uploads(state="uploaded", limit=100_000)}
    told = [each.upload_id for each in ledger.outbox.list_pending("hooks", limit=100_000)]
    ledger.ping(timeout=10)
    ledger.close()

    assert set(acknowledged) <= found
    assert sorted(told) == sorted(found)
    if url.startswith("sqlite"):
        connection = sqlite3.connect(make_url(url).database or "")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()


@pytest.mark.parametrize(
    ("program", "expected"),
    [(FORK, [0, True, "uploaded"]), (FORK_UNUSED, [0, 0]), (FORK_BUSY, [[0] * 10, 50, True])],
    ids=["used", "unused", "busy"],
)
def test_fork(url: str, start_program: StartProgram, program: str, expected: list[object]) -> None:
    """Parent and child each write on their own, whether the ledger was used before the fork or not."""
    assert json.loads(read_line(start_program(program, url))) == expected


def test_exit_without_close(url: str, start_program: StartProgram) -> None:
    """A process that ends without closing its ledger still writes what was queued."""
    assert start_program(EXIT_WITHOUT_CLOSE, url).wait() == 0

    ledger = Ledger(url)
    assert len(ledger.inbox.find_callbacks(CallbackFilter(), limit=200)) == 150
    ledger.close()
