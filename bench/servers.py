"""Gunicorn servers under load: started with the options that ossgate ships, pinned, and always stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

from bench.cores import Cores, pin, spread
from bench.usage import list_family, read_cpu_seconds
from ossgate.serving import APPLICATION, build_gunicorn_command, find_free_port

HOST = "127.0.0.1"
THREADS = 16
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
ROOT = Path(__file__).resolve().parent.parent
# What somebody has put on the path stays there, wherever the server runs: libraries that we are compared with need not be in our environment.
_ADDED = [
    str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
]
_PATH = os.pathsep.join([str(ROOT), *_ADDED])


class Child:
    """A process of ours that ends when we do: it holds one end of a pipe, we the other."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], *, folder: Path, core: int | None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        read_end, self._write_end = os.pipe()
        variables = {**os.environ, **environment, "OSSGATE_PARENT_FD": str(read_end), "PYTHONPATH": _PATH}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(read_end,),
                start_new_session=True,
            )
        os.close(read_end)
        # Before it has forked any worker: children inherit the core.
        pin(core, self.process.pid)

    def wait_until_ready(self, port: int, path: str) -> None:
        """Wait for the first good answer.

        Raises:
            RuntimeError: The process ended or never answered; with its last words.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = HTTPConnection(HOST, port, timeout=5)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise RuntimeError(f"{self.name} does not run: {self.log.read_text(errors='replace')[-2000:]}")

    def read_cpu_seconds(self) -> float | None:
        """Return the CPU seconds that the process and its children have used."""
        return read_cpu_seconds(list_family(self.process.pid))

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._write_end < 0:
            return
        os.close(self._write_end)
        self._write_end = -1
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server(Child):
    """One gunicorn; one worker on one core, unless told otherwise."""

    def __init__(
        self,
        name: str,
        application: str,
        environment: Mapping[str, str],
        *,
        folder: Path,
        cores: Cores,
        path: str,
        workers: int = 0,
        threads: int = THREADS,
    ) -> None:
        """Start it.

        Args:
            workers: So many on all cores; zero for one on the servers' core.
        """
        self.port = find_free_port(HOST)
        self.threads = threads
        command = build_gunicorn_command(HOST, self.port, workers=workers or 1, threads=threads)
        command[command.index(APPLICATION)] = application
        super().__init__(name, command, environment, folder=folder, core=cores.server)
        if workers:
            spread(cores, self.process.pid)
        try:
            self.wait_until_ready(self.port, path)
        except BaseException:
            self.stop()
            raise

    @property
    def worker(self) -> int:
        """The process that answers."""
        return list_family(self.process.pid)[-1]


def build_stub_command(port: int, objects: Path) -> list[str]:
    """Return the command of the bucket stub."""
    return [sys.executable, "-m", "bench.bucket_stub", str(port), str(objects)]
