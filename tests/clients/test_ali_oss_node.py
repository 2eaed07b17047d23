"""ali-oss in Node, with the credentials that mobile apps get."""

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "node" / "ali-oss.mjs"
SIZE = 3_000_000
PATIENCE = 60
WAYS = ("put", "multipartUpload")


@pytest.fixture
def run_node(node_clients, demo):
    """Run the script, which tells how each way to upload went."""

    def run(file):
        ran = subprocess.run(
            ["node", SCRIPT, demo.url, file],
            env=os.environ | {"NODE_CLIENTS": f"{node_clients}/"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (0, "") == (ran.returncode, ran.stderr)
        return json.loads(ran.stdout)

    return run


def test_file_arrives_both_ways_and_the_replies_are_seen(demo, make_file, run_node):
    """One PUT, and parts with fresh credentials for each request; nothing outside `dir`."""
    file = make_file("node.png", SIZE)
    told = run_node(file)

    for way in WAYS:
        name, reply = told[way]["name"], told[way]["data"]
        assert name.startswith(told["dir"])
        facts = {"profile": "file", "dialect": "sts_mobile", "via": "sts", "state": "uploaded"}
        upload = demo.check(demo.find(name), file.read_bytes(), **facts)
        assert ("callback", upload.upload_id) == (upload.arrived_via, reply["upload_id"])
        assert ("OK", SIZE) == (reply["Status"], reply["size"])
    assert (403, "AccessDenied") == (told["outside"]["status"], told["outside"]["code"])


def test_failed_callback_is_an_error(demo, make_file, run_node):
    """The SDK throws a 203 although the object is there; reconciliation finds it."""
    demo.play({"on": "callback", "action": "drop", "times": len(WAYS)})
    file = make_file("lost-in-node.png", SIZE)
    told = run_node(file)

    for way in WAYS:
        assert (203, "CallbackFailed") == (told[way]["status"], told[way]["code"])
    demo.reconcile()
    for way in WAYS:
        facts = {"profile": "file", "state": "uploaded", "arrived_via": "reconcile"}
        demo.check(demo.find_named(f"{way}-{file.name}"), file.read_bytes(), **facts)
