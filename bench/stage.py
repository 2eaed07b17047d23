"""A stage: servers side by side with a bare one, the uploads that they are told of, and the rounds in which all get their turns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import rounds
from bench.callbacks import CallbackMaker, build_bare_request, build_issue_requests, record_issued
from bench.cases import BARE, Case, repeat
from bench.cores import Cores
from bench.databases import PostgresqlServer, create_sqlite
from bench.load import Load, Sample
from bench.rounds import WARM_UP, Tell
from bench.servers import HOST, THREADS, Child, Server, build_stub_command
from bench.workplace import HEAD_PROFILE, Workplace, set_up_workplace
from ossgate.serving import APPLICATION, find_free_port

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Stage:
    """A context manager that leaves no process and no database behind."""

    def __init__(
        self,
        folder: Path,
        cores: Cores,
        postgresql: PostgresqlServer | None,
        tell: Tell,
        *,
        workers: int = 0,
        outbox: bool = True,
    ) -> None:
        folder.mkdir()
        self.workplace: Workplace = set_up_workplace(folder, find_free_port(HOST), outbox=outbox)
        self._cores = cores
        self._postgresql = postgresql
        self._tell = tell
        self._workers = workers
        self._stack = ExitStack()
        self._maker = CallbackMaker(self.workplace)
        self._heads: dict[str, str] = {}
        self._cases: list[Case] = []
        self._counts: dict[str, int] = {}

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def folder(self) -> Path:
        """Where everything of this stage lies."""
        return self.workplace.folder

    @property
    def databases(self) -> list[str]:
        """The kinds of databases that are there."""
        return [name for name in DATABASES if name == "sqlite" or self._postgresql is not None]

    def create_database(self, kind: str, name: str) -> str:
        """Return the URL of a fresh ledger."""
        if kind == "sqlite":
            return create_sqlite(self.folder / name)
        assert self._postgresql is not None
        return self._stack.enter_context(self._postgresql.create_database())

    def add_bare(self, count: int) -> None:
        """Add the yardstick."""
        server = self._start("bare", "bench.apps:create_bare()", {}, "/")
        self._add(BARE, "bare Flask view", server.port, server, repeat([build_bare_request()]), 2 * count)

    def start_ossgate(
        self,
        name: str,
        url: str,
        *,
        application: str = APPLICATION,
        environment: Mapping[str, str] | None = None,
        threads: int = THREADS,
    ) -> Server:
        """Start ossgate on a database."""
        variables = {**self.workplace.environment(url), **(environment or {})}
        return self._start(name, application, variables, "/readyz", threads)

    def start(self, name: str, application: str, path: str) -> Server:
        """Start another application, which is ready when this path answers."""
        return self._start(name, application, {}, path)

    def start_child(self, name: str, command: list[str], environment: Mapping[str, str]) -> Child:
        """Start a server that is no gunicorn, on the servers' core."""
        self._tell(f"starting the server: {name}")
        child = Child(name, command, environment, folder=self.folder, core=self._cores.server)
        self._stack.callback(child.stop)
        return child

    def add_issue(self, name: str, label: str, server: Server, count: int) -> None:
        """Add requests for grants."""
        requests = build_issue_requests(self.workplace.api_key, HEAD_PROFILE)
        self.add(name, label, server.port, server, requests, count)

    def add(self, name: str, label: str, port: int, child: Child, requests: list[bytes], count: int) -> None:
        """Add requests that may be sent again and again."""
        self._add(name, label, port, child, repeat(requests), count)

    def add_callbacks(
        self, name: str, label: str, server: Server, count: int, *, url: str, profile: str, times: int
    ) -> None:
        """Add callbacks of uploads that wait for them, enough for so many rounds."""
        warm_up = min(WARM_UP, count)
        needed = warm_up + times * count
        self._tell(f"signing {needed:,} callbacks for {name}")
        prepared = list(self._maker.prepare(profile, needed))
        record_issued(
            url, prepared, lambda done: self._tell(f"recording {done:,} of {needed:,} uploads as issued")
        )
        self._heads |= {one.head_path: one.head_answer for one in prepared}
        self._add(name, label, server.port, server, iter([one.request for one in prepared]), count)

    def measure(self, times: int) -> tuple[list[Case], dict[str, list[Sample]]]:
        """Return the cases and each one's samples, one a round."""
        self._start_stub()
        for case in self._cases:
            self._tell(f"warming up: {case.label}")
            case.run_closed(min(WARM_UP, self._counts[case.name]))
        if self._postgresql is not None:
            # Where workers run on all cores, the database does too; its CPU time counts all the same.
            cores = Cores(None, None) if self._workers else self._cores
            sessions = tuple(self._postgresql.pin_sessions(cores))
            for case in self._cases:
                if "postgresql" in case.name:
                    case.beside = sessions
        samples = rounds.measure_capacity(self._cases, self._counts, rounds=times, tell=self._tell)
        return self._cases, samples

    def _start(
        self,
        name: str,
        application: str,
        environment: Mapping[str, str],
        path: str,
        threads: int = THREADS,
    ) -> Server:
        self._tell(f"starting the server: {name}")
        server = Server(
            name,
            application,
            environment,
            folder=self.folder,
            cores=self._cores,
            path=path,
            workers=self._workers,
            threads=threads,
        )
        self._stack.callback(server.stop)
        return server

    def _add(
        self, name: str, label: str, port: int, child: Child, requests: Iterator[bytes], count: int
    ) -> None:
        # Twice as many as there are threads: each finds the next request waiting.
        load = Load(port, 2 * (child.threads if isinstance(child, Server) else THREADS))
        self._stack.callback(load.close)
        self._cases.append(Case(name, label, child, requests, load))
        self._counts[name] = count

    def _start_stub(self) -> None:
        if not self._heads:
            return
        file = self.folder / "objects.json"
        file.write_text(json.dumps(self._heads))
        command = build_stub_command(self.workplace.bucket_port, file)
        stub = Child("bucket stub", command, {}, folder=self.folder, core=self._cores.load)
        self._stack.callback(stub.stop)
        stub.wait_until_ready(self.workplace.bucket_port, "/")
