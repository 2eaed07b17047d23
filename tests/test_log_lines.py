"""Lines of requests wait for each other, and none is lost, torn or moved."""

import os
import subprocess
import sys
import threading
import time

import pytest

from ossgate.log_lines import GATHER_SECONDS, LARGEST_WAITING, PIPE_BYTES, LogLines


class Pipe:
    """A pipe whose writes are counted."""

    def __init__(self, monkeypatch):
        self.read_end, self.write_end = os.pipe()
        self.written = []
        write = os.write

        def count(descriptor, data):
            if descriptor == self.write_end:
                self.written.append(len(data))
            return write(descriptor, data)

        monkeypatch.setattr("ossgate.log_lines.os.write", count)

    def read(self):
        os.set_blocking(self.read_end, False)
        found = b""
        try:
            while part := os.read(self.read_end, 65536):
                found += part
        except BlockingIOError:
            pass
        return found


@pytest.fixture
def pipe(monkeypatch):
    made = Pipe(monkeypatch)
    yield made
    for end in (made.read_end, made.write_end):
        os.close(end)


@pytest.fixture
def lines(pipe):
    return LogLines(pipe.write_end)


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_lines_are_written_together_by_themselves(pipe, lines):
    """What comes in one moment is one write, in its order; what comes later is written as well."""
    for number in range(10):
        lines.add(b"%d\n" % number)
    wait_for(lambda: pipe.written)
    time.sleep(2 * GATHER_SECONDS)
    first = pipe.read()
    lines.add(b"later\n")
    wait_for(lambda: len(pipe.written) > 1)

    assert first == b"".join(b"%d\n" % number for number in range(10))
    assert pipe.written[0] == len(first)
    wait_for(lambda: pipe.read() == b"later\n")


def test_no_write_is_larger_than_a_pipe_takes_whole(pipe, lines):
    """So that lines of several processes never mix; but for one that is larger by itself."""
    added = [b"x" * size + b"\n" for size in (1000, 3000, 200, PIPE_BYTES - 1, 5, 5, 2 * PIPE_BYTES)]
    for line in added:
        lines.add(line)
    lines.write_all()

    assert pipe.read() == b"".join(added)
    assert max(pipe.written[:-1]) <= PIPE_BYTES
    assert len(pipe.written) < len(added)


def test_lines_of_many_threads_are_all_there(pipe, lines):
    """Each thread's lines are whole and in their order."""

    def add(name):
        for number in range(200):
            lines.add(b"%d %d\n" % (name, number))

    parts = [threading.Thread(target=add, args=(name,)) for name in range(8)]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
    lines.write_all()
    found = [tuple(map(int, line.split())) for line in pipe.read().splitlines()]

    assert len(found) == 1600
    for name in range(8):
        assert [number for one, number in found if one == name] == list(range(200))


def test_who_logs_waits_when_nobody_reads(pipe):
    """What waits is bounded: beyond it each line is written by who adds it."""
    lines = LogLines(pipe.write_end)
    lines._has_rung = True
    for _ in range(LARGEST_WAITING + 1):
        assert pipe.written == []
        lines.add(b"\n")

    assert sum(pipe.written) == LARGEST_WAITING + 1


def test_after_the_end_lines_are_written_at_once(pipe, lines):
    """What the last moments of a process tell is not lost."""
    lines.add(b"before\n")
    lines.end()
    lines.add(b"after\n")

    assert pipe.read() == b"before\nafter\n"


def test_a_log_that_cannot_be_written_stops_nobody(pipe):
    """A full disk costs the lines, not the requests."""
    full = os.open("/dev/full", os.O_WRONLY)
    lines = LogLines(full)
    lines.add(b"lost\n")
    lines.end()
    lines.add(b"lost, too\n")
    os.close(full)


PROGRAM = """
import os, sys
from ossgate.answering import begin_answer
from ossgate.logs import log_event
begin_answer({})
for number in range(3):
    log_event("counted", number=number)
if sys.argv[1] == "fork":
    if not (child := os.fork()):
        log_event("child")
        sys.exit()
    os.waitpid(child, 0)
elif sys.argv[1] == "crash":
    os._exit(1)
elif sys.argv[1] == "raise":
    raise RuntimeError("boom")
"""


@pytest.mark.parametrize(
    ("way", "events"),
    [
        ("end", ["counted"] * 3),
        ("raise", ["counted"] * 3),
        ("crash", []),
        ("fork", ["child", *["counted"] * 3]),
    ],
)
def test_a_process_ends_with_its_lines_written(way, events):
    """An end in order, or by an exception, loses nothing; a child writes nothing of its parent's; only a crash does lose them."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, check=False)

    assert [line.split('"')[3] for line in ran.stdout.splitlines()] == events
