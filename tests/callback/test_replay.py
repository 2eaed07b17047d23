"""A kept callback goes through today's code: what the real OSS signed, out of the inbox as it went in."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from callback.arrived import Arrivals
from callback.inbox import keep_request
from callback.public_keys import PinnedKeys
from callback.receive import Receiver
from callback.replay import NOT_WHOLE, Replayer
from callback.request import read_environ
from ossgate.ledger import Judgement, Ledger

REAL = json.loads((Path(__file__).parent.parent / "vectors" / "callback-signature.json").read_text())[
    "positive"
][0]


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def replay(ledger, ticket_keys, seal_keys, prefix_keys, now):
    """Keep the real OSS's callback, with changes, read it back and replay it with the key that is shipped."""

    def run(**changes):
        headers = REAL["headers"] | changes.pop("headers", {})
        environ = {
            "RAW_URI": changes.get("raw_target", REAL["request_target"]),
            "CONTENT_TYPE": headers["content-type"],
            "HTTP_AUTHORIZATION": headers["authorization"],
            "HTTP_X_OSS_PUB_KEY_URL": headers["x-oss-pub-key-url"],
        }
        body = changes.get("body", REAL["body"].encode())
        kept = keep_request(read_environ(environ, body), callback_id="01c", at=now)
        ledger.inbox.keep(kept, Judgement("refused", "signature", "callback_signature_invalid"))
        ledger.ping(timeout=5)
        arrivals = Arrivals(ledger, None, {}, 60, lambda: now, lambda event, **facts: None)
        receiver = Receiver(
            PinnedKeys(), ticket_keys, seal_keys, prefix_keys, arrivals, timedelta(days=1), lambda: now
        )
        return Replayer(receiver).replay(ledger.inbox.fetch_callback("01c")).now

    return run


def test_signature_of_the_real_oss_holds_out_of_the_inbox(replay):
    """Its signature verifies byte for byte; what it carries is no body of ours."""
    judged = replay()

    assert ("refused", "request", "callback_malformed") == (judged.verdict, judged.layer, judged.code)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": REAL["body"].encode() + b"\0"},
        {"body": b"\xff"},
        {"raw_target": "/index.php?id=1&index=3"},
        {"raw_target": "/\x00\xff"},
        {"headers": {"authorization": "A" * 88}},
    ],
)
def test_whatever_else_was_kept_is_refused_again(replay, changes):
    """One byte changed, bytes that are no text, a signature of nothing."""
    judged = replay(**changes)

    assert ("refused", "callback_signature_invalid") == (judged.verdict, judged.code)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"body": b"x" * 20_000}, "body"),
        ({"raw_target": "/" * 9_000}, "target"),
        ({"headers": {"authorization": "A" * 3_000}}, "headers"),
    ],
)
def test_what_was_not_kept_whole_is_not_judged(replay, changes, part):
    """It would fail for what we left out."""
    judged = replay(**changes)

    assert (NOT_WHOLE, f"not kept whole: its {part}") == (judged.verdict, judged.detail)
