"""Measure the ledger's writer: arrivals and issues a second, and CPU time for each, by number of threads.

Run it as ``python bench/ledger_writer.py [URL …]``; without a URL it uses a fresh SQLite file. A database named by a URL must be
empty or of no value. The process is pinned to one core where that can be done. With ``BENCH_SINKS=1`` each arrival
also puts a row into the outbox.
"""

import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ossgate.ledger import Arrival, Ledger, NewUpload, QuotaLimit

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REPLY = (
    b'{"Status":"OK","upload_id":"01","state":"uploaded","object_key":"k","size":1048576,"etag":"E","url":"%s"}'
    % (b"u" * 300)
)
LIMIT = QuotaLimit(pending_uploads=10**9, bytes=10**15, period="day")


def make_upload(number: int, run: str) -> NewUpload:
    return NewUpload(
        upload_id=f"{run}{number:012d}",
        profile="photo",
        subject="anonymous",
        issuer="anonymous",
        dialect=None,
        bucket="demo-bucket",
        object_key=f"photos/anonymous/2026-01-02/{run}{number:012d}.jpg",
        file_name="a photograph.jpg",
        content_type="image/jpeg",
        size_min=0,
        size_max=20_000_000,
        quota_key=f"192.0.2.{number % 50}",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=8),
    )


def run_threads(count: int, threads: int, work: Callable[[int], object]) -> tuple[float, float]:
    """Give seconds of wall and of CPU that the work took."""
    numbers = iter(range(count))
    lock = threading.Lock()

    def loop() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            work(number)

    workers = [threading.Thread(target=loop) for _ in range(threads)]
    wall, cpu = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(url: str, threads: int, count: int) -> list[tuple[float, float]]:
    """Give seconds of wall and of CPU for issuing, arriving, and the same arrivals again."""
    run = f"{time.time_ns():x}"
    uploads = [make_upload(number, run) for number in range(count)]
    arrivals = [
        Arrival(
            upload=new,
            target="uploaded",
            size=1_048_576,
            etag="9E107D9D372BB6826BD81D3542A419D6",
            content_type="image/jpeg",
            via="callback",
            reply=REPLY,
            crc64="12345678901234567890",
            facts={"request_id": "5F1E8B2C3A4D5E6F70819203"},
        )
        for new in uploads
    ]
    sinks = tuple(f"sink-{number}" for number in range(int(os.environ.get("BENCH_SINKS", "0"))))
    ledger = Ledger(url, routes=lambda profile, event: sinks)
    ledger.upgrade()
    ledger.ping(timeout=10)
    times = [
        run_threads(
            count, threads, lambda n: ledger.record_issued([uploads[n]], quota=LIMIT, now=NOW, timeout=10)
        ),
        run_threads(count, threads, lambda n: ledger.record_arrival(arrivals[n], now=NOW, timeout=10)),
        run_threads(count, threads, lambda n: ledger.record_arrival(arrivals[n], now=NOW, timeout=10)),
    ]
    ledger.close()
    return times


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    count = int(os.environ.get("BENCH_ROWS", "4000"))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {count} rows each\n"
    )
    print("| database | threads | issue/s | µs CPU | arrival/s | µs CPU | repeat/s | µs CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for url in sys.argv[1:] or [f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"]:
            for threads in (1, 4, 16, 32):
                cells = [
                    f"{count / wall:,.0f} | {cpu / count * 1e6:.0f}"
                    for wall, cpu in measure(url, threads, count)
                ]
                print(f"| {url.partition(':')[0]} | {threads} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
