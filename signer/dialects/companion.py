"""The ``/s3`` routes of Uppy's Companion, for Uppy's AwsS3 plugin up to version 5 and for the one after it.

Rules: https://uppy.io/docs/aws-s3/ and https://github.com/transloadit/uppy, ``packages/@uppy/companion/src/server/controllers/s3``. The newer
plugin makes an object's address of ``url`` and ``key``, so ``url`` ends with a slash; the older one shows ``message`` of an error and ends a slow
request after ``expires`` seconds. Parts have the size that the client likes and that it does not tell, so no part's length is signed and their sum
is judged when we complete the upload. ``uploadId`` is our own id: the clients only hand it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Refusal,
    Route,
    answer_json,
)
from signer.dialects.handed import CompletedUpload, FoundPart, HandedFile, HandedParts, HandedUpload
from signer.dialects.presign import read_one_file
from signer.dialects.request_fields import read_fields, read_metadata, read_text
from signer.dialects.wishes import (
    AbortParts,
    BeginParts,
    CompleteParts,
    Explain,
    ListParts,
    SignParts,
    Wish,
)
from signer.profiles import MAX_PARTS
from signer.stored_parts import NamedPart

MAX_BATCH = 100
_NAME_MISSING = Explain(
    400, "filename_invalid", "s3: the filename is required and must be a non-empty string"
)
_KEY_MISSING = Explain(400, "field_invalid", "s3: the object key must be passed as a query parameter")
_NUMBERS = Explain(
    400, "part_number_invalid", f"s3: the part number must be a number between 1 and {MAX_PARTS}"
)
_PARTS = Explain(400, "field_invalid", "s3: parts must be an array of {PartNumber, ETag}")


def read_params(request: DialectRequest, options: Options) -> Wish:
    """Want one exact file by a form."""
    return read_one_file(request) if request.query.get("filename") else _NAME_MISSING


def render_params(handed: HandedFile, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the form."""
    url = handed.url if handed.url.endswith("/") else handed.url + "/"
    return answer_json(
        {
            "method": handed.method,
            "url": url,
            "fields": dict(handed.fields),
            "expires": handed.seconds,
        },
        options,
    )


def read_begin(request: DialectRequest, options: Options) -> Wish:
    """Want an upload in parts."""
    fields = read_fields(request)
    name = read_text(fields, "filename")
    return BeginParts(name, read_text(fields, "type"), read_metadata(fields)) if name else _NAME_MISSING


def render_begun(handed: HandedUpload, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the upload's key and id."""
    return answer_json(
        {"key": handed.object_key, "uploadId": handed.upload_id, "bucket": handed.bucket}, options
    )


def read_list(request: DialectRequest, options: Options) -> Wish:
    """Want to know which parts have arrived."""
    key = request.query.get("key")
    return ListParts(request.arguments["upload_id"], key) if key else _KEY_MISSING


def render_list(found: list[FoundPart], request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the parts; the ETag in its quotes, as S3 has it."""
    return answer_json(
        [{"PartNumber": part.part_number, "ETag": f'"{part.etag}"', "Size": part.size} for part in found],
        options,
    )


def read_part(request: DialectRequest, options: Options) -> Wish:
    """Want a URL for one part."""
    return _read_numbers(request, [request.arguments["part_number"]])


def render_part(handed: HandedParts, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the URL and how long it lives."""
    return answer_json({"url": next(iter(handed.urls.values())), "expires": handed.seconds}, options)


def read_batch(request: DialectRequest, options: Options) -> Wish:
    """Want URLs for several parts."""
    return _read_numbers(request, request.query.get("partNumbers", "").split(","))


def render_batch(handed: HandedParts, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the URLs by number."""
    return answer_json({"presignedUrls": {str(number): url for number, url in handed.urls.items()}}, options)


def read_complete(request: DialectRequest, options: Options) -> Wish:
    """Want the object made."""
    key = request.query.get("key")
    if not key:
        return _KEY_MISSING
    parts = read_fields(request).get("parts")
    if not isinstance(parts, list) or not 0 < len(parts) <= MAX_PARTS:
        return _PARTS
    named = []
    for part in parts:
        number, etag = (
            (part.get("PartNumber"), part.get("ETag")) if isinstance(part, Mapping) else (None, None)
        )
        if type(number) is not int or not 1 <= number <= MAX_PARTS or not isinstance(etag, str):
            return _PARTS
        named.append(NamedPart(number, etag[:80]))
    return CompleteParts(request.arguments["upload_id"], key, tuple(named))


def render_completed(handed: CompletedUpload, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write where the object is."""
    return answer_json(
        {"location": handed.location, "key": handed.object_key, "bucket": handed.bucket}, options
    )


def read_abort(request: DialectRequest, options: Options) -> Wish:
    """Want the upload given up."""
    key = request.query.get("key")
    return AbortParts(request.arguments["upload_id"], key) if key else _KEY_MISSING


def render_aborted(handed: None, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write nothing."""
    return answer_json({}, options)


def read_sts(request: DialectRequest, options: Options) -> Wish:
    """Explain: with these credentials Uppy would sign by AWS's rules, for AWS's hosts."""
    return Explain(
        400,
        "sts_not_supported",
        "s3: temporary credentials cannot be used here, since Uppy would sign for Amazon's hosts",
        "leave getTemporarySecurityCredentials out: every request is signed by this server",
    )


def render_nothing(handed: Any, request: DialectRequest, options: Options) -> DialectAnswer:
    """Stand where no wish is ever granted."""
    raise AssertionError("an explanation is not rendered")


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status, and with the text under both names that the two plugins read."""
    return DialectAnswer(
        orjson.dumps({"error": refusal.sentence, "message": refusal.sentence, "code": refusal.code}),
        refusal.status,
    )


def _read_numbers(request: DialectRequest, written: list[str]) -> Wish:
    key = request.query.get("key")
    if not key:
        return _KEY_MISSING
    numbers = [
        int(number)
        for number in written
        if number.isascii() and number.isdigit() and len(number) < 6 and 1 <= int(number) <= MAX_PARTS
    ]
    if len(numbers) != len(written) or len(numbers) > MAX_BATCH:
        return _NUMBERS
    return SignParts(request.arguments["upload_id"], key, tuple(numbers))


_ONE = "/multipart/<upload_id>"
DIALECT = Dialect(
    name="companion",
    usual_paths=("/s3",),
    routes=(
        Route("/params", ("GET",), read_params, render_params),
        Route("/multipart", ("POST",), read_begin, render_begun),
        Route(_ONE, ("GET",), read_list, render_list),
        Route(_ONE, ("DELETE",), read_abort, render_aborted),
        Route(_ONE + "/batch", ("GET",), read_batch, render_batch),
        Route(_ONE + "/<part_number>", ("GET",), read_part, render_part),
        Route(_ONE + "/complete", ("POST",), read_complete, render_completed),
        Route("/sts", ("GET",), read_sts, render_nothing),
    ),
    refuse=refuse,
    ways=("post", "multipart"),
)
