"""What Prometheus is told, and whom it is told to."""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
from flask import Flask
from flask.testing import FlaskClient

from ossgate.bucket import BucketUnavailable
from ossgate.ledger import LedgerBusy
from ossgate.metrics.views import is_from_this_machine
from ossgate.serving import find_bind_problem, find_free_port, find_gunicorn_config

OPERATOR = {"Authorization": "Bearer ossgate_operator"}
ROOT = Path(__file__).resolve().parents[2]


def read(client: FlaskClient, **options: Any) -> dict[str, float]:
    """Read every series but the times at which they were made."""
    response = client.get("/metrics", **options)
    assert response.status_code == 200, response.text
    return parse(response.text)


def parse(text: str) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines if "_created" not in name}


def test_grants_and_refusals_are_counted(client: FlaskClient) -> None:
    """Each grant counts for its profile, each error for its code."""
    for name in ("a.jpg", "b.jpg", "c.exe"):
        client.post("/v1/uploads", json={"profile": "photo", "filename": name})
    client.get("/v1/nosuch/" + "x" * 30)
    numbers = read(client)

    assert numbers['ossgate_grants_issued_total{profile="photo"}'] == 2
    assert numbers['ossgate_grants_issued_total{profile="file"}'] == 0
    assert numbers['ossgate_refusals_total{code="content_type_not_allowed"}'] == 1
    assert numbers['ossgate_refusals_total{code="not_found"}'] == 1


def test_callbacks_are_counted_by_outcome_and_layer(app: Flask, client: FlaskClient) -> None:
    """A refused callback counts at the layer that refused it, one that the ledger could not take as such."""
    client.post("/callback", data=b"{}")
    receiver = app.extensions["callback"].receiver

    class Failing:
        def __init__(self, error: Exception) -> None:
            self.arrivals, self._error = receiver.arrivals, error

        def receive(self, request: object, deadline: object) -> bytes:
            raise self._error

    for error in (LedgerBusy("full"), RuntimeError("boom")):
        object.__setattr__(app.extensions["callback"], "receiver", Failing(error))
        client.post("/callback", data=b"{}")
    numbers = read(client)

    assert {name: value for name, value in numbers.items() if name.startswith("ossgate_callbacks")} == {
        'ossgate_callbacks_total{layer="signature",outcome="refused"}': 1,
        'ossgate_callbacks_total{layer="ledger",outcome="unavailable"}': 1,
        'ossgate_callbacks_total{layer="",outcome="crashed"}': 1,
    }
    assert numbers["ossgate_callback_seconds_count"] == 3


def test_heads_are_timed_and_their_failures_counted(app: Flask, client: FlaskClient) -> None:
    """A bucket that does not answer shows."""
    services = app.extensions["signer"]
    with pytest.raises(BucketUnavailable):
        services.bucket.head_object(services.profiles["photo"].place, "k", seconds=1)
    numbers = read(client)

    assert (numbers["ossgate_bucket_head_failures_total"], numbers["ossgate_bucket_head_seconds_count"]) == (
        1,
        1,
    )


def test_the_ledgers_queue_is_told(app: Flask, client: FlaskClient) -> None:
    """What waits for the ledger, and what it dropped, is read when it is asked for; drops count once."""
    app.extensions["signer"].ledger._writer.dropped = 3
    first, again = read(client), read(client)

    assert (first["ossgate_ledger_waiting"], first["ossgate_ledger_dropped_total"]) == (0, 3)
    assert again["ossgate_ledger_dropped_total"] == 3


def test_nothing_that_a_client_sends_makes_a_series_or_shows(client: FlaskClient) -> None:
    """Names of unknown profiles, paths and ids are in no label."""
    read(client)
    for number in range(30):
        client.post("/v1/uploads", json={"profile": f"p{number}", "filename": "a"})
        client.get(f"/v1/uploads/x{number}")
        client.open(f"/x{number}", method="PROPFIND")
        client.post(f"/callback/{number}", data=b"x" * number)
    numbers = read(client)

    labels = {label for name in numbers for label in re.findall(r'"([^"]*)"', name)}
    assert not {label for label in labels if re.search(r"\d", label) and not re.fullmatch(r"[\d.]+", label)}
    assert len(numbers) < 60


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}, True),
        ({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}, True),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "localhost"}, False),
        ({"REMOTE_ADDR": "", "HTTP_HOST": "localhost"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "rebound.example"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "[::1"}, False),
        ({"REMOTE_ADDR": "127.0.0.1"}, False),
        (
            {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": "192.0.2.1"},
            False,
        ),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "HTTP_VIA": "1.1 proxy"}, False),
    ],
)
def test_loopback_is_this_machine_and_no_proxy_on_it(environ: dict[str, str], expected: bool) -> None:
    """What a proxy hands on, and what a page of a rebound name asks for, does not come from here."""
    assert is_from_this_machine(environ) is expected


