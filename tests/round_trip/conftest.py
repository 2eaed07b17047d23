"""The real application on a real port beside a real emulator, and a client that posts forms as a browser does."""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from werkzeug.serving import make_server

from ossgate.app import create_app
from ossgate.emulator import Emulator, EmulatorOptions
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.ledger import Ledger
from ossgate.serving import find_free_port
from ossgate.settings import load_settings

CREDENTIALS = {"access_key_id": "test-key-id", "access_key_secret": "test-key-secret"}


@dataclass
class Answer:
    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]["code"]


@dataclass
class World:
    """A running set-up, and the client's side of it."""

    url: str
    emulator: Emulator
    ledger: Ledger
    http: urllib3.PoolManager
    events: list

    def call(self, method, path, data=None, **headers):
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        response = self.http.request(
            method,
            self.url + path,
            body=body,
            headers={name.replace("_", "-"): v for name, v in headers.items()},
        )
        return Answer(response.status, response.headers, response.data)

    def ask(self, **wanted):
        """Ask for a grant."""
        answer = self.call("POST", "/v1/uploads", {"profile": "photo", "filename": "a.jpg"} | wanted)
        assert answer.status == 201, answer.body
        return answer.json

    def post(self, grant, data=b"abc", *, fields=None, part_type="image/jpeg", filename="a.jpg"):
        """Post a form: the grant's fields in order, or others, and the file last."""
        pairs = (
            list((grant["fields"] if fields is None else fields).items())
            if not isinstance(fields, list)
            else fields
        )
        body, content_type = urllib3.encode_multipart_formdata(
            [*pairs, ("file", (filename, data, part_type))]
        )
        response = self.http.request("POST", grant["url"], body=body, headers={"Content-Type": content_type})
        return Answer(response.status, response.headers, response.data)

    def fetch(self, url):
        response = self.http.request("GET", url)
        return Answer(response.status, response.headers, response.data)


@contextmanager
def run_world(folder: Path, *, change=lambda text: text, emulator_options=None):
    """Run an emulator and the application until the block ends."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    events = []
    options = EmulatorOptions(
        data_dir=folder / "emulator",
        bucket="demo-bucket",
        on_event=events.append,
        **CREDENTIALS,
        **(emulator_options or {}),
    )
    with Emulator(options) as emulator:
        place = DemoPlace(
            port=find_free_port("127.0.0.1"), emulator_port=int(emulator.url.rpartition(":")[2])
        )
        for name, content in {
            "ticket.key": "t" * 43,
            "seal.key": "s" * 43,
            "access-key-id": CREDENTIALS["access_key_id"],
            "access-key-secret": CREDENTIALS["access_key_secret"],
            "emulator-callback.pem": emulator.public_key_pem,
        }.items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        settings = folder / "ossgate.toml"
        settings.write_text(change(render_demo(place)), encoding="utf-8")
        app = create_app(load_settings(settings, environ={}))
        ledger = app.extensions["signer"].ledger
        ledger.upgrade()
        server = make_server("127.0.0.1", place.port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        http = urllib3.PoolManager(retries=False, maxsize=16)
        try:
            yield World(f"http://127.0.0.1:{place.port}", emulator, ledger, http, events)
        finally:
            http.clear()
            server.shutdown()
            thread.join()
            server.server_close()
            app.extensions["signer"].bucket.close()
            ledger.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """One set-up for all tests that leave it as it was."""
    with run_world(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
def make_world(tmp_path):
    """A set-up of one's own."""
    return lambda **arguments: run_world(tmp_path, **arguments)


@pytest.fixture(scope="session")
def world_runner():
    """Start set-ups with a scope of one's own."""
    return run_world
