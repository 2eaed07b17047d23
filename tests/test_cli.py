"""The command `ossgate`: what it says, what it leaves behind, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from click.testing import CliRunner

from ossgate.cli import FAILED, WRONG, main
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.ledger import Ledger
from ossgate.serving import find_free_port

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "ossgate"]
PATIENCE = 30.0


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder, and return its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSSGATE_CONFIG", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", "a-secret")
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_lifecycle_prints_the_rules_of_a_bucket(run, tmp_path):
    """As XML that the bucket takes, and as JSON; what no rule finds is told beside it."""
    assert run("init").exit_code == 0
    settings = tmp_path / "ossgate.toml"
    text = settings.read_text(encoding="utf-8")
    none = run("lifecycle", "--json")
    settings.write_text(text.replace("# keep_days = 30 ", "keep_days = 30 ", 1), encoding="utf-8")
    printed, as_json = run("lifecycle"), run("lifecycle", "--json")

    assert (0, []) == (none.exit_code, json.loads(none.stdout))
    assert (0, True) == (printed.exit_code, "<Prefix>photos/</Prefix>" in printed.stdout)
    (plan,) = json.loads(as_json.stdout)
    assert ([{"id": "ossgate-30-days-photos/", "prefix": "photos/", "days": 30}], []) == (
        plan["rules"], plan["unreached"],
    )  # fmt: skip


class RunningDemo:
    """`ossgate demo` as a process of its own, and what it prints."""

    def __init__(self, folder, port, emulator_port):
        self.folder, self.port, self.emulator_port = folder, port, emulator_port
        self.log = folder.with_name(folder.name + ".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *COMMAND,
                    "demo",
                    f"--port={port}",
                    f"--emulator-port={emulator_port}",
                    f"--data-dir={folder}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            )

    @property
    def printed(self):
        return self.log.read_text(encoding="utf-8")

    def wait_until(self, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.printed
            time.sleep(0.05)

    def wait_until_ready(self):
        self.wait_until(lambda: "Ctrl-C" in self.printed or self.process.poll() is not None)
        assert self.process.poll() is None, self.printed
        return self

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def is_listening(self):
        return is_listening(self.port) or is_listening(self.emulator_port)


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def start_demo(tmp_path):
    """Start demos on free ports, and end them with the test."""
    started = []

    def start(folder=tmp_path / "demo", port=None, emulator_port=None):
        free = find_free_port("127.0.0.1")
        demo = RunningDemo(folder, port or free, emulator_port or find_free_port("127.0.0.1"))
        started.append(demo)
        return demo

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.stop(signal.SIGTERM)


def upload(demo):
    """Take a small file from grant to callback as a form does, and return its upload id."""
    with urllib3.PoolManager(retries=False) as http:
        base = f"http://127.0.0.1:{demo.port}"
        wanted = {"profile": "file", "filename": "hello.txt", "content_type": "text/plain"}
        grant = http.request("POST", f"{base}/v1/uploads", json=wanted).json()
        fields = [*grant["fields"].items(), ("file", ("hello.txt", b"hello", "text/plain"))]
        posted = http.request("POST", grant["url"], fields=fields)
        assert posted.status == 200, posted.data
        return grant["upload_id"]


def fetch_state(demo, upload_id):
    with urllib3.PoolManager(retries=False) as http:
        return http.request("GET", f"http://127.0.0.1:{demo.port}/v1/uploads/{upload_id}").json()["state"]


@contextmanager
def taken_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_help_names_every_command(run):
    """Help lists the commands, the emulator's among them."""
    shown = run("--help").output

    for name in ("db", "demo", "emulator", "init", "keys", "serve"):
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)


def test_init_writes_settings_and_keys_that_serve_takes(run, tmp_path):
    """What init leaves is enough for the other commands, and its keys are their owner's alone."""
    done = run("init")

    assert done.exit_code == 0, done.output
    for name in ("ticket.key", "seal.key"):
        assert (tmp_path / "secrets" / name).stat().st_mode & 0o777 == 0o600
    assert run("db", "upgrade").exit_code == 0


