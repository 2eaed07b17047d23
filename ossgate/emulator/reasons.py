"""Why a request was refused, in words: what to look at, beside what OSS itself says."""

from collections.abc import Mapping

from ossgate.emulator.redaction import redact_message, redact_signed_text, summarise
from ossgate.emulator.responses import Response

_MAX_MESSAGE = 500

_BY_EC: Mapping[str, str] = {
    "0002-00000705": (
        "The form's signature is not that of its policy. What is signed is the base64 text of the field policy exactly "
        "as it was sent; compare its digest below. Usual causes: another secret, the policy encoded anew after it was "
        "signed, or line breaks in the base64."
    ),
    "0002-00000226": "The credential names another region than the bucket's: look at --region and at the signer's setting.",
    "0002-00000502": "The request's date cannot be read.",
    "0002-00000503": "A signed request needs x-oss-date or Date.",
    "0002-00000069": "The signed URL's Expires has passed. Was it given in milliseconds, or is it a length of time?",
    "0002-00000236": "x-oss-date plus x-oss-expires has passed.",
    "0002-00000232": "x-oss-expires counts seconds: at most 604800, and 43200 with temporary credentials.",
    "0006-00000213": "The policy's expiration has passed. It is judged when the last byte of the form has arrived.",
    "0003-00000001": (
        "The ACL of bucket or object does not open this to everybody, and the request is unsigned, or signed with "
        "temporary credentials whose role has no permission for it."
    ),
    "0003-00000201": "The policy of the role that the temporary credentials stand for denies this outright.",
    "0003-00000301": (
        "The session policy given to AssumeRole does not allow this action on this bucket, key and address: the "
        "answer's AccessDeniedDetail names the action."
    ),
    "0007-00000008": "OSS calls no private addresses; --allow-private-callbacks lifts this here, not there.",
    "0007-00000007": "The host of the callback URL has no address.",
}

_BY_CODE: Mapping[str, str] = {
    "SignatureDoesNotMatch": (
        "The signature was made over another text or with another secret. Compare StringToSign below, line by line, "
        "with what the client signs. Usual causes: a Content-Type that the HTTP library adds by itself, a key encoded "
        "twice, a header that was signed and not sent, the wrong bucket or region."
    ),
    "InvalidAccessKeyId": (
        "The AccessKey ID is none of this emulator's (--access-key-id), or it is a temporary one whose token is missing."
    ),
    "InvalidSecurityToken": "The token does not belong to this key, or is none that this emulator's STS has issued.",
    "SecurityTokenExpired": "The temporary credentials have expired: ask STS for new ones.",
    "RequestTimeTooSkewed": (
        "The request's date is more than 15 minutes from the emulator's clock. Look at the client's clock and time "
        "zone, and at clock faults."
    ),
    "NoSuchBucket": "There is no such bucket. Host or path may name another than is meant: see how buckets are addressed.",
    "NoSuchKey": "There is no object of that key. Compare the key letter by letter: case, slashes, encoding.",
    "NoSuchUpload": "The multipart upload is unknown, completed or aborted.",
    "InvalidPart": "A part that Complete names was never uploaded, or has another ETag.",
    "InvalidPartOrder": "Complete must name the parts in rising order.",
    "EntityTooLarge": "The body is larger than the policy's content-length-range, or OSS's own limit, allows.",
    "EntityTooSmall": "The body is smaller than the policy's content-length-range allows, or a part that is not the last is under 100 KB.",
    "FileAlreadyExists": "The key is taken, and the request or the bucket forbids to overwrite it.",
    "InvalidDigest": "Content-MD5 is not the digest of the body that arrived.",
    "PreconditionFailed": "If-Match or If-Unmodified-Since does not hold.",
    "InvalidObjectName": "A key has 1 to 1023 bytes of UTF-8 and does not begin with / or \\.",
    "AccessForbidden": "No CORS rule of the bucket allows this origin, method and headers.",
    "NotImplemented": "OSS can do this, the emulator cannot: FIDELITY.md lists what it plays.",
    "MethodNotAllowed": "There is no such operation. A POST to an object's own URL is none: forms go to the bucket.",
    "CallbackFailed": "The object is stored; the callback was not answered as OSS wants it: status 200, JSON, Content-Length, within 5 s.",
    "RequestTimeout": "The client went away or fell silent before its body was complete.",
    "MalformedXML": "The XML of the request cannot be read.",
    "MalformedPOSTRequest": "The form cannot be read: look at the boundary, and at the line breaks between its parts.",
    "IncorrectNumberOfFilesInPOSTRequest": "A form carries exactly one file, as the last field, under the name file.",
    "InvalidPolicyDocument": "The policy is no valid document.",
    "BucketNotEmpty": "The bucket still holds objects or unfinished uploads.",
    "InternalError": "The emulator itself failed, or a fault was asked for.",
    "SlowDown": "A fault was asked for.",
}


def describe_refusal(response: Response) -> dict[str, str | None]:
    """Tell code, message and reason of a refusal, and for a wrong signature what should have been signed."""
    extras = {name: text for name, text in response.extras if isinstance(text, str)}
    string_to_sign = extras.get("StringToSign")
    ec = next((value for name, value in response.headers if name == "x-oss-ec"), "")
    if string_to_sign and "\n" not in string_to_sign:
        # A form: what is signed is the policy, which carries the callback.
        string_to_sign = f"the form's policy as sent: {summarise(string_to_sign)}"
    canonical = extras.get("CanonicalRequest")
    reason = _BY_EC.get(ec) or _BY_CODE.get(response.code)
    return {
        "code": response.code or None,
        "ec": ec or None,
        # A refused condition may quote two megabytes of policy.
        "message": redact_message(response.message)[:_MAX_MESSAGE] or None,
        "reason": reason if response.code else None,
        "string_to_sign": redact_signed_text(string_to_sign) if string_to_sign else None,
        "canonical_request": redact_signed_text(canonical) if canonical else None,
    }
