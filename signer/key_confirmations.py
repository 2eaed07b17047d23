"""``POST /v1/confirm``: for clients that know nothing of an upload but its object key, below a prefix that was granted to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from flask import Blueprint, Response, current_app, request

from ossgate.access import Access, Caller
from ossgate.access.rates import CONFIRM, RateLimits
from ossgate.access.requests import identify_request
from ossgate.ledger import Ledger, Upload
from ossgate.wire import json_bytes_response
from signer.errors import SignerError
from signer.issue_request import FieldInvalid, parse_object, read_text, refuse_unknown
from signer.object_keys import MAX_KEY_BYTES
from signer.prefix_grants import PrefixForged, PrefixKeys, PrefixProof
from signer.profiles import Profile
from signer.services import UploadUnknown, choose_subject
from signer.views import refuse

bp = Blueprint("key_confirmations", __name__)
bp.register_error_handler(SignerError, refuse)
MAX_SUBJECT_TEXT = 1024


class ConfirmBelow(Protocol):
    """Asks the bucket for an object below a prefix that nothing has told of, and records it; nothing when it is another's."""

    def __call__(  # noqa: D102
        self,
        proof: PrefixProof,
        profile: str,
        object_key: str,
        *,
        owner: tuple[str, str] | None,
        may_see: Callable[[str, str], bool],
    ) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class KeyConfirmations:
    """Confirms uploads by their keys.

    ``confirm`` asks for an upload that the ledger has, ``confirm_below`` for one that it has not.
    """

    prefix_keys: PrefixKeys
    profiles: Mapping[str, Profile]
    access: Access
    limits: RateLimits
    ledger: Ledger
    confirm: Callable[[Upload], bytes]
    confirm_below: ConfirmBelow

    def answer(self, object_key: str, wanted_subject: str, caller: Caller) -> bytes:
        """Return what the callback of this object answered, or would have.

        Raises:
            FieldInvalid: The caller may not name a subject.
            RateLimited: The caller asks too often.
            UploadUnknown: The key lies below no prefix of ours, or below another's; answered with 404.
            AccessDenied: The caller's page is foreign to the profile.
            CallbackRefused, BucketUnavailable, LedgerBusy, LedgerUnavailable: As when an upload is confirmed by its id.
        """
        subject = choose_subject(wanted_subject, caller)
        # Before it is told whether there is one, so that nobody tries keys at leisure.
        self.limits.hit(CONFIRM, caller, subject)
        found = self._find_proof(object_key)
        reply = self._confirm(*found, object_key, subject, caller) if found else None
        if reply is None:
            raise UploadUnknown(
                "there is no such upload", hint="check the key: it begins with a dir that was granted to you"
            )
        return reply

    def _confirm(
        self, profile: Profile, proof: PrefixProof, object_key: str, subject: str, caller: Caller
    ) -> bytes | None:
        self.access.origins.require_origin(caller, profile.name)
        if caller.profile not in ("", profile.name):
            # A bearer is good for one profile alone.
            return None
        is_owner = self.prefix_keys.is_owner(proof.grant_id, issuer=caller.issuer, subject=subject)
        upload = self.ledger.fetch_upload(proof.upload_id)
        if upload is not None:
            may_see = is_owner or caller.may_see(upload.issuer, upload.subject)
            return self.confirm(upload) if may_see else None
        return self.confirm_below(
            proof,
            profile.name,
            object_key,
            owner=(caller.issuer, subject) if is_owner else None,
            may_see=caller.may_see,
        )

    def _find_proof(self, object_key: str) -> tuple[Profile, PrefixProof] | None:
        for profile in self.profiles.values():
            try:
                proof = self.prefix_keys.verify(object_key, bucket=profile.place.bucket, profile=profile.name)
            except PrefixForged:
                continue
            return profile, proof
        return None


@bp.post("/v1/confirm")
def confirm_by_key() -> Response:
    """Ask the bucket for the object of a key, and answer what the callback would have answered."""
    services: KeyConfirmations = current_app.extensions["key_confirmations"]
    # Who was handed a bearer for a client without headers holds nothing else to ask with.
    caller = identify_request(services.access, allow_query_bearer=True)
    data = parse_object(request.get_data(), example='{"object_key": …}')
    refuse_unknown(data, {"object_key", "subject"})
    object_key = read_text(data, "object_key", MAX_KEY_BYTES)
    if not object_key:
        raise FieldInvalid(
            "the field object_key is missing", hint="send the whole key, as the file was uploaded"
        )
    return json_bytes_response(
        services.answer(object_key, read_text(data, "subject", MAX_SUBJECT_TEXT), caller)
    )
