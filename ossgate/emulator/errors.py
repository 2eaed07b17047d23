"""OSS's refusals: HTTP status, code, message and EC code, and their XML.

Source: "Error responses" and one page per EC code,
https://help.aliyun.com/zh/oss/user-guide/0007-00000105 and its neighbours; the order of the XML's
members follows recent replies of the service. Where a text is not public, FIDELITY.md says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ossgate.emulator.xml_document import Members, build_document

TROUBLESHOOT_URL = "https://api.aliyun.com/troubleshoot?q="


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of OSS's error table."""

    status: int
    code: str
    message: str
    ec: str = ""


class OssError(Exception):
    """A refusal on its way to the client.

    Args:
        kind: The row of the table.
        message: Replaces the row's text where it quotes the request.
        extras: Members that stand after HostId, such as ArgumentName, in order.
        headers: Response headers beside the usual ones.
    """

    def __init__(
        self,
        kind: ErrorKind,
        *,
        message: str | None = None,
        extras: Members = (),
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.kind = kind
        self.message = kind.message if message is None else message
        self.extras = tuple(extras)
        self.headers = tuple(headers)
        super().__init__(f"{kind.status} {kind.code}: {self.message}")


def render_error(error: OssError, *, request_id: str, host_id: str) -> bytes:
    """Write the error document that OSS answers with."""
    members: list[tuple[str, str | Members]] = [
        ("Code", error.kind.code),
        ("Message", error.message),
        ("RequestId", request_id),
        ("HostId", host_id),
        *error.extras,
    ]
    if error.kind.ec:
        members += [("EC", error.kind.ec), ("RecommendDoc", TROUBLESHOOT_URL + error.kind.ec)]
    return build_document("Error", members)


# Requests in general.
ACCESS_DENIED = ErrorKind(403, "AccessDenied", "AccessDenied")
BUCKET_ACL_DENIED = ErrorKind(
    403, "AccessDenied", "You have no right to access this object because of bucket acl.", "0003-00000001"
)
ANONYMOUS_DENIED = ErrorKind(403, "AccessDenied", "Anonymous user has no right to access this bucket.")
INVALID_ARGUMENT = ErrorKind(400, "InvalidArgument", "Invalid Argument.")
INVALID_BUCKET_NAME = ErrorKind(400, "InvalidBucketName", "The specified bucket is not valid.")
INVALID_DIGEST = ErrorKind(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
INVALID_OBJECT_NAME = ErrorKind(400, "InvalidObjectName", "The specified object is not valid.")
INTERNAL_ERROR = ErrorKind(
    500, "InternalError", "We encountered an internal error. Please try again.", "0001-00000001"
)
MALFORMED_REQUEST = ErrorKind(400, "BadRequest", "The request is malformed.")
MISSING_CONTENT_LENGTH = ErrorKind(
    411, "MissingContentLength", "You must provide the Content-Length HTTP header."
)
NO_SUCH_BUCKET = ErrorKind(404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101")
NO_SUCH_KEY = ErrorKind(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001")
NOT_IMPLEMENTED = ErrorKind(
    501, "NotImplemented", "A header or query you provided implies functionality that is not implemented."
)
REQUEST_TIMEOUT = ErrorKind(
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)
INVALID_RANGE = ErrorKind(416, "InvalidRange", "The requested range cannot be satisfied.")
PRECONDITION_FAILED = ErrorKind(
    412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold."
)
SERVICE_BUSY = ErrorKind(503, "ServiceUnavailable", "Please reduce your request rate.")
SLOW_DOWN = ErrorKind(503, "SlowDown", "Please reduce your request rate.")
FAULT_HEADER_INVALID = ErrorKind(400, "InvalidArgument", "The fault header is not understood.")

# Signatures and credentials.
AUTHORIZATION_MALFORMED = ErrorKind(
    400, "InvalidArgument", "The Authorization header is malformed.", "0002-00000202"
)
TWO_SIGNATURES = ErrorKind(400, "InvalidArgument", "Only one signature may be given: header or query string.")
UNKNOWN_ACCESS_KEY = ErrorKind(
    403,
    "InvalidAccessKeyId",
    "The OSS Access Key Id you provided does not exist in our records.",
    "0002-00000902",
)
TOKEN_MISSING = ErrorKind(
    403,
    "InvalidAccessKeyId",
    "The OSS Access Key Id you provided does not exist in our records.",
    "0002-00000003",
)
TOKEN_OF_ANOTHER_KEY = ErrorKind(
    403,
    "AccessKeyIdAndSecurityTokenNotMatch",
    "The OSS access key id and security token you provided does not match.",
    "0002-00000004",
)
TOKEN_INVALID = ErrorKind(
    403, "InvalidSecurityToken", "The security token you provided is invalid.", "0002-00000006"
)
TOKEN_EXPIRED = ErrorKind(
    403, "SecurityTokenExpired", "The security token you provided has expired.", "0002-00000007"
)
TOKEN_TWICE = ErrorKind(
    400, "InvalidArgument", "The security token was given both in the URL and in a header.", "0002-00000010"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
SIGNATURE_MISMATCH = ErrorKind(403, "SignatureDoesNotMatch", _MISMATCH, "0002-00000040")
TIME_TOO_SKEWED = ErrorKind(
    403,
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    "0002-00000504",
)
DATE_MALFORMED = ErrorKind(403, "AccessDenied", "OSS authentication requires a valid Date.", "0002-00000502")
DATE_MISSING = ErrorKind(403, "AccessDenied", "OSS authentication requires a valid Date.", "0002-00000503")
URL_EXPIRED_V1 = ErrorKind(403, "AccessDenied", "Request has expired.", "0002-00000069")
URL_EXPIRED_V4 = ErrorKind(403, "AccessDenied", "Request has expired.", "0002-00000236")
EXPIRES_MISSING_V1 = ErrorKind(403, "AccessDenied", "The Expires parameter is missing.", "0002-00000067")
EXPIRES_BLANK_V1 = ErrorKind(403, "AccessDenied", "The Expires parameter is blank.", "0002-00000068")
EXPIRES_MALFORMED_V1 = ErrorKind(403, "AccessDenied", "The Expires parameter is invalid.", "0002-00000070")
QUERY_INCOMPLETE_V1 = ErrorKind(
    403, "AccessDenied", "Query-string authentication requires the Signature, Expires and OSSAccessKeyId."
)
ADDITIONAL_HEADERS_EMPTY = ErrorKind(
    400, "InvalidArgument", "The additional headers are empty.", "0002-00000209"
)
ADDITIONAL_HEADERS_ITEM_EMPTY = ErrorKind(
    400, "InvalidArgument", "The additional headers contain an empty item.", "0002-00000210"
)
CREDENTIAL_MALFORMED_HEADER = ErrorKind(
    400, "InvalidArgument", "Invalid credential in Authorization header.", "0002-00000212"
)
CREDENTIAL_MALFORMED_QUERY = ErrorKind(400, "InvalidArgument", "The credential is invalid.", "0002-00000223")
CONTENT_SHA256_UNSUPPORTED = ErrorKind(
    400, "InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.", "0002-00000214"
)
EXPIRES_MISSING_V4 = ErrorKind(400, "InvalidArgument", "x-oss-expires is missing.", "0002-00000215")
EXPIRES_OUT_OF_RANGE_V4 = ErrorKind(
    400, "InvalidArgument", "x-oss-expires must be an integer between 1 and 604800.", "0002-00000232"
)
REGION_WRONG_HEADER = ErrorKind(
    400, "InvalidArgument", "Invalid signing region in Authorization header.", "0002-00000226"
)
REGION_WRONG_QUERY = ErrorKind(400, "InvalidArgument", "The signing region in credential is invalid.")
PRODUCT_WRONG = ErrorKind(
    400, "InvalidArgument", "Invalid signing product in Authorization header.", "0002-00000227"
)
HEADER_QUERY_DIFFER = ErrorKind(
    400, "InvalidArgument", "A signed header and the query parameter of the same name have different values."
)

# Form signatures.
FORM_VERSION_UNSUPPORTED = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-signature-version is invalid.", "0002-00000701"
)
FORM_POLICY_MISSING = ErrorKind(400, "InvalidArgument", "The form field policy is missing.", "0002-00000702")
FORM_SIGNATURE_MISSING = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-signature is missing.", "0002-00000703"
)
FORM_SIGNATURE_BLANK = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-signature is blank.", "0002-00000704"
)
FORM_SIGNATURE_MISMATCH = ErrorKind(403, "SignatureDoesNotMatch", _MISMATCH, "0002-00000705")
FORM_CREDENTIAL_MISSING = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-credential is missing.", "0002-00000706"
)
FORM_CREDENTIAL_BLANK = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-credential is blank.", "0002-00000707"
)
FORM_CREDENTIAL_INVALID = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-credential is invalid.", "0002-00000708"
)
FORM_DATE_INVALID = ErrorKind(
    400, "InvalidArgument", "The form field x-oss-date is missing or invalid.", "0002-00000709"
)
FORM_DATE_SKEWED = ErrorKind(403, "RequestTimeTooSkewed", TIME_TOO_SKEWED.message, "0002-00000709")
FORM_SCOPE_INVALID = ErrorKind(
    400,
    "InvalidArgument",
    "The form field x-oss-credential does not end in aliyun_v4_request.",
    "0002-00000710",
)
FORM_KEY_ID_EMPTY_V1 = ErrorKind(400, "InvalidArgument", "Post request accessKeyId is empty.")
FORM_SIGNATURE_EMPTY_V1 = ErrorKind(400, "InvalidArgument", "Post request signature is empty.")
FORM_POLICY_EMPTY_V1 = ErrorKind(400, "InvalidArgument", "Post request policy is empty.")

