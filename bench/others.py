"""Issuing over HTTP beside what else signs uploads: boto3 in a bare Flask, Uppy's Companion, and ali-oss in Express.

What is not installed is not measured, and its line says how to add it. The packages of npm are put into ``build/`` by this bench; a boto3 is taken
from wherever Python finds one. All run on the servers' core; the others record nothing and ask nobody who they are.
"""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import rounds
from bench.aims import Row
from bench.cores import Cores
from bench.load import Sample
from bench.rounds import Tell
from bench.servers import HOST, ROOT
from bench.stage import Stage
from ossgate.serving import find_free_port

NODE_FOLDER = ROOT / "build" / "bench-node"
NODE_SOURCES = ROOT / "bench" / "node"
INSTALL_SECONDS = 300
BOTO3, COMPANION, ALI_OSS = "boto3", "companion", "ali-oss"
LABELS = {
    BOTO3: "boto3's presigned POST in a bare Flask",
    COMPANION: "Uppy's Companion, presigned POST",
    ALI_OSS: "ali-oss in Express, V4 policy",
}
NO_BOTO3 = "not installed: `pip install --target build/boto3 boto3`, then PYTHONPATH=build/boto3"


def measure_others(folder: Path, cores: Cores, times: int, count: int, tell: Tell) -> list[Row]:
    """Return the lines of all issuers beside the bare view, and how much faster ours is than each."""
    missing: dict[str, str] = {}
    with Stage(folder / "others", cores, None, tell, outbox=False) as stage:
        stage.add_bare(count)
        url = stage.create_database("sqlite", "ledger")
        without = stage.start_ossgate("no ledger", url, application="bench.apps:create_without_ledger()")
        stage.add_issue("ours", "issue, before the ledger", without, count)
        stage.add_issue(
            "ours_sqlite", "issue, quota and ledger on SQLite", stage.start_ossgate("sqlite", url), count
        )
        if importlib.util.find_spec("boto3") is None:
            missing[BOTO3] = NO_BOTO3
        else:
            server = stage.start("boto3", "bench.boto3_app:create_app()", "/")
            stage.add(BOTO3, LABELS[BOTO3], server.port, server, [_ask_json()], count)
        problem = _install(tell)
        for kind in (COMPANION, ALI_OSS):
            if problem:
                missing[kind] = problem
            else:
                _add_node(stage, kind, count)
        cases, samples = stage.measure(times)
    rows = rounds.summarize_capacity(cases, samples)
    rows += [Row(name, label, None, None, missing[name]) for name, label in LABELS.items() if name in missing]
    for name in LABELS:
        if name in samples:
            aim = f"over_{name}"
            rows.append(_compare(samples, aim, f"issue, before the ledger: faster than {name}", "ours", name))
            rows.append(
                _compare(
                    samples, f"{aim}_ledger", f"issue with ledger: faster than {name}", "ours_sqlite", name
                )
            )
    return rows


def _add_node(stage: Stage, kind: str, count: int) -> None:
    port = find_free_port(HOST)
    command = ["node", str(NODE_FOLDER / "server.js"), kind, str(port)]
    child = stage.start_child(kind, command, {"NODE_ENV": "production"})
    child.wait_until_ready(port, "/")
    request = _ask_json() if kind == ALI_OSS else _ask_companion()
    stage.add(kind, LABELS[kind], port, child, [request], count)


def _install(tell: Tell) -> str:
    """Put the packages of npm into the build folder; return why that cannot be done, or nothing."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "not measured: needs node (20 or later) and npm on the path"
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = (NODE_SOURCES / "package-lock.json").read_bytes()
    stamp = NODE_FOLDER / ".installed"
    shutil.copy(NODE_SOURCES / "server.js", NODE_FOLDER)
    if stamp.exists() and stamp.read_bytes() == wanted:
        return ""
    tell("installing packages of npm into build/bench-node, by their lock file")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE_SOURCES / name, NODE_FOLDER)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=NODE_FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        return f"not measured: npm could not install the packages ({type(error).__name__})"
    stamp.write_bytes(wanted)
    return ""


def _ask_json() -> bytes:
    body = b'{"filename":"a photograph.jpg","size":1234567,"content_type":"image/jpeg","subject":"user-7"}'
    head = (
        "POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nAccept: */*\r\nUser-Agent: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _ask_companion() -> bytes:
    return (
        b"GET /s3/params?filename=a%20photograph.jpg&type=image%2Fjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Connection: keep-alive\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n"
    )


def _compare(samples: Mapping[str, Sequence[Sample]], name: str, label: str, ours: str, theirs: str) -> Row:
    pairs = list(zip(samples[ours], samples[theirs], strict=True))
    ratio = statistics.median(own.rate / other.rate for own, other in pairs)
    spent = [
        other.cpu_each / own.cpu_each
        for own, other in pairs
        if own.cpu_each is not None and other.cpu_each is not None
    ]
    own_rate, other_rate = (statistics.median(one.rate for one in samples[which]) for which in (ours, theirs))
    detail = f"{own_rate:,.0f}/s, {theirs} {other_rate:,.0f}/s"
    return Row(name, label, ratio, statistics.median(spent) if spent else None, detail)
