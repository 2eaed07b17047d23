"""A whole set-up with a proxy on each way between its parts: clients, server, OSS, database, webhook receiver."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
import urllib3
from werkzeug.serving import make_server

from callback.arrived import Arrivals
from ossgate.access.keys import hash_api_key
from ossgate.app import create_app
from ossgate.assembly import assemble
from ossgate.bucket import BucketClient
from ossgate.emulator import Emulator, EmulatorOptions
from ossgate.ledger import Ledger
from ossgate.reconcile import Options, Reconciler
from ossgate.serving import build_gunicorn_command
from ossgate.settings import load_settings
from signer.credentials import Credentials
from signer.places import define_place
from signer.seal import SealKeys
from signer.upload_ids import new_upload_id
from tests.faults.proxy import Proxy, find_port
from tests.faults.receiver import Receiver

ROOT = Path(__file__).parents[2]
BUCKET = "demo-bucket"
CREDENTIALS = {"access_key_id": "test-key-id", "access_key_secret": "test-key-secret"}
SEAL_KEY = "s" * 43
API_KEY = "ossgate_test"
ALICE = {"Authorization": f"Bearer {API_KEY}"}
SETTINGS = """
allow_insecure = ["emulator_endpoint", "http_callback", "http_webhook"]
[server]
host = "127.0.0.1"
port = {server_port}
[oss]
region = "cn-hangzhou"
bucket = "demo-bucket"
endpoint = "{bucket.url}"
host = "{emulator.bucket_url}"
access_key_id = "file:secrets/access-key-id"
access_key_secret = "file:secrets/access-key-secret"
[callback]
url = ["{callbacks.url}/callback"]
[callback.public_keys]
"{emulator.public_key_url}" = "file:secrets/emulator-callback.pem"
[keys]
ticket = ["file:secrets/ticket.key"]
seal = ["file:secrets/seal.key"]
[database]
url = "{database_url}"
[limits]
issue = ""
confirm = ""
[access.api_keys.shop]
hash = "{api_key_hash}"
[profiles.photo]
allow = ["anonymous", "api_key"]
object_key = "photos/{{upload_id}}{{ext}}"
content_types = ["image/jpeg"]
max_size = "1MB"
[profiles.photo.quota]
pending_uploads = 10000
bytes = "100GB"
period = "day"
[profiles.photo.reply]
Status = "OK"
upload_id = "{{upload_id}}"
state = "{{state}}"
size = "{{size}}"
etag = "{{etag}}"
[delivery]
in_server = {in_server}
[[delivery.webhooks]]
name = "app"
url = "{hooks.url}/hook"
secret = "file:secrets/webhook.key"
allow_private = true
timeout = 1
concurrency = 4
"""


class Answer:
    """What a client got."""

    def __init__(self, response):
        self.status, self.body = response.status, response.data

    @property
    def json(self):
        return json.loads(self.body)


class World:
    """Everything that runs, and what a test does with it.

    Attributes:
        acknowledged: What clients were told has arrived: by upload, the reply.
        answers: The emulator's events of callbacks, each with what it came to and how long it took.
    """

    def __init__(
        self, folder, database, *, callback_key, tally, callback_timeout=5.0, in_server=False, skew=0
    ):
        self.folder, self.database, self.tally = folder, database, tally
        self.acknowledged, self.events = {}, []
        self.noted = {}
        self.kills = 0
        self.strangers = 0
        self.was_restored = False
        self._http_stack = contextlib.ExitStack()
        self.skew = timedelta(seconds=skew)
        self.emulator = Emulator(
            EmulatorOptions(
                data_dir=folder / "emulator",
                bucket=BUCKET,
                callback_private_key=callback_key,
                callback_timeout=callback_timeout,
                on_event=self.events.append,
                now=lambda: datetime.now(UTC) + self.skew,
                **CREDENTIALS,
            )
        )
        self.emulator.start()
        self.receiver = Receiver()
        self.server_port = find_port()
        self.callbacks = Proxy(self.server_port)
        self.clients = Proxy(self.server_port)
        self.bucket = Proxy(int(self.emulator.url.rpartition(":")[2]))
        self.hooks = Proxy(self.receiver.port)
        self.proxies = [self.callbacks, self.clients, self.bucket, self.hooks]
        self.to_database = None
        if database.proxied:
            self.to_database = Proxy(database.port, database.host)
            self.proxies.append(self.to_database)
        self.http = urllib3.PoolManager(retries=False, maxsize=32, timeout=urllib3.Timeout(30))
        self.app = None
        self.gunicorn = None
        self._write_settings(in_server)

    # Ways of the server

    def start(self):
        """Start the application in this process."""
        self.app = create_app(load_settings(self.config, environ={}))
        self._server = make_server("127.0.0.1", self.server_port, self.app, threaded=True)
        self._server.daemon_threads = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self):
        """Stop it, and let what is under way end."""
        if self.app is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self.app.extensions["signer"].bucket.close()
            self.ledger.close()
            self.app = None
        self.http.clear()

    def restart(self):
        self.stop()
        self.start()

    def start_gunicorn(self, *, workers=1, threads=8):
        """Start the application as it is run in earnest."""
        command = build_gunicorn_command("127.0.0.1", self.server_port, workers=workers, threads=threads)
        self._log = (self.folder / "gunicorn.log").open("ab")
        self.gunicorn = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log
        )
        self.wait_until_ready()
        return self

    def stop_gunicorn(self):
        if self.gunicorn is not None:
            for worker in self.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            self.gunicorn.kill()
            self.gunicorn.wait()
            self._log.close()
            self.gunicorn = None

    def workers(self):
        """Name the worker processes."""
        path = Path(f"/proc/{self.gunicorn.pid}/task/{self.gunicorn.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def kill(self, pid):
        """Kill a process, as nobody can prevent."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def kill_workers(self):
        for pid in self.workers():
            self.kill(pid)

    def wait_until_ready(self, seconds=40):
        """Wait until the server answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                url = f"http://127.0.0.1:{self.server_port}/healthz"
                if self.http.request("GET", url, timeout=2).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            assert time.monotonic() < end, (self.folder / "gunicorn.log").read_text()[-3000:]
            time.sleep(0.05)

    @property
    def ledger(self):
        return self.app.extensions["signer"].ledger

    @property
    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "OSSGATE_CONFIG": str(self.config), "PYTHONUNBUFFERED": "1"}

    def command(self, *arguments):
        """Run a command of ossgate to its end."""
        return subprocess.run(
            [sys.executable, "-m", "ossgate", *arguments],
            capture_output=True, text=True, cwd=ROOT, env=self.environment, check=False, timeout=100,
        )  # fmt: skip

    def start_command(self, *arguments):
        """Start a command of ossgate that a test will kill."""
        return subprocess.Popen(
            [sys.executable, "-m", "ossgate", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=self.environment,
        )  # fmt: skip

    # What clients do

    def call(self, method, path, data=None, headers=ALICE):
        body = None if data is None else json.dumps(data).encode()
        return Answer(self.http.request(method, self.clients.url + path, body=body, headers=headers))

    def ask(self, **wanted):
        """Ask for a grant."""
        given = {"profile": "photo", "filename": "a.jpg", "subject": "alice"} | wanted
        headers = ALICE if given["subject"] else {}
        if not given["subject"]:
            del given["subject"]
        answer = self.call("POST", "/v1/uploads", given, headers=headers)
        assert answer.status == 201, answer.body
        return answer.json

    def post(self, grant, data=b"abc", *, fault=None):
        """Post a form, as a browser does; what a 200 says is remembered."""
        body, content_type = urllib3.encode_multipart_formdata(
            [*grant["fields"].items(), ("file", ("a.jpg", data, "image/jpeg"))]
        )
        headers = {"Content-Type": content_type} | ({"x-ossgate-fault": fault} if fault else {})
        answer = Answer(self.http.request("POST", grant["url"], body=body, headers=headers))
        if answer.status == 200:
            self.acknowledge(answer.json)
        return answer

    def post_all(self, grants, **options):
        """Post at once, and return the answers in their order."""
        answers = [None] * len(grants)

        def post(number):
            answers[number] = self.post(grants[number], b"abc" * (number + 1), **options)

        threads = [threading.Thread(target=post, args=(number,)) for number in range(len(grants))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def confirm(self, grant):
        answer = self.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")
        if answer.status == 200:
            self.acknowledge(answer.json)
        return answer

    def acknowledge(self, reply):
        assert reply["Status"] == "OK", reply
        self.acknowledged[reply["upload_id"]] = reply

    def upload(self, **options):
        """Upload a file, to its end."""
        grant = self.ask(**options)
        answer = self.post(grant)
        assert answer.status == 200, answer.body
        return grant

    # What is broken

    def fault(self, short=None, **fault):
        answer = self.http.request("POST", self.emulator.url + "/_emulator/faults", json=short or fault)
        assert answer.status == 200, answer.data

    def pin_rotated_key(self, where):
        """Trust the key that the emulator has rotated to, as an operator does: under a URL of its own, or in the old one's place."""
        url = self.emulator.url + "/_emulator/callback-2.pem"
        pem = self.folder / "secrets" / ("emulator-callback.pem" if where == "same" else "rotated.pem")
        pem.touch(mode=0o600)
        pem.write_bytes(self.http.request("GET", url).data)
        if where == "other":
            head, mark, rest = self.config.read_text().partition("[callback.public_keys]\n")
            self.config.write_text(f'{head}{mark}"{url}" = "file:secrets/rotated.pem"\n{rest}')

    def put(self, key, data):
        """Write an object as somebody else does."""
        with self._bucket_client() as client:
            client._exchange.send("PUT", self.place, key, seconds=5, body=data)

    def copy(self, source, target):
        """Copy an object with its metadata, as somebody else does."""
        with self._bucket_client() as client:
            client._exchange.send(
                "PUT", self.place, target, seconds=5,
                headers={"x-oss-copy-source": f"/{BUCKET}/{source}"},
            )  # fmt: skip

    def delete(self, key):
        with self._bucket_client() as client:
            client.delete_object(self.place, key, seconds=5)

    def state(self, grant):
        rows = [row for row in self.database.rows("upload") if row["upload_id"] == grant["upload_id"]]
        return rows[0]["state"] if rows else None

    def claims(self, grant):
        rows = [row for row in self.database.rows("history") if row["upload_id"] == grant["upload_id"]]
        return {row["claim"] for row in rows}

    def find_events(self, name):
        return [event for event in self.events if event["event"] == name]

    @property
    def answers(self):
        return self.find_events("callback")

    def wait_for(self, holds, seconds=20):
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end
            time.sleep(0.02)
        return found

    # When all is up again

    def mend(self):
        """Have everything up again."""
        self.http.request("DELETE", self.emulator.url + "/_emulator/faults")
        for proxy in self.proxies:
            proxy.mend()
            proxy.open()
        self.receiver.mend()
        self.note_history()

    def note_history(self):
        """Remember what stands in the history: none of it may change."""
        for row in self.database.rows("history"):
            self.noted[row["upload_id"], row["claim"]] = row

    @contextlib.contextmanager
    def parts(self):
        """Take the settings apart for a reconciler or a deliverer beside the server."""
        parts = assemble(load_settings(self.config, environ={}))
        bucket = BucketClient(parts.credentials, now=lambda: datetime.now(UTC))
        try:
            yield parts, bucket
        finally:
            bucket.close()
            parts.ledger.close()

    def build_reconciler(self, parts, bucket, **options):
        arrivals = Arrivals(
            ledger=parts.ledger, bucket=bucket, profiles=parts.profiles, link_seconds=60,
            now=lambda: datetime.now(UTC), log=lambda event, **facts: None,
        )  # fmt: skip
        taken = {
            name: getattr(parts, name)
            for name in ("ledger", "seal_keys", "prefix_keys")
            if name in Reconciler.__dataclass_fields__
        }
        return Reconciler(
            arrivals=arrivals, places={BUCKET: parts.profiles["photo"].profile.place},
            options=Options(rate=0, **options), owner=os.urandom(4).hex(),
            new_run_id=new_upload_id, now=lambda: datetime.now(UTC), **taken,
        )  # fmt: skip

    def reconcile(self, **options):
        """Reconcile once, and tell what was found: (kind, outcome)."""
        with self.parts() as (parts, bucket):
            return self._reconcile(parts, bucket, **options)

    def _reconcile(self, parts, bucket, **options):
        run = self.build_reconciler(parts, bucket, **options).run()
        found = parts.ledger.runs.list_findings(run.run_id)
        return sorted((str(one.kind), str(one.outcome)) for _, one in found)

    def deliver(self, *, until_nothing_waits=True):
        """Deliver what is due, and as time goes by what is due later."""
        with self.parts() as (parts, _):
            self._deliver(parts, until_nothing_waits)

    def _deliver(self, parts, until_nothing_waits=True):
        shift = timedelta()

        def now():
            return datetime.now(UTC) + shift

        for _ in range(30):
            deliverer = parts.delivery.build_deliverer(
                parts.ledger.outbox, now, log=lambda event, **facts: None
            )
            deliverer.run(until_empty=True)
            waiting = [row for row in self.database.rows("delivery") if row["state"] == "pending"]
            if not waiting or not until_nothing_waits:
                return
            due = max(row["next_at"] for row in waiting)
            shift = max(shift, datetime.fromtimestamp(due / 1000, UTC) - datetime.now(UTC))
            shift += timedelta(minutes=2)
        raise AssertionError(f"still waiting: {waiting}")

    def settle(self, *, after=timedelta(days=2)):
        """Some days later, all is up: reconcile until there is nothing to settle, and deliver."""
        self.mend()
        with time_machine.travel(datetime.now(UTC) + after, tick=True), self.parts() as (parts, bucket):
            found = self._reconcile(parts, bucket)
            again = self._reconcile(parts, bucket)
            assert not [one for one in again if one[1] == "settled"], again
            self._deliver(parts)
        return found

    # What is looked at

    def list_objects(self):
        """Ask the bucket itself, past every proxy: the HEAD of each object by its key."""
        heads, after = {}, ""
        with self._bucket_client() as client:
            while after is not None:
                page = client.listing.list_objects(self.place, prefix="", start_after=after, seconds=20)
                for one in page.objects:
                    heads[one.object_key] = client.head_object(self.place, one.object_key, seconds=5)
                after = None if page.following is None else page.objects[-1].object_key
        return heads

    @property
    def place(self):
        return define_place(BUCKET, "cn-hangzhou", endpoint=self.emulator.url)

    @property
    def seal_keys(self):
        return SealKeys([SEAL_KEY.encode()])

    @contextlib.contextmanager
    def _bucket_client(self):
        # With the emulator's clock, so that a test of clocks can still look.
        client = BucketClient(
            lambda: Credentials(*CREDENTIALS.values()), now=lambda: datetime.now(UTC) + self.skew
        )
        try:
            yield client
        finally:
            client.close()

    def open_ledger(self):
        return Ledger(self.database.url)

    def close(self):
        for proxy in self.proxies:
            proxy.mend()
        self.stop_gunicorn()
        self.stop()
        self.http.clear()
        for proxy in self.proxies:
            proxy.close()
        self.receiver.close()
        self.emulator.stop()

    def _write_settings(self, in_server):
        secrets = self.folder / "secrets"
        secrets.mkdir(mode=0o700)
        for name, content in {
            "ticket.key": "t" * 43,
            "seal.key": SEAL_KEY,
            "access-key-id": CREDENTIALS["access_key_id"],
            "access-key-secret": CREDENTIALS["access_key_secret"],
            "emulator-callback.pem": self.emulator.public_key_pem,
            "webhook.key": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        }.items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        self.config = self.folder / "ossgate.toml"
        self.config.write_text(
            SETTINGS.format(
                server_port=self.server_port, bucket=self.bucket, emulator=self.emulator,
                callbacks=self.callbacks, hooks=self.hooks, api_key_hash=hash_api_key(API_KEY),
                database_url=self.database.url_by(self.to_database),
                in_server="true" if in_server else "false",
            )
        )  # fmt: skip