def test_init_overwrites_only_when_forced_and_never_keys(run, tmp_path):
    """A settings file that is there is kept; --force replaces it, and the keys stay what they were."""
    run("init")
    (tmp_path / "ossgate.toml").write_text("# mine\n")
    before = (tmp_path / "secrets" / "ticket.key").read_text()

    refused = run("init")

    assert refused.exit_code == WRONG
    assert refused.output == "ossgate: ossgate.toml is there already; --force overwrites it.\n"
    assert (tmp_path / "ossgate.toml").read_text() == "# mine\n"

    assert run("init", "--force").exit_code == 0
    assert (tmp_path / "ossgate.toml").read_text() != "# mine\n"
    assert (tmp_path / "secrets" / "ticket.key").read_text() == before


def test_init_where_nothing_can_be_written(run, tmp_path):
    """A place that cannot be written is named in a sentence."""
    (tmp_path / "file").write_text("")

    refused = run("init", "file/ossgate.toml")

    assert refused.exit_code == WRONG
    assert re.fullmatch(r"ossgate: .*file.* cannot be written: not a directory\.\n", refused.output)


def test_keys_new_prints_a_key_and_the_lines_for_the_settings(run, tmp_path):
    """An API key comes with its hash, ready to be pasted, and the settings then load."""
    run("init")
    printed = run("keys", "new", "--name", "shop").output
    table = printed[printed.index("[access.api_keys.shop]") :]

    with (tmp_path / "ossgate.toml").open("a") as file:
        file.write(table)

    assert re.search(r"^ossgate_[\w-]{43}$", printed, re.MULTILINE)
    assert run("db", "upgrade").exit_code == 0


def test_keys_new_never_overwrites_a_key(run, tmp_path):
    """A ticket key goes to a file of its own, and one in use is kept."""
    path = tmp_path / "secrets" / "ticket-2.key"

    assert run("keys", "new", "--kind", "ticket", "--to", path).exit_code == 0
    before = path.read_text()
    refused = run("keys", "new", "--kind", "ticket", "--to", path)

    assert refused.exit_code == WRONG
    assert "is there already" in refused.output
    assert path.read_text() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_db_upgrade_twice_changes_nothing(run):
    """The ledger can be upgraded as often as one likes."""
    run("init")

    assert run("db", "upgrade").output == "the ledger of ossgate.toml is up to date\n"
    assert run("db", "upgrade").output == "the ledger of ossgate.toml is up to date\n"


def test_serve_without_settings_says_how_to_begin(run):
    """Where there is nothing to serve, the answer says what to do, and exits with 2."""
    refused = run("serve")

    assert refused.exit_code == WRONG
    assert "`ossgate init`" in refused.output
    assert "Traceback" not in refused.output


def test_serve_with_wrong_settings_names_them(run, tmp_path):
    """Wrong settings stop the start with exit code 2, line and fix."""
    run("init")
    settings = tmp_path / "ossgate.toml"
    settings.write_text(settings.read_text().replace('max_size = "20MB"', 'max_size = "20QB"'))

    refused = run("serve")

    assert refused.exit_code == WRONG
    assert re.search(
        r"line \d+, \[profiles\.photo\] max_size: '20QB' is no size\n      fix: ", refused.output
    )


def test_serve_on_a_taken_port_names_the_option(run):
    """A port in use is named together with the option that chooses another."""
    run("init")
    with taken_port() as port:
        refused = run("serve", "--port", port)

    assert refused.exit_code == WRONG
    assert (
        f"ossgate: port {port} on 127.0.0.1 cannot be used: address already in use. Choose another with --port.\n"
        == refused.output
    )