@pytest.mark.parametrize(
    ("reach", "headers", "address", "status"),
    [
        ("loopback", {}, "127.0.0.1", 200),
        ("loopback", {}, "192.0.2.1", 401),
        ("loopback", OPERATOR, "192.0.2.1", 200),
        ("loopback", {"Authorization": "Bearer ossgate_backend"}, "192.0.2.1", 403),
        ("operator", {}, "127.0.0.1", 401),
        ("operator", OPERATOR, "127.0.0.1", 200),
        ("off", OPERATOR, "127.0.0.1", 404),
    ],
)
def test_metrics_are_shown_to_whom_the_setting_says(
    make_app: Callable[..., Flask], reach: str, headers: dict[str, str], address: str, status: int
) -> None:
    """This machine, operators, or nobody."""
    app = make_app(lambda text: text.replace("[server]\n", f'[server]\nmetrics = "{reach}"\n'))
    client = app.test_client()
    client.post("/v1/uploads", json={"profile": "photo", "filename": "a.jpg"})

    response = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})

    assert response.status_code == status


def test_library_is_loaded_when_something_is_counted(tmp_path: Path) -> None:
    """To build an application costs neither the library's time nor its memory."""
    source = "import sys, ossgate.app; print('prometheus_client' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"


def test_workers_add_up_and_leave_nothing_behind(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    """With two workers any of them tells the sum, and the folder that they share goes with the server."""
    make_app()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    port = find_free_port("127.0.0.1")
    environment = {**os.environ, "OSSGATE_CONFIG": str(tmp_path / "ossgate.toml"), "TMPDIR": str(temporary)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    server = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "--config", str(find_gunicorn_config()), "--bind", f"127.0.0.1:{port}",
            "--workers", "2", "--threads", "2", "ossgate.app:create_app()",
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while not find_bind_problem("127.0.0.1", port):
            assert time.monotonic() < end
            assert server.poll() is None
            time.sleep(0.05)
        url = f"http://127.0.0.1:{port}"
        for _ in range(40):
            # A new connection each, so that both workers get some.
            with urllib3.PoolManager(retries=False) as http:
                http.request("POST", f"{url}/v1/uploads", json={"profile": "photo", "filename": "a.jpg"})
        with urllib3.PoolManager(retries=False) as http:
            numbers = parse(http.request("GET", f"{url}/metrics").data.decode())
        assert list(temporary.glob("ossgate-metrics-*/counter_*.db"))
    finally:
        server.send_signal(signal.SIGTERM)
        log, words = server.communicate(timeout=20)

    assert numbers['ossgate_grants_issued_total{profile="photo"}'] == 40
    assert list(temporary.glob("ossgate-metrics-*")) == []
    assert b"Traceback" not in words
    # Lines that waited for others when the signal came are written, too, and none is torn.
    assert [json.loads(line)["event"] for line in log.splitlines()].count("issued") == 40


def load_gunicorn_config(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> dict[str, Any]:
    """Load the hooks as gunicorn does, with or without a folder of one's own."""
    if folder is None:
        # Set first, so that what the hooks set is undone as well.
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    else:
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    return runpy.run_path(str(find_gunicorn_config()))


def test_a_folder_of_ones_own_is_emptied_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Numbers of an earlier run are not added to this one's; other files, and the folder, stay."""
    (tmp_path / "counter_12.db").touch()
    (tmp_path / "mine.txt").touch()
    hooks = load_gunicorn_config(monkeypatch, tmp_path)
    server = SimpleNamespace(cfg=SimpleNamespace(workers=2))
    hooks["on_starting"](server)
    hooks["on_exit"](server)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_one_worker_shares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single process keeps its numbers in memory, which is cheaper."""
    hooks = load_gunicorn_config(monkeypatch, None)
    hooks["on_starting"](SimpleNamespace(cfg=SimpleNamespace(workers=1)))

    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == ""
