"""Every refusal of a callback, with the layer that refused it.

    CallbackRefused
    ├── request     RequestMalformed, BodyTooLarge
    ├── signature   PublicKeyUrlRejected, SignatureInvalid
    ├── ticket      TicketRefused, TicketExpired, ClaimsContradictTicket
    ├── bucket      ObjectMissing, BucketDisagrees, ChecksumMismatch
    └── ledger      UploadReplaced, UploadClosed

No error here knows an HTTP status: the edge has one table from class to status.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Layer = Literal["request", "signature", "ticket", "bucket", "ledger"]


class CallbackRefused(Exception):
    """A callback that is not believed."""

    code: ClassVar[str] = "callback_refused"
    layer: ClassVar[Layer] = "request"

    def __init__(self, message: str, *, hint: str = "", upload_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.upload_id = upload_id


class RequestMalformed(CallbackRefused):
    """No callback of the form that our definition asks for."""

    code = "callback_malformed"


class BodyTooLarge(CallbackRefused):
    """A body larger than any callback of ours."""

    code = "callback_too_large"


class PublicKeyUrlRejected(CallbackRefused):
    """The request names a public key that is not pinned."""

    code = "public_key_url_rejected"
    layer = "signature"


class SignatureInvalid(CallbackRefused):
    """OSS did not sign these bytes for this target."""

    code = "callback_signature_invalid"
    layer = "signature"


class TicketRefused(CallbackRefused):
    """The callback carries no ticket that one of our keys signed."""

    code = "ticket_refused"
    layer = "ticket"


class TicketExpired(CallbackRefused):
    """The ticket's upload should have arrived long ago."""

    code = "ticket_expired"
    layer = "ticket"


class ClaimsContradictTicket(CallbackRefused):
    """Bucket, key, size or type are not those that were granted."""

    code = "claims_contradict_ticket"
    layer = "ticket"


class ObjectMissing(CallbackRefused):
    """The bucket has no such object."""

    code = "object_missing"
    layer = "bucket"


class BucketDisagrees(CallbackRefused):
    """The bucket's object is not the one that the callback tells of."""

    code = "bucket_disagrees"
    layer = "bucket"


class ChecksumMismatch(CallbackRefused):
    """The object has other bytes than the client promised."""

    code = "checksum_mismatch"
    layer = "bucket"


class UploadReplaced(CallbackRefused):
    """The upload arrived before, with other bytes."""

    code = "upload_replaced"
    layer = "ledger"


class UploadClosed(CallbackRefused):
    """The upload was aborted or deleted before."""

    code = "upload_closed"
    layer = "ledger"
