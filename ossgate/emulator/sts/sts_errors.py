"""The refusals of STS, and of the gateway in front of all Alibaba Cloud APIs.

Sources: the error tables of AssumeRole, https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole ,
of the STS FAQ, https://www.alibabacloud.com/help/doc-detail/42775.htm , and of the public errors,
https://error-center.alibabacloud.com/status/product/Public
"""

from dataclasses import dataclass

# Error texts never carry a whole long input.
_MAX_DETAIL = 16 * 1024


@dataclass(frozen=True, slots=True)
class StsErrorKind:
    """One row of the tables."""

    status: int
    code: str
    message: str


class StsError(Exception):
    """A refusal on its way to the client.

    Args:
        detail: Follows the row's message.
    """

    def __init__(self, kind: StsErrorKind, detail: str = "") -> None:
        self.kind = kind
        self.message = kind.message + detail[:_MAX_DETAIL]
        super().__init__(f"{kind.status} {kind.code}: {self.message}")


def missing(name: str) -> StsError:
    """Say that a parameter is missing."""
    return StsError(StsErrorKind(400, f"Missing{name}", f"{name} is mandatory for this action."))


def _wrongly_formed(name: str) -> StsErrorKind:
    return StsErrorKind(400, f"InvalidParameter.{name}", f"The parameter {name} is wrongly formed.")


# The gateway's.
METHOD_UNSUPPORTED = StsErrorKind(400, "UnsupportedHTTPMethod", "This http method is not supported.")
BODY_TOO_LARGE = StsErrorKind(400, "InvalidParameter", "The request body is too large.")
CONTENT_TYPE_INVALID = StsErrorKind(
    400,
    "InvalidParameter.ContentType",
    'The ContentType request header must be either "application/json" or "application/x-www-form-urlencoded".',
)
FORMAT_INVALID = StsErrorKind(400, "InvalidParameter.Format", "Specified parameter format is not valid.")
API_UNKNOWN = StsErrorKind(
    404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method."
)
VERSION_INVALID = StsErrorKind(400, "InvalidVersion", "Specified parameter Version is not valid.")
SIGNATURE_METHOD_INVALID = StsErrorKind(
    400, "InvalidSignatureMethod", "Specified signature method is not valid."
)
SIGNATURE_VERSION_INVALID = StsErrorKind(
    400, "InvalidSignatureVersion", "Specified parameter SignatureVersion is not valid."
)
SIGNATURE_INCOMPLETE = StsErrorKind(
    400, "IncompleteSignature", "The request signature does not conform to Aliyun standards."
)
SIGNATURE_MISMATCH = StsErrorKind(
    400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."
)
TIMESTAMP_MALFORMED = StsErrorKind(
    400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
)
TIMESTAMP_EXPIRED = StsErrorKind(
    400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
)
NONCE_USED = StsErrorKind(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
ACCESS_KEY_UNKNOWN = StsErrorKind(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
ACCESS_KEY_DISABLED = StsErrorKind(403, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
TOKEN_MISSING = StsErrorKind(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
TOKEN_MALFORMED = StsErrorKind(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
TOKEN_OF_ANOTHER_KEY = StsErrorKind(
    400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey."
)
TOKEN_EXPIRED = StsErrorKind(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
THROTTLED = StsErrorKind(400, "Throttling.User", "Request was denied due to user flow control.")
INTERNAL_ERROR = StsErrorKind(
    500, "InternalError", "STS Server Internal Error happened, please send the RequestId to us."
)

# AssumeRole's own.
ROLE_ARN_MALFORMED = _wrongly_formed("RoleArn")
SESSION_NAME_MALFORMED = _wrongly_formed("RoleSessionName")
EXTERNAL_ID_MALFORMED = _wrongly_formed("ExternalId")
SOURCE_IDENTITY_MALFORMED = _wrongly_formed("SourceIdentity")
POLICY_GRAMMAR = StsErrorKind(
    400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check."
)
POLICY_SIZE = StsErrorKind(
    400, "InvalidParameter.PolicySize", "The size of Policy must be smaller than 2048 bytes."
)
ROLE_UNKNOWN = StsErrorKind(404, "EntityNotExist.Role", "The specified Role not exists .")
NO_PERMISSION = StsErrorKind(
    403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM."
)
ROOT_REFUSED = StsErrorKind(403, "NoPermission", "Roles may not be assumed by root accounts.")


def duration_out_of_range(longest: int) -> StsError:
    """Name the bounds of DurationSeconds.

    Args:
        longest: The role's longest session in seconds.
    """
    hours = longest / 3600
    text = f"The Min/Max value of DurationSeconds is 15min/{hours:g}hr."
    return StsError(StsErrorKind(400, "InvalidParameter.DurationSeconds", text))
