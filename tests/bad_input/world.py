"""An application with every contract on, beside a local OSS, and uploads in every state; what of it a refusal must leave alone."""

import contextlib
import json
import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import time_machine
import urllib3
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from ossgate import logs
from ossgate.access.keys import hash_api_key
from ossgate.app import create_app
from ossgate.emulator import Emulator, EmulatorOptions
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.ledger import CallbackFilter
from ossgate.ledger.tables import metadata
from ossgate.settings import load_settings
from signer.dialects.registry import DIALECTS

KEYS = {name: f"ossgate_{name}_of_these_tests" for name in ("shop", "rival", "operator")}
SECRETS = {
    "ticket.key": "t" * 43,
    "seal.key": "s" * 43,
    "access-key-id": "test-key-id",
    "access-key-secret": "test-key-secret",
}
# What may be told of: everybody sees an AccessKey ID in each form.
NO_SECRETS = {"access-key-id"}
TABLES = metadata.sorted_tables
PATIENCE = 10.0
LONG_AGO = timedelta(days=9)


def render_settings(port, database_url):
    """Write the demo's settings, whose profiles backends and bearers may use as well, and a profile for backends alone in every contract."""
    text = render_demo(DemoPlace(8000, port))
    text = text.replace('allow = ["anonymous"]', 'allow = ["anonymous", "api_key", "bearer"]')
    text = text.replace("/minute", "/second").replace("sqlite:///ossgate.sqlite3", database_url)
    for name, key in KEYS.items():
        text += f'\n[access.api_keys.{name}]\nhash = "{hash_api_key(key)}"\noperator = {str(name == "operator").lower()}\n'
    text += """
[profiles.closed]
allow = ["api_key"]
object_key = "closed/{upload_id}{ext}"
key_prefix = "closed/{date}/"
max_size = "1MB"
via = ["post", "put", "multipart", "sts"]
"""
    for name in DIALECTS:
        text += (
            f'[dialects.closed_{name}]\ncontract = "{name}"\npaths = ["/closed/{name}"]\nprofile = "closed"\n'
        )
    return (
        text
        + '[dialects.java]\ncontract = "appserver_v1"\npaths = ["/java"]\nvariant = "java"\nprofile = "file"\n'
    )


