"""``signRequest`` of Uppy 6's AwsS3 plugin: the client composes each request to the bucket, and has its URL signed.

Rules: https://github.com/transloadit/uppy, ``packages/@uppy/aws-s3/src/s3-client``: PUT with a key is PutObject, POST InitiateMultipartUpload; with
``uploadId`` PUT is UploadPart, POST CompleteMultipartUpload, GET ListParts, DELETE AbortMultipartUpload. The client sends the file's Content-Type
with the first two, XML's with the completion, none with the rest, no other header ever, and reads OSS's XML. It takes the key that it is answered
for its own, so the key that it proposes is put below a prefix, and from then on it names that one.
"""

from __future__ import annotations

from typing import Literal

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.handed import HandedUrl
from signer.dialects.request_fields import CONTENT_TYPES, read_fields, read_text
from signer.dialects.wishes import Explain, SignOneRequest, Wish
from signer.errors import PartNumberInvalid, quote
from signer.issue_request import FieldInvalid
from signer.profiles import MAX_PARTS

XML = "application/xml"
MAX_UPLOAD_ID_LENGTH = 128

Operation = Literal[
    "PutObject",
    "InitiateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "ListParts",
    "AbortMultipartUpload",
]
_OPERATIONS: dict[tuple[str, bool], Operation] = {
    ("PUT", False): "PutObject",
    ("POST", False): "InitiateMultipartUpload",
    ("PUT", True): "UploadPart",
    ("POST", True): "CompleteMultipartUpload",
    ("GET", True): "ListParts",
    ("DELETE", True): "AbortMultipartUpload",
}
_TYPED = ("PutObject", "InitiateMultipartUpload")


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a URL for the request that the client describes.

    Raises:
        FieldInvalid, PartNumberInvalid, RequestMalformed: It describes none; answered with 400 and 422.
    """
    fields = read_fields(request)
    method, key = read_text(fields, "method").upper(), read_text(fields, "key")
    upload_id = read_text(fields, "uploadId")
    if not key or len(upload_id) > MAX_UPLOAD_ID_LENGTH:
        raise FieldInvalid("the field key is missing", hint='send {"method": "PUT", "key": "photo.jpg"}')
    operation = _OPERATIONS.get((method, bool(upload_id)))
    if operation is None:
        return Explain(
            403,
            "operation_forbidden",
            f"{quote(method)} of an object is not signed here",
            "PUT and POST are, and with uploadId GET and DELETE",
        )
    number = 0
    if operation == "UploadPart":
        sent = fields.get("partNumber")
        if type(sent) is not int or not 1 <= sent <= MAX_PARTS:
            raise PartNumberInvalid(
                f"{quote(sent)} is no part number", hint=f"parts are numbered from 1 to {MAX_PARTS}"
            )
        number = sent
    # A page tells the file's type with every request, but these alone are sent with it, and a part has none.
    content_type = read_text(fields, *CONTENT_TYPES) if operation in _TYPED else ""
    if operation == "CompleteMultipartUpload":
        content_type = XML
    return SignOneRequest(operation, key, content_type, upload_id, number)


def render(handed: HandedUrl, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the URL and the key that it is for."""
    return answer_json({"url": handed.url, "key": handed.object_key}, options)


DIALECT = Dialect(
    name="uppy_sign",
    usual_paths=("/uppy/sign",),
    routes=(Route("", ("POST",), read, render),),
    refuse=refuse_json,
    ways=("put", "multipart"),
    names_keys=True,
)
