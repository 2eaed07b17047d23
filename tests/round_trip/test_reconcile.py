"""Reconciliation against a bucket that speaks HTTP, run as operators run it: by its command."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import oss2
import pytest
from sqlalchemy import create_engine, text

from ossgate.bucket import BucketClient
from signer.credentials import Credentials
from signer.places import define_place
from signer.seal import METADATA_NAME

ROOT = Path(__file__).parents[2]
NO_GRACE = ("--grace", "0s", "--rate", "0")


@dataclass
class Reconciled:
    code: int
    report: dict
    stderr: str

    @property
    def found(self):
        return sorted((one["kind"], one["outcome"], one["object_key"]) for one in self.report["findings"])


@dataclass
class Set:
    """A running set-up and the command beside it."""

    world: object
    folder: Path

    def command(self, *arguments):
        environment = {"OSSGATE_CONFIG": str(self.folder / "ossgate.toml"), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "ossgate", *arguments],
            capture_output=True, text=True, cwd=ROOT, env=environment, check=False, timeout=100,
        )  # fmt: skip

    def reconcile(self, *arguments):
        ended = self.command("reconcile", "--json", *NO_GRACE, *arguments)
        assert ended.stdout, ended.stderr
        return Reconciled(ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stderr)

    def sql(self, statement, **values):
        engine = create_engine(f"sqlite:///{next(self.folder.rglob('*.sqlite3'))}")
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()

    def fault(self, **fault):
        answer = self.world.http.request("POST", self.world.emulator.url + "/_emulator/faults", json=fault)
        assert answer.status < 300, answer.data

    def clear_faults(self):
        self.world.http.request("DELETE", self.world.emulator.url + "/_emulator/faults")

    def drop_callbacks(self, times):
        self.fault(on="callback", action="drop", times=times)

    def client(self):
        return BucketClient(
            lambda: Credentials("test-key-id", "test-key-secret"), now=lambda: datetime.now(UTC)
        )

    def place(self):
        return define_place("demo-bucket", "cn-hangzhou", endpoint=self.world.emulator.url)

    def put(self, key, data):
        client = self.client()
        client._exchange.send("PUT", self.place(), key, seconds=5, body=data)
        client.close()

    def put_by(self, grant, key, data, *, sealed, callback=False):
        """Put an object with temporary credentials, and return what the bucket answers."""
        given = grant["credentials"]
        bucket = oss2.Bucket(
            oss2.StsAuth(given["access_key_id"], given["access_key_secret"], given["security_token"]),
            grant["endpoint"],
            grant["bucket"],
        )
        headers = {"Content-Type": "text/plain"}
        if sealed:
            headers[METADATA_NAME] = grant["headers"][METADATA_NAME]
        if callback:
            headers["x-oss-callback"] = grant["callback_param"]
        return bucket.put_object(key, data, headers=headers).resp.read()

    def delete(self, key):
        client = self.client()
        client.delete_object(self.place(), key, seconds=5)
        client.close()

    def state(self, grant):
        upload = self.world.ledger.fetch_upload(grant["upload_id"])
        return None if upload is None else upload.state

    def lose(self, grant):
        for table in ("history", "upload"):
            self.sql(f"DELETE FROM {table} WHERE upload_id = :id", id=grant["upload_id"])

    def age(self, grant, **age):
        """Set a grant's end back."""
        at = int((datetime.now(UTC) - timedelta(**age)).timestamp() * 1000)
        self.sql("UPDATE upload SET expires_at = :at WHERE upload_id = :id", at=at, id=grant["upload_id"])


@pytest.fixture
def running(make_world, tmp_path):
    """A set-up of one's own."""
    with make_world() as world:
        yield Set(world, tmp_path)


def test_dropped_callback_is_found(running):
    """203, and nobody was told: the next run records it with the profile's reply, as the callback would have."""
    running.drop_callbacks(1)
    lost, told = running.world.ask(), running.world.ask()
    assert 203 == running.world.post(lost).status
    reference = running.world.post(told).json
    ended = running.reconcile()
    confirmed = running.world.call("POST", f"/v1/uploads/{lost['upload_id']}/confirm")

    assert (0, [("untold", "settled", lost["object_key"])]) == (ended.code, ended.found)
    assert "reconcile" == running.world.ledger.fetch_upload(lost["upload_id"]).arrived_via
    assert (200, reference.keys(), "uploaded") == (
        confirmed.status, confirmed.json.keys(), confirmed.json["state"],
    )  # fmt: skip
    assert (0, []) == ((again := running.reconcile()).code, again.found)


def test_lost_row_is_rebuilt(running):
    """The ledger lost the upload with its history; the object's seal brings both back."""
    grant = running.world.ask(filename="猫.jpg", size=3)
    running.world.post(grant)
    running.lose(grant)
    ended = running.reconcile()
    upload = running.world.ledger.fetch_upload(grant["upload_id"])

    assert [("unrecorded", "settled", grant["object_key"])] == ended.found
    assert ("uploaded", "猫.jpg", 3) == (upload.state, upload.file_name, upload.size)