# Forms.
NOT_MULTIPART = ErrorKind(
    400,
    "RequestIsNotMultiPartContent",
    "Bucket POST must be of the enclosure-type multipart/form-data.",
)
FORM_MALFORMED = ErrorKind(
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data",
    "0006-00000104",
)
FORM_FILE_COUNT = ErrorKind(
    400,
    "IncorrectNumberOfFilesInPOSTRequest",
    "POST requires exactly one file upload per request.",
    "0006-00000107",
)
FORM_KEY_MISSING = ErrorKind(
    400,
    "InvalidArgument",
    "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields",
)
FORM_FIELD_UNNAMED = ErrorKind(
    400, "InvalidArgument", "The bucket POST must contain the specified field name."
)
FORM_NAME_TOO_LONG = ErrorKind(
    400, "FieldItemTooLong", "Your name of form field is too long.", "0006-00000110"
)
FORM_VALUE_TOO_LONG = ErrorKind(
    400, "FieldItemTooLong", "Your value of form field is too long.", "0006-00000111"
)
FORM_FIELDS_TOO_LONG = ErrorKind(
    400,
    "MaxPOSTPreDataLengthExceededError",
    "Your POST request fields preceding the upload file were too large.",
    "0006-00000112",
)
FORM_BODY_TOO_LARGE = ErrorKind(400, "EntityTooLarge", "Post body size must be less than 5G.")
ENTITY_TOO_LARGE = ErrorKind(
    400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.", "0006-00000003"
)
ENTITY_TOO_SMALL = ErrorKind(
    400, "EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.", "0006-00000004"
)
FORBID_OVERWRITE_INVALID = ErrorKind(
    400, "InvalidArgument", "The value of x-oss-forbid-overwrite must be true or false.", "0006-00000117"
)
FILE_ALREADY_EXISTS = ErrorKind(
    409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten."
)
OBJECT_ACL_INVALID = ErrorKind(400, "InvalidArgument", "no such object access control exists.")
STORAGE_CLASS_INVALID = ErrorKind(400, "InvalidArgument", "The storage class you specified is not valid.")
ENCRYPTION_INVALID = ErrorKind(
    400, "InvalidEncryptionAlgorithmError", "The encryption algorithm you specified is not valid."
)
KMS_NOT_ENABLED = ErrorKind(403, "KmsServiceNotEnabled", "KMS is not enabled.")
METADATA_TOO_LARGE = ErrorKind(
    400, "InvalidArgument", "Your metadata headers exceed the maximum allowed metadata size."
)

