"""Which refusals an operation may answer with: status and code, from the very tables that the views answer by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import callback.errors
import callback.views
import signer.errors
import signer.views
from ossgate.bucket import BucketUnavailable
from ossgate.bucket.sts import StsUnavailable
from ossgate.ledger import LedgerBusy, LedgerUnavailable, QuotaExceeded, SchemaOutdated
from signer.credentials import CredentialsUnavailable
from signer.issue_request import FieldInvalid, RequestMalformed
from signer.services import ProfileUnknown


class Refusal(NamedTuple):
    """One way to be refused."""

    status: int
    code: str


def list_refusals(table: Iterable[tuple[type[Exception], int]], *kinds: type[Any]) -> list[Refusal]:
    """Return the refusals of these errors and all more special ones, by the first row of the table that fits each."""
    rows = list(table)
    found = {
        Refusal(next(status for row, status in rows if issubclass(kind, row)), kind.code)
        for base in kinds
        for kind in _list_kinds(base)
    }
    return sorted(found)


def _list_kinds(kind: type[Any]) -> list[type[Any]]:
    below = [each for child in kind.__subclasses__() for each in _list_kinds(child)]
    # A class that others are made of is never raised itself.
    return below or [kind]


def _with_status(status: int, *codes: str) -> list[Refusal]:
    return [Refusal(status, code) for code in codes]


_SIGNER = signer.views.STATUSES
_CALLBACK = callback.views.STATUSES

CRASH = _with_status(500, "internal_error")
TOO_LARGE = _with_status(413, "request_entity_too_large")
# Raised by name in ossgate/access; a test compares.
CREDENTIALS = [
    *_with_status(
        401,
        "credentials_invalid", "jwt_malformed", "jwt_algorithm_forbidden", "jwt_crit_unsupported", "jwt_key_unknown",
        "jwt_signature_invalid", "jwt_expired", "jwt_not_yet_valid", "jwt_issuer_wrong", "jwt_audience_wrong",
        "jwt_claim_missing", "jwt_claim_wrong", "jwt_subject_invalid", "proxy_header_invalid", "session_invalid",
    ),
    *_with_status(403, "csrf_refused"),
    *_with_status(503, "jwt_keys_unavailable"),
]  # fmt: skip
MISSING = _with_status(401, "credentials_missing")
ORIGIN = _with_status(403, "origin_forbidden")
PROFILE = [
    *MISSING,
    *ORIGIN,
    *_with_status(403, "profile_forbidden"),
    *list_refusals(_SIGNER, ProfileUnknown),
]
OPERATOR = [*CREDENTIALS, *MISSING, *ORIGIN, *_with_status(403, "operator_required")]
QUERY = _with_status(422, FieldInvalid.code)
RATE = _with_status(429, "rate_limited")
UNKNOWN = _with_status(404, "upload_unknown", "not_found")
CALLBACK_UNKNOWN = _with_status(404, "callback_unknown", "not_found")
LEDGER_READ = _with_status(503, LedgerBusy.code, LedgerUnavailable.code, SchemaOutdated.code)
BUCKET = _with_status(503, BucketUnavailable.code)
SIGNING = _with_status(503, CredentialsUnavailable.code)

BODY = [*list_refusals(_SIGNER, RequestMalformed, FieldInvalid), *TOO_LARGE]
ISSUE = [
    *CREDENTIALS,
    *PROFILE,
    *BODY,
    *list_refusals(_SIGNER, signer.errors.GrantRefused, signer.errors.PartSizeInvalid),
    *_with_status(429, QuotaExceeded.code),
    *RATE,
    *LEDGER_READ,
    *BUCKET,
    *SIGNING,
]
TEMPORARY = [each for each in ISSUE if each not in BUCKET] + _with_status(503, StsUnavailable.code)
ONE_UPLOAD = [*CREDENTIALS, *ORIGIN, *UNKNOWN, *LEDGER_READ, *SIGNING]
ARRIVAL = [
    *list_refusals(
        _CALLBACK,
        callback.errors.ObjectMissing,
        callback.errors.BucketDisagrees,
        callback.errors.ChecksumMismatch,
        callback.errors.UploadReplaced,
        callback.errors.UploadClosed,
    ),
    *BUCKET,
]
_OPEN = (
    signer.errors.NotMultipart,
    signer.errors.UploadArrived,
    signer.errors.UploadGone,
    signer.errors.GrantExpired,
)
SIGN_PARTS = [
    *ONE_UPLOAD,
    *RATE,
    *BODY,
    *list_refusals(_SIGNER, *_OPEN, signer.errors.PartNumberInvalid, signer.errors.TooManyParts),
]
LIST_PARTS = [*ONE_UPLOAD, *RATE, *BUCKET, *list_refusals(_SIGNER, *_OPEN)]
COMPLETE = [
    *ONE_UPLOAD,
    *RATE,
    *BODY,
    *ARRIVAL,
    *list_refusals(
        _SIGNER,
        *_OPEN,
        signer.errors.ObjectExists,
        signer.errors.PartNumberInvalid,
        signer.errors.PartsMissing,
        signer.errors.PartsMismatch,
        signer.errors.PartTooSmall,
        signer.errors.PartsSizeMismatch,
    ),
]
ABORT = [
    *ONE_UPLOAD,
    *RATE,
    *BUCKET,
    *list_refusals(
        _SIGNER, signer.errors.UploadArrived, signer.errors.GrantStillGood, signer.errors.UploadGone
    ),
]
CALLBACK = [*list_refusals(_CALLBACK, callback.errors.CallbackRefused), *LEDGER_READ]
BEARERS = [*CREDENTIALS, *PROFILE, *BODY, *_with_status(403, "bearer_forbidden"), *RATE]


def group_codes(refusals: Sequence[Refusal]) -> dict[int, list[str]]:
    """Return the codes of each status, both in order."""
    grouped: dict[int, set[str]] = {}
    for status, code in [*refusals, *CRASH]:
        grouped.setdefault(status, set()).add(code)
    return {status: sorted(codes) for status, codes in sorted(grouped.items())}