class World:
    """The set-up; requests are made of it without a socket."""

    def __init__(self, folder, database_url):
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700)
        self._closing = contextlib.ExitStack()
        self.data = folder / "bucket"
        options = EmulatorOptions(
            data_dir=self.data, port=0, bucket="demo-bucket", region="cn-hangzhou",
            access_key_id=SECRETS["access-key-id"], access_key_secret=SECRETS["access-key-secret"],
        )  # fmt: skip
        emulator = self._closing.enter_context(Emulator(options))
        for name, content in (SECRETS | {"emulator-callback.pem": emulator.public_key_pem}).items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        path = folder / "ossgate.toml"
        path.write_text(render_settings(int(emulator.url.rpartition(":")[2]), database_url), encoding="utf-8")
        self.app = create_app(load_settings(path, environ={}))
        services = self.app.extensions["signer"]
        self.ledger = services.ledger
        self.ledger.upgrade()
        self._closing.callback(self.ledger.close)
        self._closing.callback(services.bucket.close)
        self._engine = create_engine(database_url, poolclass=NullPool)
        self._reading = self._closing.enter_context(self._engine.connect())
        self.http = self._closing.enter_context(urllib3.PoolManager(retries=False))
        self.client = self.app.test_client()
        self.lines = []
        self.secrets = set(KEYS.values()) | {v for name, v in SECRETS.items() if name not in NO_SECRETS}
        self.names = self._make_uploads()

    def close(self):
        self._closing.close()

    def call(self, method, path, body=None, *, who="", headers=None):
        """Send a request; its lines in the log are in `lines` afterwards."""
        sent = dict(headers or {})
        if who:
            sent["Authorization"] = f"Bearer {KEYS.get(who, who)}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        self.lines.clear()
        return self.client.open(
            path, method=method, data=data, headers=sent, environ_overrides={"RAW_URI": path}
        )

    @contextlib.contextmanager
    def listening(self):
        """Keep the lines of the log."""
        usual, logs._lines = logs._lines, self
        try:
            yield
        finally:
            logs._lines = usual

    def add(self, line):
        self.lines.append(line)

    def write_all(self):
        pass

    def copy(self):
        """Copy what a refusal must leave alone: every row of every table, quotas among them, and what is begun or stored in the bucket."""
        with self._reading.begin():
            read = {table.name: self._reading.execute(select(table)).all() for table in TABLES}
        # An account that was looked into and never charged is as good as none.
        read["quota"] = [row for row in read["quota"] if row.pending_uploads or row.bytes]
        rows = {name: sorted(map(str, found)) for name, found in read.items()}
        return rows, sorted(str(path) for path in self.data.rglob("*") if path.is_file())

    def wait_for_refusals(self, count):
        """Wait until so many refused callbacks are kept, which nobody waits for otherwise; return how many there are."""
        deadline = time.monotonic() + PATIENCE
        while (
            found := self.ledger.inbox.count_callbacks(CallbackFilter())
        ) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return found

    def _make_uploads(self):
        """Make uploads of the backend `shop` in each state, and one that Uppy began."""
        ask = {"profile": "file", "filename": "a.bin", "subject": "alice"}
        parts = ask | {"via": "multipart", "size": 3}
        names = {"open": self._ask(parts | {"size": 10 * 1024**2}), "form": self._ask(ask)}
        names["finished"] = self._ask(parts)
        signed = self.call(
            "POST", f"/v1/uploads/{names['finished']}/parts", {"part_numbers": [1]}, who="shop"
        ).json["parts"][0]
        self._remember(signed["url"])
        assert 200 == self.http.request("PUT", signed["url"], body=b"abc").status
        assert 200 == self.call("POST", f"/v1/uploads/{names['finished']}/complete", who="shop").status_code
        names["aborted"] = self._ask(parts)
        assert 200 == self.call("DELETE", f"/v1/uploads/{names['aborted']}", who="shop").status_code
        with time_machine.travel(datetime.now(UTC) - LONG_AGO):
            names["expired"] = self._ask(parts)
            names["old_grant"] = self._hold(self.call("GET", "/sts").json)
        begun = self.call("POST", "/s3/multipart", {"filename": "b.bin"}).json
        names |= {"uppy": begun["uploadId"], "uppy_key": quote(begun["key"], safe="")}
        names["grant"] = self._hold(self.call("GET", "/sts").json)
        bearer = self.call("POST", "/v1/bearers", {"profile": "file", "subject": "bob"}, who="shop").json[
            "token"
        ]
        self._remember(bearer)
        return names | {"bearer": bearer}

    def _ask(self, wanted):
        grant = self.call("POST", "/v1/uploads", wanted, who="shop").json
        for name in ("policy", "callback", "x-oss-signature", "x-oss-meta-ossgate-seal"):
            self._remember(grant.get("fields", {}).get(name, ""))
        return grant["upload_id"]

    def _hold(self, credentials):
        self._remember(credentials["AccessKeySecret"], credentials["SecurityToken"], credentials["grant"])
        return credentials["grant"]

    def _remember(self, *secrets):
        self.secrets |= {secret for secret in secrets if secret}

    def find_told(self):
        """Return the secrets that stand in the log."""
        written = b"".join(self.lines).decode()
        return {secret for secret in self.secrets if secret in written}

    def read_refusal(self):
        """Return status and code of the one refusal that the log tells of."""
        (told,) = self._list_refusals()
        return told["status"], told["code"]

    def tells_of_refusal(self):
        return bool(self._list_refusals())

    def _list_refusals(self):
        return [line for line in map(json.loads, self.lines) if line["event"] == "refused"]

    def fill(self, path):
        """Put ids, keys and tokens in their places."""
        return re.sub(r"<(\w+)>", lambda place: self.names[place[1]], path)
