"""The errors of the signing core.

    SignerError
    ├── RequestMalformed        signer.issue_request: a body that is not of the documented form
    ├── FieldInvalid            signer.issue_request: one field of it
    ├── FactsMalformed          signer.facts: bytes that are no facts
    ├── ConfigurationError      found when the settings are loaded; the service does not start
    ├── CredentialsUnavailable  signer.credentials: nothing to sign with at the moment
    ├── ConditionError          a policy condition that OSS would read otherwise than it was meant
    ├── GrantRefused            a request asks for what its profile does not give
    │   ├── FileNameInvalid  SizeInvalid  SizeOverLimit  SizeUnderLimit
    │   ├── SizeMissing  ViaNotAllowed  PrefixNotAllowed
    │   ├── ContentTypeNotAllowed  VariablesInvalid  SubjectInvalid
    │   ├── ChecksumInvalid  ChecksumNotPossible
    │   └── GrantTooLarge
    ├── HeldGrantInvalid        a prefix that a client would go on with, and that is not its own
    ├── PartsRefused            a request about the parts of an upload that does not fit it
    │   ├── PartNumberInvalid  TooManyParts  PartSizeInvalid
    │   └── PartsMissing  PartsMismatch  PartTooSmall  PartsSizeMismatch
    ├── UploadNotOpen           an upload that this cannot be done with
    │   └── NotMultipart  UploadArrived  UploadGone  GrantStillGood  GrantExpired  ObjectExists
    ├── TicketError             TicketMalformed  TicketForged
    ├── SealError
    └── PrefixForged            signer.prefix_grants: an object key below no prefix of ours

No error here knows an HTTP status: an edge has one table from class to status.
"""

from __future__ import annotations

from typing import ClassVar


def quote(text: object, limit: int = 60) -> str:
    """Return a short, escaped piece of foreign input, fit for a message or a log."""
    if isinstance(text, (str, bytes)):
        # Cut before it is escaped: a name may have megabytes.
        shown = repr(text[:limit])
    elif text is None or isinstance(text, (bool, float)):
        shown = repr(text)
    elif isinstance(text, int):
        # Python refuses to write numbers of thousands of digits.
        shown = repr(text) if text.bit_length() < 128 else "a huge number"
    else:
        shown = repr(type(text).__name__)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


class SignerError(Exception):
    """Something that the signing core refuses."""

    code: ClassVar[str] = "signer_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(SignerError):
    """A setting that cannot work; the hint says how to write it."""

    code = "configuration_invalid"


class ConditionError(SignerError):
    """A policy condition whose value OSS would not read as it was meant."""

    code = "condition_invalid"


class GrantRefused(SignerError):
    """A request asks for what its profile does not give."""

    code = "grant_refused"


class FileNameInvalid(GrantRefused):
    """A file name with nothing usable in it, or one above 255 bytes."""

    code = "filename_invalid"


class SizeInvalid(GrantRefused):
    """A size that is not a whole number of bytes, or is negative."""

    code = "size_invalid"


class SizeOverLimit(GrantRefused):
    """A size above the profile's limit."""

    code = "size_over_limit"


class SizeUnderLimit(GrantRefused):
    """A size below what the profile accepts."""

    code = "size_under_limit"


class SizeMissing(GrantRefused):
    """No size, where the way of upload can only promise an exact one."""

    code = "size_missing"


class ViaNotAllowed(GrantRefused):
    """A way of upload that the profile does not list."""

    code = "via_not_allowed"


class PrefixNotAllowed(GrantRefused):
    """A prefix, under a profile that grants single files alone."""

    code = "prefix_not_allowed"


class ContentTypeNotAllowed(GrantRefused):
    """A content type that the profile does not list."""

    code = "content_type_not_allowed"


class VariablesInvalid(GrantRefused):
    """Client variables that the profile does not declare, or not of this type or length."""

    code = "vars_invalid"


class SubjectInvalid(GrantRefused):
    """A subject that is empty, too long or holds control characters."""

    code = "subject_invalid"


class ChecksumInvalid(GrantRefused):
    """A checksum that is none."""

    code = "checksum_invalid"


class ChecksumNotPossible(GrantRefused):
    """A checksum, where the way of upload cannot be held to one."""

    code = "checksum_not_possible"


class HeldGrantInvalid(SignerError):
    """A grant that a client would go on with, and that is not its own."""

    code = "held_grant_invalid"


class GrantTooLarge(GrantRefused):
    """All fields together would push the callback parameter over OSS's 5 KB."""

    code = "grant_too_large"


class PartsRefused(SignerError):
    """A request about the parts of an upload that does not fit it."""

    code = "parts_invalid"


class PartNumberInvalid(PartsRefused):
    """A part number that is no whole number from 1 to the upload's number of parts."""

    code = "part_number_invalid"


class TooManyParts(PartsRefused):
    """More part numbers in one request than are signed at once."""

    code = "too_many_parts"


class PartSizeInvalid(PartsRefused):
    """A part size that OSS does not take, or that makes more than 10,000 parts."""

    code = "part_size_invalid"


class PartsMissing(PartsRefused):
    """No part has arrived."""

    code = "parts_missing"


class PartsMismatch(PartsRefused):
    """A list of parts that is not what the bucket holds."""

    code = "parts_mismatch"


class PartTooSmall(PartsRefused):
    """A part other than the last below OSS's 100 KB."""

    code = "part_too_small"


class PartsSizeMismatch(PartsRefused):
    """Parts that together do not have the size that was granted."""

    code = "parts_size_mismatch"


class UploadNotOpen(SignerError):
    """An upload that this cannot be done with."""

    code = "upload_not_open"


class NotMultipart(UploadNotOpen):
    """Parts are asked of an upload that has none."""

    code = "not_multipart"


class UploadArrived(UploadNotOpen):
    """The object is there already."""

    code = "upload_arrived"


class GrantStillGood(UploadNotOpen):
    """A signed form or PUT cannot be taken back before its end."""

    code = "grant_still_good"


class UploadGone(UploadNotOpen):
    """The upload was aborted or deleted, here or in the bucket."""

    code = "upload_closed"


class GrantExpired(UploadNotOpen):
    """The grant's time is over."""

    code = "grant_expired"


class ObjectExists(UploadNotOpen):
    """Another object stands under the key, which is not overwritten."""

    code = "object_exists"


class TicketError(SignerError):
    """A ticket that is not ours."""

    code = "ticket_invalid"


class TicketMalformed(TicketError):
    """Text that cannot be a ticket."""

    code = "ticket_malformed"


class TicketForged(TicketError):
    """A ticket that none of our keys signed."""

    code = "ticket_forged"


class SealError(SignerError):
    """A seal that none of our keys made."""

    code = "seal_invalid"