@pytest.mark.parametrize("option", ["port", "emulator-port"])
def test_demo_on_a_taken_port_names_the_option(run, option):
    """A port in use is named together with the option that chooses another, and nothing is left behind."""
    with taken_port() as port:
        refused = run("demo", "--port", 0, "--emulator-port", 0, f"--{option}", port)

    assert refused.exit_code == WRONG
    assert (
        f"port {port} cannot be used: address already in use. Choose another with --{option} "
        in refused.output
    )
    assert not Path("ossgate-data").exists()


def test_demo_refuses_one_port_for_both(run):
    """The two servers cannot share a port."""
    port = find_free_port("127.0.0.1")

    refused = run("demo", "--port", port, "--emulator-port", port)

    assert refused.exit_code == WRONG
    assert f"cannot share port {port}" in refused.output


def test_demo_in_a_folder_that_cannot_be_made(run, tmp_path):
    """A folder that cannot be written is named together with the option that chooses another."""
    (tmp_path / "file").write_text("")

    refused = run("demo", "--port", 0, "--emulator-port", 0, "--data-dir", "file/demo")

    assert refused.exit_code == WRONG
    assert "cannot be written: not a directory. Choose another folder with --data-dir" in refused.output


def test_demo_keeps_settings_changed_by_hand(run, tmp_path):
    """Settings that a user changed are kept, and ports that they do not name are refused."""
    port, emulator_port = find_free_port("127.0.0.1"), find_free_port("127.0.0.1")
    (tmp_path / "demo").mkdir()
    mine = render_demo(DemoPlace(1, emulator_port)) + "# mine\n"
    (tmp_path / "demo" / "ossgate.toml").write_text(mine)

    refused = run("demo", "--port", port, "--emulator-port", emulator_port, "--data-dir", "demo")

    assert refused.exit_code == WRONG
    assert f"does not speak of port {port}" in refused.output
    assert (tmp_path / "demo" / "ossgate.toml").read_text() == mine


def test_demo_with_broken_settings_names_line_and_fix(run, tmp_path):
    """Broken settings stop the demo with their line and the fix, said once, and without a stack trace."""
    port, emulator_port = find_free_port("127.0.0.1"), find_free_port("127.0.0.1")
    (tmp_path / "demo").mkdir()
    settings = render_demo(DemoPlace(port, emulator_port)).replace('max_size = "20MB"', 'max_size = "20QB"')
    (tmp_path / "demo" / "ossgate.toml").write_text(settings)

    refused = run("demo", "--port", port, "--emulator-port", emulator_port, "--data-dir", "demo")

    assert refused.exit_code == WRONG, refused.output
    assert re.search(r"^ossgate: /.*/ossgate\.toml: 1 problem$", refused.output, re.MULTILINE)
    assert "[profiles.photo] max_size: '20QB' is no size" in refused.output
    assert "Traceback" not in refused.output


def test_demo_tells_an_uploads_way_and_stops_at_ctrl_c(start_demo):
    """An upload's way is printed as it happens; Ctrl-C ends everything, and the exit code is 0."""
    demo = start_demo().wait_until_ready()
    upload_id = upload(demo)
    demo.wait_until(lambda: "recorded" in demo.printed)

    assert demo.stop() == 0
    assert demo.printed.endswith("stopped.\n")
    assert not demo.is_listening()
    told = re.findall(rf"^  \d\d:\d\d:\d\d  (\w+(?: \w+)?) +{upload_id[-8:]}  ", demo.printed, re.MULTILINE)
    assert set(told) == {"signed", "posted", "called back", "recorded"}


def test_demo_killed_leaves_nothing_running(start_demo):
    """Even `kill -9` of the demo ends both servers."""
    demo = start_demo().wait_until_ready()

    demo.stop(signal.SIGKILL)

    demo.wait_until(lambda: not demo.is_listening())


