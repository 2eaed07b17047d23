"""docs/delivery.md: its examples are what is sent, and its receiver receives."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.schedule import DELAYS
from ossgate.delivery.signatures import WebhookSigner
from ossgate.ledger import EVENT_TYPES

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")


def read_example(name):
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", DOCS, re.DOTALL)[1]


@pytest.fixture
def told(make_delivery):
    """The delivery of the examples."""
    head, _, body = read_example("standard").partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    return headers, make_delivery(delivery_id=headers["webhook-id"], body=body.strip())


def test_event_is_what_the_ledger_freezes(told):
    """The documented body has the very fields, in the very order, that the ledger writes."""
    from ossgate.ledger.events import encode_event
    from ossgate.ledger.rows import encode_time

    data = json.loads(told[1].body)["data"]
    times = {name: encode_time(datetime.fromisoformat(data[name])) for name in ("created_at", "uploaded_at")}
    row = {"keep_until": None, **data, **times, "variables": json.dumps(data["vars"], separators=(",", ":"))}

    assert encode_event("upload.uploaded", times["uploaded_at"], row, data) == told[1].body


def test_webhook_example_is_signed_right(told, secret):
    """The documented signature is that of the documented request under the documented secret."""
    headers, delivery = told
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)

    signed = WebhookSigner([secret]).sign(delivery.delivery_id, Envelope().encode(delivery), now=moment)

    assert secret in DOCS
    assert signed == {name: value for name, value in headers.items() if name.startswith("webhook-")}


def test_cloudevents_example_is_what_is_sent(told):
    """The documented CloudEvent is that of the same delivery."""
    assert json.loads(read_example("cloudevents")) == Envelope("cloudevents").render(told[1])


def test_documented_receiver_receives(told, secret, monkeypatch, capsys):
    """The receiver of the page believes what is signed, handles it once, and refuses the rest."""
    monkeypatch.setenv("OSSGATE_WEBHOOK_SECRET", secret)
    names: dict = {"__name__": "receiver"}
    exec(compile(read_example("receiver"), "docs/delivery.md", "exec"), names)
    client = names["app"].test_client()
    _, delivery = told
    body = Envelope().encode(delivery)

    def post(at, content=body):
        headers = WebhookSigner([secret]).sign(delivery.delivery_id, body, now=at)
        return client.post("/hooks/uploads", data=content, headers=headers).status_code

    now = datetime.now(UTC)
    answers = [post(now), post(now), post(now - timedelta(hours=1)), post(now, body + b" ")]
    unsigned = client.post("/hooks/uploads", data=body).status_code

    assert answers == [204, 204, 401, 401]
    assert unsigned == 401
    assert capsys.readouterr().out == "upload.uploaded photos/alice/cat.jpg\n"


def test_page_names_every_event_and_delay():
    """Each type of event is explained, and the schedule is the code's."""
    units = {"s": "seconds", "min": "minutes", "h": "hours"}
    (sentence,) = re.findall(r"Attempts come at once, then (.*?) after", DOCS, re.DOTALL)
    delays = [
        timedelta(**{units[unit]: int(count)}) for count, unit in re.findall(r"(\d+) (s|min|h)", sentence)
    ]

    assert tuple(delays) == DELAYS
    assert all(f"| `{event}` |" in DOCS for event in EVENT_TYPES)
