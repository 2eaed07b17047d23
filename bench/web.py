"""Issuing and callbacks over HTTP: starts the servers, prepares what they are asked, and measures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import rounds
from bench.aims import Row
from bench.callbacks import (
    CallbackMaker,
    Prepared,
    build_bare_request,
    build_issue_requests,
    record_issued,
)
from bench.cases import BARE, Case, repeat
from bench.cores import Cores
from bench.databases import PostgresqlServer, create_sqlite
from bench.load import Load
from bench.memory import summarize_memory
from bench.rounds import WARM_UP, Tell
from bench.servers import HOST, Child, Server, build_stub_command
from bench.workplace import CLAIMS_PROFILE, HEAD_PROFILE, SQLITE_URL, Workplace, set_up_workplace
from ossgate.serving import APPLICATION, find_free_port

HALF_LOAD_CASES = ("issue_sqlite", "callback_sqlite")
REUSED_CALLBACKS = 500
FASTEST_CALLBACKS = 2500
"""More durable callbacks a second than one core answers; so many are prepared for half load."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it takes and what is left out."""

    rounds: int
    count: int
    half_load_seconds: float
    wanted: frozenset[str] | None

    def wants(self, name: str) -> bool:
        """Tell whether a case was asked for."""
        return self.wanted is None or name in self.wanted

    @property
    def half_load_rounds(self) -> int:
        """How often the latencies are measured."""
        return min(self.rounds, 3)


class WebBench:
    """One run; a context manager that leaves no process behind."""

    def __init__(
        self, folder: Path, cores: Cores, postgresql: PostgresqlServer | None, plan: Plan, tell: Tell
    ) -> None:
        self._folder = folder
        self._cores = cores
        self._postgresql = postgresql
        self._plan = plan
        self._tell = tell
        self._stack = ExitStack()
        self._heads: dict[str, str] = {}
        self._servers: dict[str, Server] = {}
        self._cases: list[Case] = []

    def __enter__(self) -> WebBench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> list[Row]:
        """Return the lines of issuing, callbacks, half load and memory."""
        workplace = set_up_workplace(self._folder, find_free_port(HOST))
        self._prepare_cases(workplace)
        for case in self._cases:
            self._tell(f"warming up: {case.label}")
            case.run_closed(WARM_UP)
        self._pin_database()
        counts = {case.name: self._plan.count * (2 if case.name == BARE else 1) for case in self._cases}
        capacity = rounds.measure_capacity(self._cases, counts, rounds=self._plan.rounds, tell=self._tell)
        rows = rounds.summarize_capacity(self._cases, capacity)
        halves = [case for case in self._cases if case.name in (BARE, *HALF_LOAD_CASES)]
        if len(halves) > 1 and self._plan.wants("half_load"):
            samples = rounds.measure_half_load(
                halves,
                capacity,
                rounds=self._plan.half_load_rounds,
                seconds=self._plan.half_load_seconds,
                tell=self._tell,
            )
            rows += rounds.summarize_half_load(halves, samples)
        if self._plan.wants("memory"):
            rows += summarize_memory({name: server.worker for name, server in self._servers.items()})
        return rows

    def _prepare_cases(self, workplace: Workplace) -> None:
        maker = CallbackMaker(workplace)
        self._add_case(
            BARE,
            "bare Flask view",
            self._start("bare", "bench.apps:create_bare()", {}, "/"),
            repeat([build_bare_request()]),
        )
        if self._plan.wants("memory"):
            self._start("core set", "bench.apps:create_core()", {}, "/")
        issue = build_issue_requests(workplace.api_key, HEAD_PROFILE)
        if self._plan.wants("issue") or self._plan.wants("callback"):
            server = self._start_ossgate(
                "no ledger", "bench.apps:create_without_ledger()", workplace, SQLITE_URL
            )
            callbacks = [one.request for one in maker.prepare(CLAIMS_PROFILE, REUSED_CALLBACKS)]
            self._add_case("issue", "issue, before the ledger", server, repeat(issue))
            self._add_case("callback", "callback, layers 1 and 2", server, repeat(callbacks))
        for name, label in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")):
            self._prepare_durable(name, label, workplace, maker, issue)
        self._start_stub(workplace)

    def _prepare_durable(
        self, name: str, label: str, workplace: Workplace, maker: CallbackMaker, issue: list[bytes]
    ) -> None:
        wanted = [
            kind for kind in ("issue", "callback", "callback_head") if self._plan.wants(f"{kind}_{name}")
        ]
        if not wanted or (name == "postgresql" and self._postgresql is None):
            return
        if name == "sqlite":
            url = create_sqlite(self._folder)
        else:
            assert self._postgresql is not None
            url = self._stack.enter_context(self._postgresql.create_database())
        callbacks = self._prepare_callbacks(f"callback_{name}", CLAIMS_PROFILE, maker, url)
        with_head = self._prepare_callbacks(f"callback_head_{name}", HEAD_PROFILE, maker, url)
        server = self._start_ossgate(label, APPLICATION, workplace, url)
        self._add_case(f"issue_{name}", f"issue, quota and ledger on {label}", server, repeat(issue))
        self._add_case(f"callback_{name}", f"callback, recorded on {label}", server, callbacks)
        self._add_case(f"callback_head_{name}", f"callback, HEAD and recorded on {label}", server, with_head)

    def _prepare_callbacks(self, case: str, profile: str, maker: CallbackMaker, url: str) -> Iterator[bytes]:
        if not self._plan.wants(case):
            return iter(())
        count = WARM_UP + self._plan.rounds * self._plan.count
        if case in HALF_LOAD_CASES:
            count += int(self._plan.half_load_rounds * self._plan.half_load_seconds * FASTEST_CALLBACKS / 2)
        self._tell(f"signing {count:,} callbacks for {case}")
        prepared = list(maker.prepare(profile, count))
        record_issued(
            url, prepared, lambda done: self._tell(f"recording {done:,} of {count:,} uploads as issued")
        )
        self._note_heads(prepared)
        return iter([one.request for one in prepared])

    def _note_heads(self, prepared: Sequence[Prepared]) -> None:
        self._heads |= {one.head_path: one.head_answer for one in prepared}

    def _start_stub(self, workplace: Workplace) -> None:
        file = self._folder / "objects.json"
        file.write_text(json.dumps(self._heads))
        command = build_stub_command(workplace.bucket_port, file)
        stub = Child("bucket stub", command, {}, folder=self._folder, core=self._cores.load)
        self._stack.callback(stub.stop)
        stub.wait_until_ready(workplace.bucket_port, "/")

    def _start_ossgate(self, name: str, application: str, workplace: Workplace, url: str) -> Server:
        return self._start(name, application, workplace.environment(url), "/readyz")

    def _start(self, name: str, application: str, environment: dict[str, str], path: str) -> Server:
        self._tell(f"starting the server: {name}")
        server = Server(name, application, environment, folder=self._folder, cores=self._cores, path=path)
        self._stack.callback(server.stop)
        self._servers[name] = server
        return server

    def _add_case(self, name: str, label: str, server: Server, requests: Iterator[bytes]) -> None:
        if name != BARE and not self._plan.wants(name):
            return
        load = Load(server.port)
        self._stack.callback(load.close)
        self._cases.append(Case(name, label, server, requests, load))

    def _pin_database(self) -> None:
        if self._postgresql is None:
            return
        sessions = tuple(self._postgresql.pin_sessions(self._cores))
        for case in self._cases:
            if case.name.endswith("postgresql"):
                case.beside = sessions