def test_demo_restarted_elsewhere_keeps_its_uploads(start_demo, tmp_path):
    """On the same folder the uploads are still there; settings nobody touched move to the new ports."""
    first = start_demo().wait_until_ready()
    upload_id = upload(first)
    first.stop()

    second = start_demo().wait_until_ready()

    assert fetch_state(second, upload_id) == "uploaded"
    assert upload(second) != upload_id
    settings = (tmp_path / "demo" / "ossgate.toml").read_text()
    assert settings == render_demo(DemoPlace(second.port, second.emulator_port))


def test_demo_makes_a_key_for_its_console(start_demo, tmp_path):
    """The key that the demo names is an operator's, is its owner's alone, and is made anew where it was deleted."""
    file = tmp_path / "demo" / "secrets" / "operator.key"
    keys = []
    for _ in range(2):
        demo = start_demo().wait_until_ready()
        keys.append(file.read_text().strip())
        headers = {"Authorization": f"Bearer {keys[-1]}"}
        with urllib3.PoolManager(retries=False) as http:
            listed = http.request("GET", f"http://127.0.0.1:{demo.port}/v1/uploads", headers=headers)
        assert listed.status == 200
        assert str(file) in demo.printed
        assert file.stat().st_mode & 0o077 == 0
        demo.stop()
        file.unlink()

    assert keys[0] != keys[1]


def test_demo_refuses_a_folder_where_another_runs(start_demo, tmp_path):
    """A second demo in the same folder is refused before it changes anything there."""
    start_demo().wait_until_ready()
    before = (tmp_path / "demo" / "ossgate.toml").read_text()

    second = start_demo()

    assert second.process.wait(PATIENCE) == WRONG
    assert f"another demo runs in {tmp_path / 'demo'}" in second.printed
    assert (tmp_path / "demo" / "ossgate.toml").read_text() == before


def test_demo_says_when_a_server_ends_by_itself(start_demo):
    """When one of the servers dies the demo says so, ends the other, and exits with 1."""
    demo = start_demo().wait_until_ready()
    children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children in /proc")

    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)

    assert demo.process.wait(PATIENCE) == FAILED
    assert "ended by itself" in demo.printed
    assert not demo.is_listening()


def test_demo_leaves_settings_for_the_other_commands(start_demo, monkeypatch, tmp_path):
    """OSSGATE_CONFIG points the other commands at the demo's set-up."""
    demo = start_demo().wait_until_ready()
    upload_id = upload(demo)
    demo.stop()
    monkeypatch.setenv("OSSGATE_CONFIG", str(tmp_path / "demo" / "ossgate.toml"))

    assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0

    ledger = Ledger(f"sqlite:///{tmp_path / 'demo' / 'ossgate.sqlite3'}")
    kept = ledger.fetch_upload(upload_id)
    ledger.close()
    assert kept is not None
    assert kept.state == "uploaded"


def test_demo_ignores_settings_of_another_set_up(start_demo, monkeypatch):
    """Settings in the environment belong to another set-up; a demo takes only its own file."""
    monkeypatch.setenv("OSSGATE_OSS__BUCKET", "somebodys-real-bucket")

    demo = start_demo().wait_until_ready()

    assert upload(demo)


def test_serve_runs_what_the_settings_say(start_demo, tmp_path):
    """`ossgate serve` upgrades an embedded ledger, serves, and stops at a signal."""
    folder, port = tmp_path / "served", find_free_port("127.0.0.1")
    folder.mkdir()
    subprocess.run([*COMMAND, "init"], cwd=folder, check=True, env=environment(), stdout=subprocess.DEVNULL)
    with (folder / "log").open("w") as log:
        served = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment(OSS_ACCESS_KEY_ID="an-id", OSS_ACCESS_KEY_SECRET="a-secret"),
        )
    try:
        end = time.monotonic() + PATIENCE
        while not is_listening(port):
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.05)
        with urllib3.PoolManager(retries=False) as http:
            assert http.request("GET", f"http://127.0.0.1:{port}/readyz").status == 200
    finally:
        served.terminate()
    assert served.wait(PATIENCE) == 0


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}