def test_lost_row_of_a_put_is_rebuilt(running):
    """A presigned PUT carries the seal as well."""
    grant = running.world.ask(via="put", size=3)
    running.drop_callbacks(1)
    running.world.http.request(grant["method"], grant["url"], headers=grant["headers"], body=b"abc")
    running.lose(grant)

    assert [("unrecorded", "settled", grant["object_key"])] == running.reconcile().found
    assert ("uploaded", "put") == (
        (upload := running.world.ledger.fetch_upload(grant["upload_id"])).state, upload.via,
    )  # fmt: skip


@pytest.mark.parametrize("sealed", [True, False])
def test_objects_below_a_prefix_are_uploads(running, sealed):
    """Credentials for a prefix, two files without a callback, one written again later: two uploads and one line of history."""
    grant = running.world.call("POST", "/v1/credentials", {"profile": "file"}).json
    first, second = (grant["key_prefix"] + name for name in ("a.txt", "图/b c.txt"))
    running.put_by(grant, first, b"one", sealed=sealed)
    running.put_by(grant, second, b"two", sealed=sealed)
    forged = [
        first.replace("." + grant["key_prefix"].rpartition(".")[2], "." + "A" * 22 + "/"),
        "elsewhere/" + first,
    ]
    for key in forged:
        running.put(key, b"x")
    ended = running.reconcile()
    running.put_by(grant, second, b"other", sealed=sealed)
    again = running.reconcile()

    strangers = [("stranger", "left", key) for key in forged]
    assert sorted([*strangers, *(("unrecorded", "settled", key) for key in (first, second))]) == ended.found
    assert sorted([*strangers, ("changed", "settled", second)]) == again.found
    uploads = {one.object_key: one for one in running.world.ledger.list_uploads()}
    assert {(first, "uploaded", "reconcile", 3), (second, "uploaded", "reconcile", 3)} == {
        (one.object_key, one.state, one.arrived_via, one.size) for one in uploads.values()
    }
    assert {first: "anonymous", second: "anonymous"} == {key: one.subject for key, one in uploads.items()}
    claims = [change.claim for change in running.world.ledger.fetch_history(uploads[second].upload_id)]
    assert f"replaced:{hashlib.md5(b'other').hexdigest().upper()}" in claims
    assert sorted(strangers) == running.reconcile().found


def test_callback_after_the_find_means_the_same_upload(running):
    """Whoever meets an object below a prefix first, the row is one."""
    grant = running.world.call("POST", "/v1/credentials", {"profile": "file"}).json
    key = grant["key_prefix"] + "a.txt"
    running.put_by(grant, key, b"one", sealed=False)
    running.reconcile()
    told = json.loads(running.put_by(grant, key, b"one", sealed=True, callback=True))

    assert [told["upload_id"]] == [one.upload_id for one in running.world.ledger.list_uploads()]


def test_file_of_credentials_without_a_seal_is_found(running):
    """One file, neither callback nor seal: its key was granted to nobody else."""
    grant = running.world.call(
        "POST", "/v1/credentials", {"profile": "file", "filename": "a.txt", "size": 3}
    ).json
    running.put_by(grant, grant["object_key"], b"abc", sealed=False)

    assert [("untold", "settled", grant["object_key"])] == running.reconcile().found
    assert ("uploaded", "sts") == (
        (upload := running.world.ledger.fetch_upload(grant["upload_id"])).state, upload.via,
    )  # fmt: skip


def test_strangers_replaced_and_gone_objects(running):
    """Somebody else's object is told, other bytes are history, what is gone is marked."""
    replaced, gone = running.world.ask(), running.world.ask()
    running.world.post(replaced)
    running.world.post(gone)
    running.put("odd/ +&%猫\x01", b"x")
    running.put(replaced["object_key"], b"other bytes")
    running.delete(gone["object_key"])
    ended = running.reconcile()

    assert (3, sorted([
        ("changed", "settled", replaced["object_key"]),
        ("gone", "settled", gone["object_key"]),
        ("stranger", "left", "odd/ +&%猫\x01"),
    ])) == (ended.code, ended.found)  # fmt: skip
    assert "deleted" == running.state(gone)
    claims = [change.claim for change in running.world.ledger.fetch_history(replaced["upload_id"])]
    assert any(claim.startswith("replaced:") for claim in claims)
    assert [("stranger", "left", "odd/ +&%猫\x01")] == running.reconcile().found


def test_stranger_goes_when_it_is_named(running):
    """Nothing is deleted but by its name and with --apply."""
    running.put("a stranger", b"x")
    told = running.reconcile("--delete-stranger", "a stranger")
    done = running.reconcile("--delete-stranger", "a stranger", "--apply")

    assert [("stranger", "dry_run", "a stranger")] == told.found
    assert (0, [("stranger", "settled", "a stranger")]) == (done.code, done.found)
    assert (0, []) == ((again := running.reconcile()).code, again.found)


