"""Measure reconciliation: so many uploads against so many objects, time and peak memory.

Run it as ``python -m bench.reconcile [--uploads 1000000] [--differ 0] [URL]``; without a URL it uses a fresh SQLite file. The listing is generated
in this process as OSS's XML, a page at a time, and read as any answer of OSS is. ``--differ N`` makes every Nth pair differ: one in
three has lost its callback, one its row, one its object.
"""

import argparse
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text

from bench.machine import describe_machine
from callback.arrived import Arrivals, ReceivingProfile
from callback.reply import compile_reply
from ossgate.bucket import ListingClient, ObjectHead
from ossgate.bucket.exchange import Answer
from ossgate.ledger import Ledger
from ossgate.ledger.rows import encode_time
from ossgate.reconcile import Options, Reconciler
from ossgate.reconcile.report import render_lines
from signer.callback_body import DEFAULT_JSON, compile_body
from signer.callback_param import define_callback
from signer.facts import Facts
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.prefix_grants import PrefixKeys
from signer.profiles import Profile
from signer.seal import SealKeys
from signer.upload_ids import new_upload_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STORED = NOW - timedelta(days=1)
PLACE = define_place("examplebucket", "cn-hangzhou")
ETAG = "5B3C1A2E053D763E1B002CC607C5A0FE"
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T03:04:05.000Z</LastModified><ETag>&quot;{etag}&quot;</ETag>"
    "<Type>Normal</Type><Size>3</Size><StorageClass>Standard</StorageClass></Contents>"
)
FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :uploads - 1)
INSERT INTO upload (upload_id, profile, subject, issuer, via, bucket, object_key, file_name, content_type, size_min,
                    size_max, variables, quota_key, quota_period, created_at, expires_at, state, size, etag,
                    uploaded_at, arrived_via, reply, changed_at)
SELECT '01U' || CAST(100000000 + n AS TEXT), 'photo', 'user' || CAST(n % 5000 AS TEXT), 'jwt', 'post',
       'examplebucket', 'photos/2026-01-01/' || CAST(100000000 + n AS TEXT) || '.jpg',
       'a photograph.jpg', 'image/jpeg', 1, 100, '{}', '', '', :stored, :stored + 300000,
       CASE WHEN :differ > 0 AND n % (3 * :differ) = 0 THEN 'issued' ELSE 'uploaded' END,
       3, :etag, :stored, 'callback', :reply, :stored
FROM numbers WHERE :differ = 0 OR n % (3 * :differ) <> :differ
"""


class GeneratedBucket:
    """Holds objects that are made up when they are asked for."""

    def __init__(self, count: int, differ: int, seal_keys: SealKeys) -> None:
        self._count = count
        self._differ = differ
        self._seal_keys = seal_keys
        self.listing = ListingClient(self)  # type: ignore[arg-type]

    def send(
        self, method: str, place: object, object_key: str, *, seconds: float, query: list[tuple[str, str]]
    ) -> Answer:
        """Answer a listing, as the exchange would."""
        asked = dict(query)
        if "uploads" in asked:
            return self._answer(
                "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
            )
        after = asked.get("start-after", "")
        first = int(after[-13:-4]) - 100_000_000 + 1 if after else 0
        last = min(first + 1000, self._count)
        entries = "".join(
            ENTRY.format(key=self._key(n).replace("/", "%2F"), etag=ETAG)
            for n in range(first, last)
            if not self._is_gone(n)
        )
        more = last < self._count
        ending = f"<NextContinuationToken>{last}</NextContinuationToken>" if more else ""
        return self._answer(
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{ending}{entries}</ListBucketResult>"
        )

    def head_object(self, place: object, object_key: str, *, seconds: float) -> ObjectHead | None:
        """Answer as the bucket client would."""
        n = int(object_key[-13:-4]) - 100_000_000
        if self._is_gone(n):
            return None
        issued = int(STORED.timestamp())
        facts = Facts(
            "once", f"01U{100_000_000 + n}", "photo", "jwt", f"user{n % 5000}", PLACE.bucket, object_key, 1, 100,
            "image/jpeg", "a photograph.jpg", {}, "", issued, issued + 300,
        )  # fmt: skip
        seal = self._seal_keys.issue_seal(facts)
        return ObjectHead(3, ETAG, "image/jpeg", seal, None, "Thu, 01 Jan 2026 03:04:05 GMT")

    def presign_get(self, place: object, object_key: str, *, expires: int, **how: str) -> str:
        """Sign nothing."""
        return object_key

    def _is_gone(self, n: int) -> bool:
        return self._differ > 0 and n % (3 * self._differ) == 2 * self._differ

    def _key(self, n: int) -> str:
        return f"photos/2026-01-01/{100_000_000 + n}.jpg"

    def _answer(self, body: str) -> Answer:
        return Answer(200, {"Date": "Fri, 02 Jan 2026 03:04:05 GMT"}, body.encode())


def fill(url: str, uploads: int, differ: int) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(FILL),
            {
                "uploads": uploads, "differ": differ, "etag": ETAG, "stored": encode_time(STORED),
                "reply": b'{"Status":"OK"}' + b" " * 300,
            },
        )  # fmt: skip
    engine.dispose()


def build(ledger: Ledger, bucket: GeneratedBucket, seal_keys: SealKeys) -> Reconciler:
    callback = define_callback(("https://uploads.example.com/callback",), compile_body(DEFAULT_JSON, "json"))
    profile = Profile(
        name="photo",
        place=PLACE,
        object_key=compile_key_template("photos/{upload_id}{ext}"),
        callback=callback,
    )
    arrivals = Arrivals(
        ledger=ledger, bucket=bucket, profiles={"photo": ReceivingProfile(profile, compile_reply({}))},  # type: ignore[arg-type]
        link_seconds=60, now=lambda: NOW, log=lambda event, /, **facts: None,
    )  # fmt: skip
    return Reconciler(
        ledger=ledger, arrivals=arrivals, seal_keys=seal_keys, prefix_keys=PrefixKeys([b"s" * 32]), places={PLACE.bucket: PLACE},
        options=Options(rate=0, max_gone=10**9), owner="bench", new_run_id=new_upload_id, now=lambda: NOW,
    )  # fmt: skip


def read_peak() -> float:
    """Return the most memory that this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="an empty database; default a fresh SQLite file")
    parser.add_argument("--uploads", type=int, default=1_000_000)
    parser.add_argument("--differ", type=int, default=0, help="every Nth pair differs; 0 for none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machine = describe_machine(Path(folder))
        url = given.url or f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
        ledger = Ledger(url)
        ledger.upgrade()
        fill(url, given.uploads, given.differ)
        seal_keys = SealKeys([b"s" * 32])
        reconciler = build(ledger, GeneratedBucket(given.uploads, given.differ, seal_keys), seal_keys)
        before = read_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        run = reconciler.run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        ledger.close()
    print("; ".join(f"{name}: {value}" for name, value in machine.items()))
    for line in render_lines(run):
        print(line)
    print(
        f"{wall:.1f} s, {cpu:.1f} s of CPU; peak memory {read_peak():.0f} MiB ({before:.0f} MiB before the run)"
    )


if __name__ == "__main__":
    main()
