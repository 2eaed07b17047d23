"""Callbacks as they go wrong: lost, late, twice, in another order, wrongly signed, with another body.

Effects of different kinds go together: a late callback may be wrongly signed and come twice.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from ossgate.emulator.callback_definition import JSON_TYPE, CallbackDefinition, CallbackUrl
from ossgate.emulator.callback_key import CallbackKeyRing, CallbackSigner
from ossgate.emulator.callback_sender import (
    UNREACHABLE,
    CallbackResult,
    CallbackSender,
    fail_late,
    fail_with_status,
)
from ossgate.emulator.fault_matching import ActiveFault
from ossgate.emulator.fault_player import FaultPlayer

_OTHER_TEXT = "<html>This is not what the application expects.</html>"


@dataclass(frozen=True, slots=True)
class _ForgedSignature:
    """Signs something else than what is sent."""

    signer: CallbackSigner

    def sign(self, target: str, body: bytes) -> str:
        return self.signer.sign(target, body + b"\n")


@dataclass(frozen=True, slots=True)
class _StaleSignature:
    """Signs the body as it was before it was changed."""

    signer: CallbackSigner
    body: bytes

    def sign(self, target: str, body: bytes) -> str:
        del body
        return self.signer.sign(target, self.body)


@dataclass(frozen=True, slots=True)
class FaultyCallbackSender:
    """Sends callbacks, with the faults that were asked for."""

    sender: CallbackSender
    keys: CallbackKeyRing
    player: FaultPlayer

    def send(
        self,
        definition: CallbackDefinition,
        body: bytes,
        *,
        bucket: str,
        object_key: str,
        operation: str,
        request_id: str,
    ) -> tuple[CallbackResult, CallbackUrl]:
        """Send a callback; tell how it ended, and at which URL."""
        faults = self.player.take_callback(operation, bucket, object_key)
        answer = faults.get("answer")
        if answer is not None and answer.rule.action == "drop":
            return UNREACHABLE, definition.urls[0]
        if answer is not None and answer.rule.action == "status":
            return fail_with_status(int(answer.rule.parameters["status"])), definition.urls[0]
        sender, wrong_body = self._spoil(faults, body, definition.body_type)

        def deliver() -> tuple[CallbackResult, CallbackUrl]:
            outcome = None
            for _ in range(_count_copies(faults)):
                sent = sender.send(definition, wrong_body, bucket=bucket, request_id=request_id)
                outcome = outcome or sent
            self.player.holding.tell_delivered()
            assert outcome is not None
            return outcome

        late = faults.get("time")
        given_up = fail_late(definition.urls[0], self.sender.timeout), definition.urls[0]
        if late is not None and late.rule.parameters.get("give_up"):
            self.player.defer(
                late.rule.parameters["seconds"],
                lambda: self._tell_late(deliver, bucket, object_key, request_id),
            )
            return given_up
        if late is not None and late.rule.action == "reorder":
            self.player.holding.hold(late.rule.parameters["seconds"])
        elif late is not None:
            self.player.sleep(late.rule.parameters["seconds"])
        outcome = deliver()
        return given_up if answer is not None else outcome

    def _tell_late(
        self,
        deliver: Callable[[], tuple[CallbackResult, CallbackUrl]],
        bucket: str,
        object_key: str,
        request_id: str,
    ) -> None:
        result, url = deliver()
        self.player.transcript.record(
            "callback_late",
            bucket=bucket,
            object_key=object_key,
            request_id=request_id,
            receiver=f"{url.host_header}{urlsplit(url.target).path}",
            message=result.message or "The receiver answered, but nobody waits for its answer any more.",
        )

    def _spoil(
        self, faults: Mapping[str, ActiveFault], body: bytes, body_type: str
    ) -> tuple[CallbackSender, bytes]:
        key, url = self.keys.key, self.sender.public_key_url
        spoilt = faults.get("key")
        if spoilt is not None and spoilt.rule.action == "rotated_key":
            key = self.keys.rotated
            if spoilt.rule.parameters["url"] == "other":
                url = self.keys.rotated_url
        if url == self.sender.public_key_url:
            # Who fetches the key while the callback waits finds the one that it was signed with.
            self.keys.serve(key)
        signer: CallbackSigner = key
        wrong_body = body
        changed = faults.get("body")
        if changed is not None:
            wrong_body = change_body(body, body_type, changed.rule.parameters)
            if not changed.rule.parameters["signed"]:
                signer = _StaleSignature(signer, body)
        if spoilt is not None and spoilt.rule.action == "bad_signature":
            signer = _ForgedSignature(signer)
        return replace(self.sender, key=signer, public_key_url=url), wrong_body


def change_body(body: bytes, body_type: str, parameters: Mapping[str, Any]) -> bytes:
    """Write another body, as the fault's parameters say."""
    if "truncate" in parameters:
        return body[: parameters["truncate"]]
    if "change" in parameters:
        changes: Mapping[str, Any] = parameters["change"]
        return _change_json(body, changes) if body_type == JSON_TYPE else _change_form(body, changes)
    return str(parameters.get("text", _OTHER_TEXT)).encode()


def _change_json(body: bytes, changes: Mapping[str, Any]) -> bytes:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = {}
    # What is no object has no fields to change.
    return json.dumps(
        {**(document if isinstance(document, dict) else {}), **changes}, ensure_ascii=False
    ).encode()


def _change_form(body: bytes, changes: Mapping[str, Any]) -> bytes:
    left = {quote(name, safe=""): quote(str(value), safe="") for name, value in changes.items()}
    parts = []
    for part in body.decode().split("&"):
        name = part.partition("=")[0]
        parts.append(f"{name}={left.pop(name)}" if name in left else part)
    return "&".join([*parts, *(f"{name}={value}" for name, value in left.items())]).encode()


def _count_copies(faults: Mapping[str, ActiveFault]) -> int:
    double = faults.get("copies")
    return 1 if double is None else int(double.rule.parameters["copies"])
