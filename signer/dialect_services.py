"""Grants what clients of other contracts wish for: the same grants, by the same rules, under the profile of their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ossgate.access import Caller
from ossgate.access.rates import CONFIRM, PARTS
from ossgate.ledger import Upload
from signer.dialect_prefixes import DialectPrefixes
from signer.dialects.contract import ConfiguredDialect
from signer.dialects.handed import CompletedUpload, FoundPart, HandedFile, HandedParts, HandedUpload
from signer.dialects.wishes import (
    AbortParts,
    BarePut,
    BeginParts,
    CompleteParts,
    FormUnderPrefix,
    ListParts,
    OneFile,
    SignOneRequest,
    SignParts,
    TemporaryCredentials,
    Wish,
)
from signer.facts import Via
from signer.grants import Grant, GrantRequest
from signer.issue_request import IssueRequest
from signer.multipart_grants import MultipartGrant
from signer.part_requests import CompleteRequest
from signer.profiles import Profile
from signer.put_grants import PutGrant
from signer.services import AnyGrant, SignerServices, UploadUnknown
from signer.upload_ids import is_upload_id


@dataclass(frozen=True, slots=True)
class DialectServices:
    """Grants wishes, and hands out what contracts write down."""

    signer: SignerServices
    prefixes: DialectPrefixes
    spoken: Sequence[ConfiguredDialect]

    def grant(self, wish: Wish, caller: Caller, spoken: ConfiguredDialect) -> Any:
        """Return what a wish comes to, of the kind that its contract's route renders.

        Raises:
            AccessDenied, RateLimited: From who may ask.
            SignerError: The profile does not give it; one subclass a reason.
            BucketUnavailable, StsUnavailable, QuotaExceeded, LedgerBusy, LedgerUnavailable: It cannot be given now.
        """
        if isinstance(wish, FormUnderPrefix):
            return self.prefixes.grant_form(wish, caller, spoken)
        if isinstance(wish, BarePut):
            return self.prefixes.grant_bare_put(wish, caller, spoken)
        if isinstance(wish, SignOneRequest):
            return self.prefixes.sign_one(wish, caller, spoken)
        if isinstance(wish, TemporaryCredentials):
            return self.prefixes.grant_credentials(wish, caller, spoken)
        if isinstance(wish, OneFile):
            return self._grant_file(wish, caller, spoken)
        if isinstance(wish, BeginParts):
            return self._begin(wish, caller, spoken)
        if isinstance(wish, SignParts):
            return self._sign_parts(wish, caller, spoken)
        if isinstance(wish, ListParts):
            return self._list_parts(wish, caller, spoken)
        if isinstance(wish, CompleteParts):
            return self._complete(wish, caller, spoken)
        assert isinstance(wish, AbortParts)
        return self._abort(wish, caller, spoken)

    def _grant_file(self, wish: OneFile, caller: Caller, spoken: ConfiguredDialect) -> HandedFile:
        request = GrantRequest(
            wish.filename,
            wish.size,
            wish.content_type,
            self._keep_declared(wish.metadata, spoken),
            dialect=spoken.name,
        )
        grant = self._issue(request, wish.via, caller, spoken)
        assert not isinstance(grant, MultipartGrant)
        return HandedFile(
            method=grant.method,
            url=grant.url,
            fields=grant.fields if isinstance(grant, Grant) else {},
            headers=grant.headers if isinstance(grant, PutGrant) else {},
            object_key=grant.facts.object_key,
            upload_id=grant.facts.upload_id,
            seconds=grant.facts.expires_at - grant.facts.issued_at,
        )

    def _begin(self, wish: BeginParts, caller: Caller, spoken: ConfiguredDialect) -> HandedUpload:
        request = GrantRequest(
            wish.filename,
            None,
            wish.content_type,
            self._keep_declared(wish.metadata, spoken),
            dialect=spoken.name,
            open_size=True,
        )
        facts = self._issue(request, "multipart", caller, spoken).facts
        return HandedUpload(facts.upload_id, facts.object_key, facts.bucket)

    def _sign_parts(self, wish: SignParts, caller: Caller, spoken: ConfiguredDialect) -> HandedParts:
        self.signer.limits.hit(PARTS, caller, cost=len(wish.part_numbers))
        upload = self._find(wish, caller, spoken)
        signed = self.signer.open_uploads.sign_parts(upload, list(wish.part_numbers))
        left = datetime.fromisoformat(signed["expires_at"]) - self.signer.now()
        return HandedParts(
            {part["part_number"]: part["url"] for part in signed["parts"]},
            max(1, int(left.total_seconds())),
        )

    def _list_parts(self, wish: ListParts, caller: Caller, spoken: ConfiguredDialect) -> list[FoundPart]:
        self.signer.limits.hit(CONFIRM, caller)
        listed = self.signer.open_uploads.list_parts(self._find(wish, caller, spoken))
        return [FoundPart(part["part_number"], part["etag"], part["size"]) for part in listed["parts"]]

    def _complete(self, wish: CompleteParts, caller: Caller, spoken: ConfiguredDialect) -> CompletedUpload:
        self.signer.limits.hit(CONFIRM, caller)
        upload = self._find(wish, caller, spoken)
        self.signer.open_uploads.complete(upload, CompleteRequest(wish.parts))
        place = self._profile(spoken).place
        return CompletedUpload(upload.object_key, upload.bucket, place.build_object_url(upload.object_key))

    def _abort(self, wish: AbortParts, caller: Caller, spoken: ConfiguredDialect) -> None:
        self.signer.limits.hit(CONFIRM, caller)
        self.signer.open_uploads.abort(self._find(wish, caller, spoken))

    def _issue(self, request: GrantRequest, via: Via, caller: Caller, spoken: ConfiguredDialect) -> AnyGrant:
        return self.signer.issue_grants(
            IssueRequest(spoken.profile, "", (request,), is_list=False, via=via), caller
        )[0]

    def _find(
        self,
        wish: SignParts | ListParts | CompleteParts | AbortParts,
        caller: Caller,
        spoken: ConfiguredDialect,
    ) -> Upload:
        found = self.signer.fetch_upload(wish.upload_id, caller) if is_upload_id(wish.upload_id) else None
        # Whoever names the key of one upload and the id of another has neither.
        if found is None or (found.object_key, found.profile) != (wish.object_key, spoken.profile):
            raise UploadUnknown("there is no such upload", hint="check its id and its key")
        return found

    def _keep_declared(self, metadata: Mapping[str, str], spoken: ConfiguredDialect) -> dict[str, object]:
        # Uploaders send whatever the page knows of a file; what the profile does not declare is nothing to us.
        declared = self._profile(spoken).variables
        return {name: value for name, value in metadata.items() if name in declared}

    def _profile(self, spoken: ConfiguredDialect) -> Profile:
        return self.signer.profiles[spoken.profile]