# Policies.
POLICY_EXPIRED = ErrorKind(
    403, "AccessDenied", "Invalid according to Policy: Policy expired.", "0006-00000213"
)
POLICY_CONDITION_FAILED = ErrorKind(
    403, "AccessDenied", "Invalid according to Policy: Policy Condition failed:", "0006-00000227"
)


def invalid_policy(number: int, detail: str) -> OssError:
    """Name what is wrong with the policy document itself.

    Args:
        number: The last three digits of the EC code.
        detail: What follows "Invalid Policy: ".
    """
    return OssError(
        ErrorKind(400, "InvalidPolicyDocument", f"Invalid Policy: {detail}", f"0006-00000{number:03d}")
    )


# Callback definitions.
def _callback(message: str, number: int | None) -> ErrorKind:
    return ErrorKind(400, "InvalidArgument", message, f"0007-{number:08d}" if number else "")


CALLBACK_TOO_LONG = _callback("The length of callback exceed max value.", 1)
CALLBACK_NOT_BASE64 = _callback("The callback configuration is not base64 encoded.", 2)
CALLBACK_NOT_JSON = _callback("The callback configuration is not json format.", 3)
CALLBACK_URL_INVALID = _callback("The callback url configuration is invalid.", 4)
CALLBACK_TOO_MANY_URLS = _callback("The number of callback url exceed max value.", 5)
CALLBACK_HOST_UNRESOLVED = _callback("Can not get ip by this host.", 7)
CALLBACK_PRIVATE_ADDRESS = _callback("Private address is forbidden to callback.", 8)
CALLBACK_HOST_INVALID = _callback("The callback host configuration is invalid.", 9)
CALLBACK_BODY_INVALID = _callback("The callback body is invalid.", 10)
CALLBACK_BODY_EMPTY = _callback("The callback body is empty.", 11)
CALLBACK_BODY_TYPE_INVALID = _callback("The callback body type configuration is invalid.", 12)
CALLBACK_BODY_TYPE_UNSUPPORTED = _callback("The body type of callback is not supported.", 13)
CALLBACK_SNI_INVALID = _callback("The callback SNI configuration is invalid.", 14)
CALLBACK_SIGNATURE_VERSION = _callback("The callback signature version is invalid.", None)
CALLBACK_HEADERS_INVALID = _callback("The callback additional headers are invalid.", 21)
CALLBACK_BRACE_MISSING = _callback("Left brace must be adjacent to dollar sign.", 105)

# Answers to the uploader when the callback failed; the object is kept.
CALLBACK_FAILED_STATUS = "0007-00000203"
CALLBACK_FAILED_TIMEOUT = "0007-00000202"
CALLBACK_FAILED_NOT_JSON = "0007-00000205"

# Preflights.
CORS_FORBIDDEN = ErrorKind(
    403,
    "AccessForbidden",
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
    "request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted "
    "by the resource's CORS spec.",
)
CORS_ORIGIN_MISSING = ErrorKind(400, "BadRequest", "Insufficient information. Origin request header needed.")
CORS_METHOD_MISSING = ErrorKind(
    400, "BadRequest", "Insufficient information. Request Access-Control-Request-Method header needed."
)
