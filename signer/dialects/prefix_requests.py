"""URLs for clients that send no header of ours: one request each, to a key below a prefix.

Rules: *Add signatures to URLs*, https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls. A Content-Type that the client sends
takes part in the signature, and so does every ``x-oss-*`` header, so none can be added; the callback travels in the query. Neither forbid-overwrite
nor the seal's metadata can be demanded: both are headers.
"""

from __future__ import annotations

from signer.dialects.handed import HandedUrl
from signer.dialects.wishes import BarePut, SignOneRequest
from signer.file_names import choose_extension, clean_file_name, clean_segment, split_extension
from signer.presign import UrlSigner
from signer.put_grants import CALLBACK_PARAMETER, LENGTH_HEADER

DEFAULT_NAME = "file"
_METHODS = {
    "PutObject": "PUT",
    "InitiateMultipartUpload": "POST",
    "UploadPart": "PUT",
    "CompleteMultipartUpload": "POST",
    "ListParts": "GET",
    "AbortMultipartUpload": "DELETE",
}


def build_key_below(prefix: str, proposed: str, content_type: str) -> str:
    """Return the key below a prefix for the name that a client proposes; of a path it keeps the last part.

    Raises:
        FileNameInvalid: There is nothing usable in it, or it is above 255 bytes; answered with 422.
    """
    name = clean_file_name(proposed) if proposed else DEFAULT_NAME
    return (
        prefix + clean_segment(split_extension(name)[0], DEFAULT_NAME) + choose_extension(name, content_type)
    )


def sign_bare_put(
    wish: BarePut, *, object_key: str, content_type: str, callback_param: str, signer: UrlSigner, expires: int
) -> HandedUrl:
    """Return the URL of one PUT that carries all that can be carried: key, type, callback, and the length when it is told."""
    headers = {"Content-Type": content_type}
    if wish.size is not None:
        headers[LENGTH_HEADER] = str(wish.size)
    url = signer.sign(
        "PUT",
        object_key,
        expires=expires,
        query=[(CALLBACK_PARAMETER, callback_param)],
        headers=headers,
        additional_headers=[LENGTH_HEADER],
    )
    return HandedUrl(url, object_key, content_type)


def sign_one_request(
    wish: SignOneRequest,
    *,
    object_key: str,
    content_type: str,
    callback_param: str,
    signer: UrlSigner,
    expires: int,
) -> HandedUrl:
    """Return the URL of the request that a client composes.

    Of the completion the client reads OSS's XML, whose place a callback's reply would take: such an upload is found by reconciliation.
    """
    query: list[tuple[str, str]] = []
    if wish.operation == "PutObject":
        query.append((CALLBACK_PARAMETER, callback_param))
    elif wish.operation == "InitiateMultipartUpload":
        query.append(("uploads", ""))
    else:
        if wish.operation == "UploadPart":
            query.append(("partNumber", str(wish.part_number)))
        query.append(("uploadId", wish.multipart_upload_id))
    url = signer.sign(
        _METHODS[wish.operation],
        object_key,
        expires=expires,
        query=query,
        headers={"Content-Type": content_type} if content_type else {},
    )
    return HandedUrl(url, object_key, content_type)
