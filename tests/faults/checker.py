"""What must hold after every scenario, when all is up again: nothing lost, nothing invented."""

import json
from collections import Counter
from itertools import pairwise

from ossgate.ledger.events import EVENT_STEPS
from ossgate.ledger.states import is_allowed

_ORDER = ("issued", "expired", "aborted", "unconfirmed", "uploaded", "deleted")


def check(world):
    """Compare bucket, ledger, history, accounts, outbox, receiver and what clients were told, and name all that differs."""
    rows = {row["upload_id"]: row for row in world.database.rows("upload")}
    claims = {}
    for row in world.database.rows("history"):
        claims.setdefault(row["upload_id"], {})[row["claim"]] = row
    objects = world.list_objects()
    problems = [
        *_check_objects(world, objects, rows, claims),
        *_check_rows(world, objects, rows, claims),
        *_check_history(world, rows, claims),
        *_check_accounts(world, rows, claims),
        *_check_deliveries(world, rows, claims),
        *_check_acknowledged(world, rows),
        *(f"the database is damaged: {row}" for row in world.database.find_damage()),
    ]
    assert not problems, "\n".join(problems)


def _check_objects(world, objects, rows, claims):
    """Every object that proves an upload has exactly that one."""
    strangers, by_key = 0, {}
    for row in rows.values():
        by_key.setdefault(row["object_key"], []).append(row)
    for key, head in objects.items():
        facts = world.seal_keys.open_seal(head.seal) if head.seal else None
        if facts is None or facts.object_key != key:
            strangers += key not in by_key
            continue
        of_key = by_key.get(key, [])
        if [row["upload_id"] for row in of_key] != [facts.upload_id]:
            yield f"{key} has the uploads {[row['upload_id'] for row in of_key]}, and proves {facts.upload_id}"
        elif of_key[0]["state"] not in ("uploaded", "deleted", "aborted"):
            yield f"{key} is there, and its upload is {of_key[0]['state']}"
    if strangers != world.strangers:
        yield f"{strangers} strangers, {world.strangers} were written"


def _check_rows(world, objects, rows, claims):
    """Every upload has its object, and nothing waits that is over."""
    for upload_id, row in rows.items():
        if row["state"] in ("issued", "unconfirmed"):
            yield f"{upload_id} is still {row['state']}"
        if row["state"] != "uploaded":
            continue
        head = objects.get(row["object_key"])
        if head is None:
            yield f"{upload_id} is uploaded, and there is no {row['object_key']}"
        elif (head.size, head.etag) != (row["size"], row["etag"]) and not _is_noted(head, claims[upload_id]):
            yield f"{upload_id} has other bytes, and nobody has noted it"


def _is_noted(head, claims):
    return f"replaced:{head.etag}" in claims


def _check_history(world, rows, claims):
    """It tells one way through the states, it ends where the row is, and what once stood in it stands there still."""
    for upload_id, row in rows.items():
        states = [state for state in _ORDER if state in claims.get(upload_id, {})]
        if not states or states[0] != "issued" or states[-1] != row["state"]:
            yield f"{upload_id} is {row['state']}, its history tells {states}"
        for before, after in pairwise(states):
            if not is_allowed(before, after):
                yield f"{upload_id} went from {before} to {after}"
    for upload_id in claims.keys() - rows.keys():
        yield f"there is a history of {upload_id}, and no upload"
    for (upload_id, claim), noted in world.noted.items():
        if claims.get(upload_id, {}).get(claim) != noted:
            yield f"{claim} of {upload_id} has changed or gone from the history"


def _check_accounts(world, rows, claims):
    """What is pending and what has arrived is the sum over the rows; an account of a day goes on counting what was deleted."""
    expected = {}
    for row in rows.values():
        if row["quota_period"]:
            account = expected.setdefault((row["quota_key"], row["profile"], row["quota_period"]), [0, 0])
            account[0] += row["state"] == "issued"
            account[1] += _count_bytes(row, claims.get(row["upload_id"], {}))
    found = {
        (row["quota_key"], row["profile"], row["period"]): [row["pending_uploads"], row["bytes"]]
        for row in world.database.rows("quota")
    }
    for key in expected.keys() | found.keys():
        if expected.get(key, [0, 0]) != found.get(key, [0, 0]):
            yield f"the account {key} says {found.get(key)}, its uploads {expected.get(key)}"


def _count_bytes(row, claims):
    if row["state"] == "issued":
        return row["size_max"]
    is_spent = row["state"] == "deleted" and "uploaded" in claims and row["quota_period"] != "ever"
    if row["state"] in ("uploaded", "unconfirmed") or is_spent:
        return row["size"] if row["replaced_size"] is None else row["replaced_size"]
    return 0


def _check_deliveries(world, rows, claims):
    """Every change is announced once, has arrived at least once under one id with one body, and in its upload's order."""
    deliveries = {row["delivery_id"]: row for row in world.database.rows("delivery")}
    bodies, first = {}, {}
    for place, (delivery_id, body) in enumerate(world.receiver.told):
        first.setdefault(delivery_id, place)
        if bodies.setdefault(delivery_id, body) != body:
            yield f"{delivery_id} came with two bodies"
    for delivery_id, row in deliveries.items():
        if row["state"] != "delivered" or delivery_id not in first:
            yield f"{row['type']} of {row['upload_id']} is {row['state']}; it came: {delivery_id in first}"
        elif bodies[delivery_id] != row["body"]:
            yield f"{delivery_id} came with another body than is in the outbox"
    of_upload, announced = {}, {}
    for row in deliveries.values():
        announced.setdefault(row["upload_id"], []).append(row["type"])
    for delivery_id in sorted(first, key=first.__getitem__):
        told = json.loads(bodies[delivery_id])
        of_upload.setdefault(told["data"]["upload_id"], []).append(told["type"])
        if delivery_id not in deliveries and not world.was_restored:
            yield f"{delivery_id} came, and nobody has sent it"
    for upload_id in rows:
        expected = _expect_events(claims.get(upload_id, {}))
        if Counter(announced.get(upload_id, [])) != expected:
            yield f"of {upload_id} was announced {announced.get(upload_id)}, not {dict(expected)}"
        told = of_upload.get(upload_id, [])
        if not world.was_restored and told != sorted(told, key=EVENT_STEPS.__getitem__):
            yield f"of {upload_id} was told out of order: {told}"


def _expect_events(claims):
    expected = Counter(
        f"upload.{state}" for state in ("expired", "aborted", "uploaded", "deleted") if state in claims
    )
    if "deleted" in claims and "uploaded" not in claims:
        # Of an unconfirmed one nobody had been told.
        del expected["upload.deleted"]
    replaced = sum(claim.startswith("replaced:") for claim in claims)
    return expected + Counter({"upload.replaced": replaced})


def _check_acknowledged(world, rows):
    """What a client was told has arrived is there, with the same facts."""
    for upload_id, reply in world.acknowledged.items():
        row = rows.get(upload_id)
        if row is None or row["state"] not in ("uploaded", "deleted"):
            yield f"{upload_id} was acknowledged, and is {row and row['state']}"
        elif (row["size"], row["etag"]) != (reply["size"], reply["etag"]):
            yield f"{upload_id} was acknowledged as {reply}, and is {row['size']} bytes {row['etag']}"