def test_overdue_grant_expires(running):
    """A grant that nobody used ends, unless the bucket cannot be asked."""
    grant = running.world.ask()
    running.age(grant, hours=1)
    running.fault(on="request", action="status", status=503, operation="HeadObject", times=100)
    blind = running.reconcile()
    state = running.state(grant)
    running.clear_faults()
    ended = running.reconcile()

    assert (3, [("unknown", "left", grant["object_key"])], "issued") == (blind.code, blind.found, state)
    assert (0, [("overdue", "settled", grant["object_key"])], "expired") == (
        ended.code, ended.found, running.state(grant),
    )  # fmt: skip


def test_unfinished_multipart_upload_is_told_and_aborted(running):
    """An upload in parts that nobody ended is told, and aborted when that is asked for."""
    grant = running.world.ask(via="multipart", size=10 * 1024**2)
    running.world.call("POST", f"/v1/uploads/{grant['upload_id']}/parts", {"part_numbers": [1]})
    running.age(grant, hours=1)
    told = running.reconcile("--multipart-age", "0s")
    done = running.reconcile("--multipart-age", "0s", "--abort-multipart", "--apply")

    assert ("unfinished", "left", grant["object_key"]) in told.found
    assert ("unfinished", "settled", grant["object_key"]) in done.found
    assert (0, []) == ((again := running.reconcile("--multipart-age", "0s")).code, again.found)


def test_listing_of_a_while_ago(running):
    """A listing older than an upload or a deletion makes neither disappear nor come back."""
    kept, gone = running.world.ask(), running.world.ask()
    running.world.post(gone)
    running.fault(on="list", action="stale", seconds=50)
    running.world.post(kept)
    ended = running.reconcile()

    assert (0, [], "uploaded", "uploaded") == (
        ended.code, ended.found, running.state(kept), running.state(gone),
    )  # fmt: skip


def test_pages_and_quick_runs(running):
    """Without a listing: what is overdue is asked for by its name."""
    running.drop_callbacks(1)
    lost, unused, stranger = running.world.ask(), running.world.ask(), "stranger"
    running.world.post(lost)
    running.put(stranger, b"x")
    for grant in (lost, unused):
        running.age(grant, hours=1)
    ended = running.reconcile("--quick")

    assert sorted(
        [("overdue", "settled", unused["object_key"]), ("untold", "settled", lost["object_key"])]
    ) == (ended.found)


def test_reports_are_written(running):
    """JSON for machines, a page for people, lines for the terminal."""
    running.put("<script>alert(1)</script>", b"x")
    report, page = running.folder / "report.json", running.folder / "report.html"
    ended = running.command("reconcile", *NO_GRACE, "--report", str(report), "--html", str(page))

    assert (3, "stranger") == (ended.returncode, json.loads(report.read_text())["findings"][0]["kind"])
    assert "&lt;script&gt;" in page.read_text()
    assert "<script>" not in page.read_text()
    assert "1 left" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("reconcile", "--profile", "none"), 2, "no profile 'none'"),
        (("reconcile", "--grace", "soon"), 2, "no length of time"),
        (("db", "prune", "--older-than", "1d", "--state", "uploaded"), 2, "never pruned"),
    ],
)
def test_wrong_arguments_are_told(running, arguments, code, words):
    """Wrong arguments are told in a sentence."""
    ended = running.command(*arguments)

    assert (code, True) == (ended.returncode, words in ended.stderr), ended.stderr


def test_bucket_that_is_down_fails_the_run(running):
    """No listing: exit code 1, nothing changed, and the next run goes on."""
    grant = running.world.ask()
    running.age(grant, hours=1)
    running.fault(on="request", action="status", status=503, operation="ListObjectsV2", times=100)
    ended = running.command("reconcile", *NO_GRACE)
    running.clear_faults()

    assert (1, "issued", True) == (ended.returncode, running.state(grant), "503" in ended.stderr)
    assert 0 == running.reconcile().code


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_daemon_runs_until_it_is_told_to_stop(running):
    """It reports a line a run, and a signal ends it between two of them without a failure."""
    running.drop_callbacks(1)
    lost = running.world.ask()
    running.world.post(lost)
    environment = {"OSSGATE_CONFIG": str(running.folder / "ossgate.toml"), "PATH": os.environ["PATH"]}
    program = subprocess.Popen(
        [sys.executable, "-m", "ossgate", "reconcile", "--daemon", "--every", "1s", "--json", *NO_GRACE],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    try:
        first, second = (json.loads(program.stdout.readline()) for _ in range(2))
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=20)
    finally:
        program.kill()
        program.communicate()

    assert ({"untold": {"settled": 1}}, {}, 0) == (first["counts"], second["counts"], program.returncode)
    assert "uploaded" == running.state(lost)


def test_prune_deletes_what_ended(running):
    """Old rows are counted first, and deleted when that is meant."""
    grant = running.world.ask()
    running.age(grant, hours=1)
    running.reconcile()
    counted = json.loads(running.command("db", "prune", "--older-than", "0s", "--dry-run", "--json").stdout)
    done = json.loads(running.command("db", "prune", "--older-than", "0s", "--json").stdout)

    assert (1, 1) == (counted["deleted"]["upload (expired)"], done["deleted"]["upload (expired)"])
    assert running.state(grant) is None
